/**
 * Messages on their way in, and what becomes of them later. Those of a conversation are shown in the order of their
 * numbers: what is missing in between is fetched. The app is told of them when it is known what their sender is called.
 */

import { conversationIDOf } from '../model/conversation-id.js';
import { markRevoked } from '../model/message.js';
import type { Message } from '../types.js';
import type { ConversationUpdate, DeletedMessages, MessageName, WireMessage } from '../wire.js';
import type { SessionContext } from './context.js';
import type { ConversationState } from './conversation.js';
import { CLOSED } from './lifecycle.js';
import { loadNames, loadProfiles } from './profiles.js';

/** A message has come that may not be the next one. */
export function place(session: SessionContext, state: ConversationState, wire: WireMessage): void {
  show(session, state, state.timeline.take(wire));
  if (state.gap) session.fillLater();
}

/** A message of this client has its number. */
export function messageSent(session: SessionContext, wire: WireMessage): void {
  if (wire.sequence === 0 || session.isLeft(conversationIDOf(wire, session.userID))) return;
  const state = session.conversationOf(wire);
  if (wire.sequence > state.timeline.top) state.ownSequences.add(wire.sequence);
  place(session, state, wire);
  // A list that was quicker than the answer has taken its turn.
  state.know(session.toMessage(wire));
}

/** A page of history is being shown; where it is newer than what was known, it is the news itself. */
export function pageShown(session: SessionContext, conversationID: string, page: readonly WireMessage[]): void {
  // What was imported has no number: it is history, and no more.
  const first = page.find(({ sequence }) => sequence > 0);
  if (!first) return;
  const state = session.conversation(conversationID, first.sequence - 1);
  revoke(session, state, page);
  for (const wire of page.slice(page.indexOf(first))) {
    state.shownUpTo = Math.max(state.shownUpTo, wire.sequence);
    show(session, state, state.timeline.take(wire));
  }
  if (state.gap) session.fillLater();
}

/** Takes over the recalls among some messages, as far as the app has those and does not know yet. */
export function revoke(session: SessionContext, state: ConversationState, wires: readonly WireMessage[]): void {
  const news: Message[] = [];
  for (const wire of wires) {
    const { newest } = state;
    const message = wire.sequence === 0 ? session.messagesByID.get(wire.clientID)
      : state.messagesBySequence.get(wire.sequence) ?? (newest?.sequence === wire.sequence ? newest : undefined);
    if (!wire.isRevoked || !message || message.isRevoked) continue;
    markRevoked(message, wire.revoker ?? wire.from);
    session.withSender(message);
    news.push(message);
  }
  if (news.length === 0 || !session.lifecycle.isReady) return;
  session.events.revoked(news);
  session.events.listChanged();
}

/** Another device of this user has changed a conversation, or this one has. */
export function updateConversation(session: SessionContext, update: ConversationUpdate): void {
  const state = session.conversations.get(update.conversationID);
  if (!state) {
    // It is on top of the list now, however old it is.
    if (update.isPinned) session.lookUp([update.conversationID]).catch(() => {});
    return;
  }
  if (update.isPinned !== undefined) state.isOnTop = update.isPinned;
  if (update.clearedSequence !== undefined) clearConversation(session, state, update.clearedSequence);
  if (update.unlistedSequence !== undefined) state.unlist(update.unlistedSequence);
  if (update.readSequence !== undefined && update.readSequence > state.read) {
    state.readElsewhere(update.readSequence, update.unreadCount ?? 0);
  }
  session.events.listChanged();
}

/** Everything up to a number is gone, and what comes late of it is not to be seen any more. */
export function clearConversation(session: SessionContext, state: ConversationState, upTo: number): void {
  const ready = state.timeline.fill([], upTo);
  state.clear(upTo);
  show(session, state, ready.filter((wire) => wire.sequence > upTo));
}

/** What the server knows a message by: what was imported has no number. */
export function nameOf({ sequence, ID }: Message): MessageName {
  return sequence || ID;
}

/** Messages that this user does not want to see any more. */
export function deleteMessages(session: SessionContext, { conversationID, messages }: DeletedMessages): void {
  const state = session.conversations.get(conversationID);
  if (!state) return;
  for (const name of messages) {
    const message = state.messagesBySequence.get(name as number) ?? session.messagesByID.get(name as string);
    if (message) {
      message.isDeleted = true;
      state.remove(message);
      session.messagesByID.delete(message.ID);
    }
  }
  if (state.newest && messages.includes(nameOf(state.newest))) {
    const left = [...state.messagesBySequence.values()].filter((message) => !message.messageControlInfo.excludedFromLastMessage)
      .sort((a, b) => b.sequence - a.sequence)[0];
    state.newest = left;
    // Nothing of it is here, but the server knows what the list should show.
    if (!left) session.lookUp([conversationID]).catch(() => {});
  }
  session.events.listChanged();
}

/** Looks up what the peers of some conversations are called now, and announces then what has come of them. */
export async function announceNamed(session: SessionContext, states: readonly ConversationState[]): Promise<void> {
  for (const state of states) state.unnamed ??= [];
  if (states.length > 0) await loadProfiles(session, states.map(({ peer }) => peer));
  announceUnnamed(session, states);
}

/** The same for those who are named in messages of a group, as far as it is not known what they are called. */
async function announceInGroup(session: SessionContext, state: ConversationState): Promise<void> {
  // What comes meanwhile may name others.
  for (let named = 0; named < (state.unnamed?.length ?? 0);) {
    named = state.unnamed?.length ?? 0;
    await loadNames(session, state.id, state.unnamed ?? []);
  }
  for (const message of state.unnamed ?? []) session.withSender(message);
  announceUnnamed(session, [state]);
}

function announceUnnamed(session: SessionContext, states: readonly ConversationState[]): void {
  if (session.lifecycle.phase === CLOSED) return;
  for (const state of states) {
    const news = state.unnamed?.filter((message) => !message.isDeleted && message.sequence > state.cleared) ?? [];
    state.unnamed = undefined;
    announce(session, news);
  }
  session.events.listChanged();
}

/** Tells messages once, however many conversations they have come for in one go. */
function announce(session: SessionContext, news: readonly Message[]): void {
  const { unannounced } = session;
  if (news.length > 0 && unannounced.length === 0) void Promise.resolve().then(() => session.tellNews());
  unannounced.push(...news);
}

/** Messages whose turn has come. */
export function show(session: SessionContext, state: ConversationState, ready: readonly WireMessage[]): void {
  if (ready.length === 0) return;
  const news: Message[] = [];
  for (const wire of ready) {
    // One of this client's that is on its way, or was given up and has arrived all the same.
    const isOurs = state.ownSequences.delete(wire.sequence) || session.isComposed(wire);
    const message = session.toMessage(wire);
    state.add(message);
    // What was there when the conversation was loaded is news as far as it is unread.
    const isHistory = wire.sequence <= state.loadedUpTo && (message.flow === 'out' || wire.sequence <= state.done);
    if (!isOurs && !isHistory && wire.sequence > state.shownUpTo) news.push(message);
  }
  if (state.group) session.events.groupsChanged();
  if (state.unnamed) {
    state.unnamed.push(...news);
  } else if (news.length > 0 && state.group) {
    state.unnamed = news;
    void announceInGroup(session, state);
  } else if (news.length > 0 && !session.profiles.has(state.peer)) {
    state.unnamed = news;
    void announceNamed(session, [state]);
  } else {
    announce(session, news);
  }
  session.events.listChanged();
}
