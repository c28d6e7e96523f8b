/**
 * Makes what is known here equal to what the server knows: with each login of a socket, whenever something may have
 * been missed, and again as long as it fails. Where it stands is in `lifecycle.ts`.
 */

import type { ChatError } from '../errors.js';
import type { Actions, LoginReply } from '../wire.js';
import type { SessionContext } from './context.js';
import { MAX_RANGES, fillGaps } from './gaps.js';
import { STARTING } from './lifecycle.js';
import { CHANGES, NEWEST, changeable, loadOlder, loginData, lookUp, mergePage } from './list.js';
import { cacheProfile, loadProfiles } from './profiles.js';
import { flushPushes } from './pushes.js';
import { reportRead } from './read-marks.js';

/** How far apart pages are that nobody waits for. A list may be a second old as well. */
const PAGE_INTERVAL_MS = 1_000;
/** When groups are looked at once more after a login. */
const GROUPS_AFTER_MS = 5_000;

/** The conversations of the groups that this user is in. */
const groupsOf = (session: SessionContext): string[] => [...session.conversations.values()].filter(({ group }) => group).map(({ id }) => id);

/** Runs a comparison, unless a newer one takes its place. `reply` is that of a login, if there is one already. */
export async function synchronise(session: SessionContext, generation: number, reply?: LoginReply): Promise<void> {
  const { lifecycle, events } = session;
  clearTimeout(session.syncTimer);
  // What an earlier run has asked is of no use any more.
  session.asking.isCancelled = true;
  session.asking.forget?.();
  session.asking = {};
  try {
    const groups = new Set(groupsOf(session));
    await compare(session, generation, groups, reply ?? await ask(session, 'login', loginData(session)));
    await grow(session, generation);
  } catch (error) {
    if (!lifecycle.isCurrent(generation)) return;
    const delay = lifecycle.failed();
    flushPushes(session);
    // A login that fails is not tried again: it is for the app to say so.
    if (lifecycle.phase === STARTING) return session.firstSync?.reject(error as ChatError);
    events.failed(error as ChatError);
    session.syncTimer = setTimeout(() => session.outdated(), delay);
  }
}

/** Takes over what a login says, and asks for the rest. What it does not say of the groups `gone` this user has left. */
async function compare(session: SessionContext, generation: number, gone: Set<string>, reply: LoginReply): Promise<void> {
  const { lifecycle, since } = session;
  if (!lifecycle.isCurrent(generation)) return;
  let page = reply.conversationPage;
  let kind: typeof NEWEST | typeof CHANGES = since > 0 ? CHANGES : NEWEST;
  if (!page) {
    // It was more than the login may read.
    kind = NEWEST;
    session.uncompared = new Set(since > 0 ? changeable(session) : []);
    page = await ask(session, 'getConversationList', {});
    if (!lifecycle.isCurrent(generation)) return;
  }
  if (reply.profile) cacheProfile(session, reply.profile);
  else if (!session.profiles.has(session.userID)) void loadProfiles(session, [session.userID]);
  // What was kept from another time is too old to be compared.
  if (since === 0) session.forgetConversations();
  mergePage(session, page, kind);
  for (;;) {
    for (const { conversationID } of page.conversationList) gone.delete(conversationID);
    if (!page.groupsGoOn) break;
    page = await ask(session, 'getConversationList', { nextReqConversationID: page.nextReqConversationID });
    if (!lifecycle.isCurrent(generation)) return;
    mergePage(session, page, NEWEST);
  }
  for (const id of gone) session.leaveGroup(id);
  for (const state of session.conversations.values()) reportRead(session, state);
  lifecycle.listed();
  flushPushes(session);
  session.firstSync?.resolve();
  if (since === 0) session.older = page.isCompleted ? undefined : page.nextReqConversationID;
  while (since > 0 && !page.isCompleted && page.completeFrom > since) {
    void fillGaps(session, MAX_RANGES);
    await pause(session);
    page = await ask(session, 'getConversationList', { nextReqConversationID: page.nextReqConversationID });
    if (!lifecycle.isCurrent(generation)) return;
    mergePage(session, page, NEWEST);
  }
  if (session.uncompared.size > 0) await lookUp(session, [...session.uncompared]);
  if (!lifecycle.isCurrent(generation)) return;
  session.since = reply.serverTime;
  if (since === 0) session.freshSince = session.since;
  lifecycle.compared();
  // What was sent to a group while this connection was made may be in neither list nor push.
  clearTimeout(session.groupTimer);
  session.groupTimer = setTimeout(() => { session.lookUp(groupsOf(session)).catch(() => {}); }, GROUPS_AFTER_MS);
  void fillGaps(session);
}

/** Loads older conversations, as many as are wanted, where nobody else waits for an answer. */
async function grow(session: SessionContext, generation: number): Promise<void> {
  const { lifecycle, connection } = session;
  while (lifecycle.isCurrent(generation) && !session.isGrown) {
    await pause(session);
    if (connection.isWaiting || !lifecycle.isCurrent(generation)) continue;
    await loadOlder(session);
    void fillGaps(session, MAX_RANGES);
  }
  if (!lifecycle.isCurrent(generation)) return;
  lifecycle.grown();
  void fillGaps(session);
}

function ask<A extends 'login' | 'getConversationList'>(
  session: SessionContext, action: A, data: Actions[A]['data'],
): Promise<Actions[A]['reply']> {
  return session.connection.requestWithRetry(action, data, undefined, session.asking);
}

/** Another run ends it, and nothing comes of this one then. */
function pause(session: SessionContext): Promise<void> {
  return new Promise((resolve) => { session.syncTimer = setTimeout(resolve, PAGE_INTERVAL_MS); });
}
