/** What is missing in conversations, fetched for many of them at once. */

import { SERVER_FAILED } from '../codes.js';
import { ChatError } from '../errors.js';
import type { MessageRanges } from '../wire.js';
import type { SessionContext } from './context.js';
import { revoke, show } from './inbox.js';
import { CLOSED } from './lifecycle.js';

/** Of so many conversations one request may ask. */
export const MAX_RANGES = 100;
/** Pushes overtake one another; what is missing is often on its way. */
const OVERTAKING_MS = 300;
/** How long before what could not be fetched is fetched again. */
const RETRY_MS = 5_000;

/** Fetches what is missing, and what may have been recalled, as long as that concerns so many conversations. */
export async function fillGaps(session: SessionContext, atLeast = 1): Promise<void> {
  const { lifecycle, connection, events } = session;
  for (;;) {
    const states = [...session.conversations.values()].filter((state) => !state.isFilling && state.gap).slice(0, MAX_RANGES);
    if (states.length < atLeast) return;
    const ranges = states.map((state) => {
      const { from = 0, to = 0 } = state.gap ?? {};
      state.isFilling = true;
      return { conversationID: state.id, fromSequence: from, toSequence: to };
    });
    try {
      const { rangeList } = (await connection.requestWithRetry('getMessageList', { ranges })) as MessageRanges;
      for (const [at, state] of states.entries()) {
        const { messageList, isCompleted, nextSequence } = rangeList[at]!;
        const next = isCompleted ? ranges[at]!.toSequence + 1 : nextSequence;
        revoke(session, state, messageList);
        state.rechecked(next);
        show(session, state, state.timeline.fill(messageList, next - 1));
      }
      if (!rangeList.some((range) => range.isCompleted || range.messageList[0])) throw new ChatError(SERVER_FAILED, 'getMessageList: nothing came');
    } catch (error) {
      if (lifecycle.phase === CLOSED) return;
      events.failed(error as ChatError);
      return fillLater(session, RETRY_MS);
    } finally {
      for (const state of states) state.isFilling = false;
    }
  }
}

/** Fetches what is missing, if it is then still. */
export function fillLater(session: SessionContext, after = OVERTAKING_MS): void {
  session.gapTimer ??= setTimeout(() => {
    session.gapTimer = undefined;
    void fillGaps(session);
  }, after);
}
