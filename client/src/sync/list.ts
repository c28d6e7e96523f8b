/** The list: what the server says of it, page by page, and of conversations by their names. */

import { chunks } from '../lists.js';
import { groupIDOf } from '../model/conversation-id.js';
import { profileOf } from '../model/profile.js';
import type { Actions, ConversationPage, WireConversation } from '../wire.js';
import type { SessionContext } from './context.js';
import { ConversationState, MAX_MISSED } from './conversation.js';
import { adopt } from './groups.js';
import { announceNamed, clearConversation, revoke, show } from './inbox.js';
import { cacheProfile } from './profiles.js';
import { reportRead } from './read-marks.js';

/** Of so many conversations the page is with which a session begins. */
const FIRST_PAGE = 20;
/** Of so many the page is at most that says what has happened since. */
const CHANGES_PAGE = 100;
/** So many conversations one request may name. */
const MAX_NAMED = 50;

// What a page is.
/** The newest conversations, or some that were named. It has the profiles of all peers. */
export const NEWEST = 0;
/** What has happened since. It has the profiles of those who are new. */
export const CHANGES = 1;
/** Older conversations. What is here already is newer than what it says. */
export const OLDER = 2;

/** What a login asks for. Those conversations that it has no room to name stay in `uncompared`. */
export function loginData(session: SessionContext): Actions['login']['data'] {
  const { since } = session;
  if (since === 0) return { count: FIRST_PAGE };
  const names = changeable(session);
  session.uncompared = new Set(names.slice(MAX_NAMED));
  return { count: CHANGES_PAGE, since, conversationIDList: names.slice(0, MAX_NAMED) };
}

/** The conversations of two in which something may have changed that is no message, the newest first. */
export function changeable(session: SessionContext): string[] {
  const from = session.lifecycle.contact - session.recallMs;
  return session.sorted().filter((state, at) => !state.group && (at < FIRST_PAGE || state.mayChange(from))).map(({ id }) => id);
}

/** Takes over a page. */
export function mergePage(
  session: SessionContext, { profileList, conversationList }: ConversationPage, kind: typeof NEWEST | typeof CHANGES | typeof OLDER,
): void {
  const { conversations, profiles } = session;
  const named = new Set(profileList.map((profile) => cacheProfile(session, profile).userID));
  // Whose messages wait until it is known what they are called now.
  const unnamed: ConversationState[] = [];
  for (const wire of conversationList) {
    const known = conversations.get(wire.conversationID);
    session.uncompared.delete(wire.conversationID);
    if (known && kind === OLDER) continue;
    const state = known ?? ConversationState.of(wire);
    conversations.set(state.id, state);
    if (wire.groupProfile) adopt(session, state, wire);
    else if (kind !== CHANGES) {
      if (!profiles.has(state.peer)) profiles.set(state.peer, profileOf({ userID: state.peer }));
    } else if (!named.has(state.peer) && (wire.lastSequence > state.timeline.top || !profiles.has(state.peer))) {
      state.unnamed ??= [];
      unnamed.push(state);
    }
    merge(session, state, wire);
  }
  if (unnamed.length > 0) void announceNamed(session, unnamed);
  session.events.listChanged();
}

/** Takes over what the list says of a conversation. */
export function merge(session: SessionContext, state: ConversationState, wire: WireConversation): void {
  const { lastMessage, lastSequence } = wire;
  state.isOnTop = wire.isPinned;
  if (wire.clearedSequence > state.cleared) clearConversation(session, state, wire.clearedSequence);
  if ((wire.unlistedSequence ?? 0) > state.unlisted) state.unlist(wire.unlistedSequence ?? 0);
  if ((wire.joinedSequence ?? 0) > state.cleared) clearConversation(session, state, wire.joinedSequence ?? 0);
  if (wire.readSequence > state.read) state.markRead(wire.readSequence);
  state.reportedRead = wire.readSequence;
  // A mark that got lost on its way.
  reportRead(session, state);
  const news = state.readByPeer(wire.peerReadSequence, wire.peerReadTime);
  if (news.length > 0 && session.lifecycle.isReady) session.events.readByPeer(news);
  state.recheck(session.lifecycle.contact - session.recallMs, lastMessage?.sequence);
  // After a lost network as at a login: what is before the newest ones is history.
  if (lastSequence - MAX_MISSED > state.timeline.top) {
    state.rechecked(Infinity);
    show(session, state, state.timeline.fill([], lastSequence - MAX_MISSED));
  }
  if (lastSequence >= state.timeline.top) {
    if (lastMessage && session.isComposed(lastMessage)) state.ownSequences.add(lastMessage.sequence);
    state.newest = lastMessage && session.toMessage(lastMessage);
    if (lastMessage) revoke(session, state, [lastMessage]);
  }
  state.correctUnread(wire);
  state.end = Math.max(state.end, lastSequence);
  if (!lastMessage) return;
  // Often it is all that is missing.
  show(session, state, state.timeline.take(lastMessage));
  state.know(session.toMessage(lastMessage));
}

/** Asks what there is to know of some conversations, of all that are asked for meanwhile with as few requests as that takes. */
export function lookUp(session: SessionContext, ids: readonly string[]): Promise<void> {
  for (const id of ids) session.wanted.add(id);
  session.lookingUp ??= lookUpWanted(session);
  return session.lookingUp;
}

async function lookUpWanted(session: SessionContext): Promise<void> {
  const { wanted } = session;
  try {
    // What is asked for in the same go is with it.
    await undefined;
    while (wanted.size > 0) {
      const [conversationIDList] = chunks([...wanted], MAX_NAMED) as [string[]];
      const page = await session.connection.requestWithRetry('getConversationList', { conversationIDList });
      const found = new Set(page.conversationList.map((wire) => wire.conversationID));
      const left = conversationIDList.filter((id) => !found.has(id));
      // Of what is too much for one reply the next one has more, until one has nothing. A group is not there if the reply is whole.
      const isLast = page.isCompleted || left.length === conversationIDList.length;
      for (const id of conversationIDList) if (isLast || found.has(id)) wanted.delete(id);
      mergePage(session, page, NEWEST);
      if (page.isCompleted) for (const id of left) if (groupIDOf(id)) session.leaveGroup(id);
    }
  } finally {
    wanted.clear();
    session.lookingUp = undefined;
  }
}

/** Loads the next page of older conversations, if there is one. */
export function loadOlder(session: SessionContext): Promise<void> {
  if (session.older !== undefined) session.loadingOlder ??= loadNextPage(session, session.older);
  return session.loadingOlder ?? Promise.resolve();
}

async function loadNextPage(session: SessionContext, next: string): Promise<void> {
  try {
    const page = await session.connection.requestWithRetry('getConversationList', next ? { nextReqConversationID: next } : {});
    session.older = page.isCompleted ? undefined : page.nextReqConversationID;
    mergePage(session, page, OLDER);
  } finally {
    session.loadingOlder = undefined;
  }
}
