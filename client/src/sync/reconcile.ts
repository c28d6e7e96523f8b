/**
 * Makes what is known here equal to what the server knows: after each login of a socket, whenever something may have
 * been missed, and again as long as it fails. Where it stands is in `lifecycle.ts`.
 */

import type { ChatError } from '../errors.js';
import { forEachConcurrently } from '../lists.js';
import type { WireConversation } from '../wire.js';
import type { SessionContext } from './context.js';
import { ConversationState } from './conversation.js';
import { announceNamed, catchUp, clearConversation, revoke } from './inbox.js';
import { STARTING, WAITING } from './lifecycle.js';
import { loadProfiles } from './profiles.js';
import { flushPushes } from './pushes.js';
import { reportRead } from './read-marks.js';

/** Runs a comparison, unless a newer one takes its place, and sees to the next one. */
export async function synchronise(session: SessionContext, generation: number): Promise<void> {
  const { lifecycle, events } = session;
  clearTimeout(session.syncTimer);
  try {
    const isWhole = await reconcile(session, generation);
    if (!lifecycle.isCurrent(generation)) return;
    lifecycle.completed(isWhole);
    events.listChanged();
    session.firstSync?.resolve();
  } catch (error) {
    if (!lifecycle.isCurrent(generation)) return;
    lifecycle.failed();
    flushPushes(session);
    // A login that fails is not tried again: it is for the app to say so.
    if (lifecycle.phase === STARTING) return session.firstSync?.reject(error as ChatError);
    events.failed(error as ChatError);
  }
  if (lifecycle.step !== WAITING) return;
  const contact = session.connection.lastContact;
  session.syncTimer = setTimeout(() => void synchronise(session, lifecycle.outdated(contact)), lifecycle.delay);
}

/** Takes over the list and fetches what is behind. Says whether all of it came. */
async function reconcile(session: SessionContext, generation: number): Promise<boolean> {
  const { lifecycle } = session;
  const list = await wholeList(session);
  if (!lifecycle.isCurrent(generation)) return false;
  // What was sent shortly before contact was lost may have been recalled since.
  const recallableFrom = lifecycle.contact - session.recallMs;
  const behind: [ConversationState, number, number][] = [];
  for (const wire of list) {
    const state = mergeConversation(session, wire);
    const from = firstMissing(state, recallableFrom);
    if (from <= wire.lastSequence) behind.push([state, from, wire.lastSequence]);
  }
  lifecycle.listed();
  flushPushes(session);
  const isFirst = lifecycle.phase === STARTING;
  // A peer who has written meanwhile may have another name since.
  if (!isFirst) void announceNamed(session, behind.filter(([state, , to]) => to > state.timeline.top).map(([state]) => state));
  let isWhole = true;
  await Promise.all([
    forEachConcurrently(behind, ([state, from, to]) => catchUp(session, state, from, to).catch(() => { isWhole = false; })),
    isFirst && firstProfiles(session),
  ]);
  for (const wire of list) session.conversations.get(wire.conversationID)?.correctUnread(wire);
  return isWhole;
}

async function wholeList({ connection }: SessionContext): Promise<WireConversation[]> {
  const list: WireConversation[] = [];
  for (let next = ''; ;) {
    const page = await connection.requestWithRetry('getConversationList', next ? { nextReqConversationID: next } : {});
    list.push(...page.conversationList);
    if (page.isCompleted) return list;
    next = page.nextReqConversationID;
  }
}

/** A list without names is better than none. They may still come. */
function firstProfiles(session: SessionContext): Promise<void> {
  const peers = [...session.conversations.values()].map(({ peer }) => peer);
  return loadProfiles(session, [session.userID, ...peers], () => session.events.listChanged());
}

/** Takes over what the list says of a conversation. */
function mergeConversation(session: SessionContext, wire: WireConversation): ConversationState {
  let state = session.conversations.get(wire.conversationID);
  if (!state) {
    state = ConversationState.of(wire);
    session.conversations.set(wire.conversationID, state);
  }
  state.isPinned = wire.isPinned;
  if (wire.clearedSequence > state.cleared) clearConversation(session, state, wire.clearedSequence);
  if ((wire.unlistedSequence ?? 0) > state.unlisted) state.unlist(wire.unlistedSequence ?? 0);
  if (wire.readSequence > state.read) state.markRead(wire.readSequence);
  state.reportedRead = wire.readSequence;
  // A mark that got lost on its way.
  reportRead(session, state);
  const news = state.readByPeer(wire.peerReadSequence, wire.peerReadTime);
  if (news.length > 0 && session.lifecycle.isReady) session.events.readByPeer(news);
  if (wire.lastSequence >= state.timeline.top) {
    state.lastMessage = wire.lastMessage && session.toMessage(wire.lastMessage);
    if (wire.lastMessage) revoke(session, state, [wire.lastMessage]);
  }
  return state;
}

/** From which number on messages have to be fetched: what is not here, and what may have been recalled. */
function firstMissing(state: ConversationState, recallableFrom: number): number {
  const recallable = [...state.messagesBySequence.values()].filter((message) => message.time * 1000 >= recallableFrom && !message.isRevoked);
  return Math.min(state.timeline.top + 1, ...recallable.map((message) => message.sequence));
}
