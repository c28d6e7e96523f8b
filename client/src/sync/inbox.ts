/**
 * Messages on their way in, and what becomes of them later. Those of a conversation are shown in the order of their
 * numbers: what is missing in between is fetched. The app is told of them when it is known what their sender is called.
 */

import type { ChatError } from '../errors.js';
import { markRevoked } from '../model/message.js';
import type { Message } from '../types.js';
import type { ConversationUpdate, MessageRange, WireMessage } from '../wire.js';
import type { SessionContext } from './context.js';
import type { ConversationState } from './conversation.js';
import { ANNOUNCED, CLOSED } from './lifecycle.js';
import { loadProfiles } from './profiles.js';

/** Pushes overtake one another; what is missing is often on its way. */
const OVERTAKING_MS = 300;
/** How long before what could not be fetched is fetched again. */
const RETRY_MS = 5_000;

/** A message has been pushed. */
export function messagePushed(session: SessionContext, wire: WireMessage): void {
  place(session, session.conversationOf(wire), wire);
}

/** A message of this client has its number. */
export function messageSent(session: SessionContext, wire: WireMessage): void {
  if (wire.sequence === 0) return;
  const state = session.conversationOf(wire);
  if (wire.sequence > state.timeline.top) state.ownSequences.add(wire.sequence);
  place(session, state, wire);
}

/** A page of history is being shown; where it is newer than what was known, it is the news itself. */
export function pageShown(session: SessionContext, conversationID: string, page: readonly WireMessage[]): void {
  const first = page[0];
  if (!first) return;
  const state = session.conversation(conversationID, first.sequence - 1);
  revoke(session, state, page);
  for (const wire of page) {
    state.shownUpTo = Math.max(state.shownUpTo, wire.sequence);
    show(session, state, state.timeline.take(wire));
  }
  fillLater(session, state);
}

/** Takes over the recalls among some messages, as far as the app has those and does not know yet. */
export function revoke({ events }: SessionContext, state: ConversationState, wires: readonly WireMessage[]): void {
  const news: Message[] = [];
  for (const wire of wires) {
    const { lastMessage } = state;
    const message = state.messagesBySequence.get(wire.sequence) ?? (lastMessage?.sequence === wire.sequence ? lastMessage : undefined);
    if (!wire.isRevoked || !message || message.isRevoked) continue;
    markRevoked(message, wire.from);
    news.push(message);
  }
  if (news.length === 0) return;
  events.revoked(news);
  events.listChanged();
}

/** Another device of this user has changed a conversation, or this one has. */
export function updateConversation(session: SessionContext, update: ConversationUpdate): void {
  const state = session.conversations.get(update.conversationID);
  if (!state) return;
  if (update.isPinned !== undefined) state.isPinned = update.isPinned;
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

/** Messages that this user does not want to see any more. */
export function deleteMessages(session: SessionContext, conversationID: string, sequences: readonly number[]): void {
  const state = session.conversations.get(conversationID);
  if (!state) return;
  for (const sequence of sequences) {
    const message = state.messagesBySequence.get(sequence);
    if (message) {
      message.isDeleted = true;
      state.remove(message);
      session.messagesByID.delete(message.ID);
    }
  }
  if (state.lastMessage && sequences.includes(state.lastMessage.sequence)) {
    const left = [...state.messagesBySequence.values()].filter((message) => !message.messageControlInfo.excludedFromLastMessage)
      .sort((a, b) => b.sequence - a.sequence)[0];
    state.lastMessage = left;
    // Nothing of it is here, but the server knows what the list should show.
    if (!left) session.outdated();
  }
  session.events.listChanged();
}

/** Fetches everything from a number to the end, which is at `end` or behind it. */
export async function catchUp(session: SessionContext, state: ConversationState, from: number, end: number): Promise<void> {
  for (let next = from; ;) {
    const range = await fetchRange(session, state, { fromSequence: next });
    const last = range.messageList[range.messageList.length - 1];
    revoke(session, state, range.messageList);
    const upTo = range.isCompleted ? Math.max(end, last?.sequence ?? 0) : range.nextSequence - 1;
    show(session, state, state.timeline.fill(range.messageList, upTo));
    if (range.isCompleted) return;
    next = range.nextSequence;
  }
}

/** Looks up what the peers of some conversations are called now, and announces then what has come of them. */
export async function announceNamed(session: SessionContext, states: readonly ConversationState[]): Promise<void> {
  for (const state of states) state.unnamed ??= [];
  if (states.length > 0) await loadProfiles(session, states.map(({ peer }) => peer));
  if (session.lifecycle.phase === CLOSED) return;
  for (const state of states) {
    const news = state.unnamed?.filter((message) => !message.isDeleted && message.sequence > state.cleared) ?? [];
    state.unnamed = undefined;
    announce(session, news);
  }
  session.events.listChanged();
}

function announce({ lifecycle, events, unannounced }: SessionContext, news: readonly Message[]): void {
  if (lifecycle.phase !== ANNOUNCED) unannounced.push(...news);
  else if (news.length > 0) events.received([...news]);
}

function place(session: SessionContext, state: ConversationState, wire: WireMessage): void {
  show(session, state, state.timeline.take(wire));
  fillLater(session, state);
}

async function fetchRange(
  { connection }: SessionContext, { id }: ConversationState, range: { fromSequence: number; toSequence?: number },
): Promise<MessageRange> {
  return (await connection.requestWithRetry('getMessageList', { conversationID: id, ...range })) as MessageRange;
}

/** Fetches what is missing in front of a message that came early. */
async function fill(session: SessionContext, state: ConversationState): Promise<void> {
  if (state.isFilling) return;
  state.isFilling = true;
  try {
    for (let hole = state.timeline.hole; hole; hole = state.timeline.hole) {
      const range = await fetchRange(session, state, { fromSequence: hole.from, toSequence: hole.to });
      const upTo = range.isCompleted ? hole.to : range.nextSequence - 1;
      show(session, state, state.timeline.fill(range.messageList, upTo));
    }
  } catch (error) {
    if (session.lifecycle.phase === CLOSED) return;
    session.events.failed(error as ChatError);
    setTimeout(() => fillLater(session, state), RETRY_MS);
  } finally {
    state.isFilling = false;
  }
}

function fillLater(session: SessionContext, state: ConversationState): void {
  if (state.timeline.hole) setTimeout(() => { if (session.lifecycle.phase !== CLOSED) void fill(session, state); }, OVERTAKING_MS);
}

/** Messages whose turn has come. */
function show(session: SessionContext, state: ConversationState, ready: readonly WireMessage[]): void {
  if (ready.length === 0) return;
  const news: Message[] = [];
  for (const wire of ready) {
    // One of this client's that is on its way, or was given up and has arrived all the same.
    const composed = session.messagesByID.get(wire.clientID);
    const isOurs = state.ownSequences.delete(wire.sequence) || composed?.sequence === 0 && composed.to === wire.to;
    const message = session.toMessage(wire);
    state.add(message);
    if (!isOurs && wire.sequence > state.shownUpTo) news.push(message);
  }
  if (!session.lifecycle.isReady) {
    // What this user has written elsewhere is history at login, and news as soon as the app is let in.
    session.unannounced.push(...news.filter((message) => message.flow === 'in'));
    return;
  }
  if (state.unnamed) {
    state.unnamed.push(...news);
  } else if (!session.profiles.has(state.peer)) {
    state.unnamed = news;
    void announceNamed(session, [state]);
  } else {
    announce(session, news);
  }
  session.events.listChanged();
}
