/** What the server says unasked. */

import { UNCAUGHT } from '../codes.js';
import { ChatError } from '../errors.js';
import { conversationIDOf } from '../model/conversation-id.js';
import { fromWire } from '../model/message.js';
import type { Push, WireMessage } from '../wire.js';
import type { SessionContext } from './context.js';
import type { ConversationState } from './conversation.js';
import { noticed } from './groups.js';
import { deleteMessages, place, revoke, updateConversation } from './inbox.js';
import { ANNOUNCED, CLOSED } from './lifecycle.js';
import { cacheProfile, cacheSender, setBlacklist } from './profiles.js';

/** A push has come. It waits for the list that it is a change of. */
export function receivePush(session: SessionContext, push: Push): void {
  if (session.lifecycle.isBuffering) session.bufferedPushes.push(push);
  else applyPush(session, push);
}

/** The list is here. */
export function flushPushes(session: SessionContext): void {
  for (const push of session.bufferedPushes.splice(0)) applyPush(session, push);
}

export function applyPush(session: SessionContext, push: Push): void {
  attempt(session, () => apply(session, push));
}

/** A push of another shape than expected must not take the others with it. */
function attempt(session: SessionContext, act: () => void): void {
  try {
    act();
  } catch (error) {
    session.events.failed(new ChatError(UNCAUGHT, `a push could not be read: ${String(error)}`));
  }
}

/** Does something with the conversation of a message. One that is not loaded is looked up first, unless it is new. */
function inConversation(session: SessionContext, wire: WireMessage, act: (state: ConversationState) => void): void {
  const id = conversationIDOf(wire, session.userID);
  if (session.conversations.has(id) || wire.sequence === 1 && !session.isLeft(id)) return act(session.conversationOf(wire));
  const go = (): void => {
    // What comes late of a group that was left is nobody's.
    if (session.lifecycle.phase !== CLOSED && !session.isLeft(id)) attempt(session, () => act(session.conversationOf(wire)));
  };
  session.lookUp([id]).then(go, go);
}

function apply(session: SessionContext, push: Push): void {
  const { events } = session;
  switch (push.event) {
    case 'onMessageReceived':
      for (const wire of push.data) {
        cacheSender(session, wire);
        // One without a number is not stored, and goes to those who listen now.
        if (wire.sequence !== 0) inConversation(session, wire, (state) => place(session, state, wire));
        else if (session.lifecycle.phase === ANNOUNCED) events.received([session.withSender(fromWire(wire, session.userID))]);
      }
      break;
    case 'onMessageRevoked':
      for (const wire of push.data) {
        inConversation(session, wire, (state) => {
          revoke(session, state, [wire]);
          // One that the app has not seen comes as a recalled one.
          place(session, state, wire);
        });
      }
      break;
    case 'onMessageDeleted':
      deleteMessages(session, push.data);
      break;
    case 'onMessageReadByPeer': {
      const { conversationID, sequence, time } = push.data;
      // The peer may be quicker than the answer to the first message, which would make the conversation.
      if (session.outbox.isFor(conversationID)) session.conversation(conversationID, sequence - 1);
      const news = session.conversations.get(conversationID)?.readByPeer(sequence, time) ?? [];
      if (news.length > 0) events.readByPeer(news);
      if (news.length > 0) events.listChanged();
      break;
    }
    case 'onConversationListUpdated':
      for (const update of push.data) updateConversation(session, update);
      break;
    case 'onProfileUpdated':
      for (const wire of push.data) cacheProfile(session, wire, true);
      break;
    case 'onUserStatusUpdated': {
      const news = session.subscriptions.update(push.data);
      if (news.length > 0) events.statusUpdated(news);
      break;
    }
    case 'onGroupNotice':
      noticed(session, push.data);
      break;
    case 'blacklistUpdated':
      setBlacklist(session, push.data);
      break;
    default:
  }
}
