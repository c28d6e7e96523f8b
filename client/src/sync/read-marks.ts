/** How far this user has read, and that the server knows. */

import type { SessionContext } from './context.js';
import type { ConversationState } from './conversation.js';

/** The mark of one conversation is reported this often at the most. */
const INTERVAL_MS = 500;

/** Everything in a conversation is read. */
export function markRead(session: SessionContext, state: ConversationState): void {
  if (state.unread === 0 && state.mentions.length === 0) return;
  state.markRead(state.last);
  session.events.listChanged();
  const { markTimers } = session;
  if (markTimers.has(state.id)) return;
  reportRead(session, state);
  markTimers.set(state.id, setTimeout(() => {
    markTimers.delete(state.id);
    reportRead(session, state);
  }, INTERVAL_MS));
}

/** Reports a mark that the server has not been told. */
export function reportRead({ connection }: SessionContext, state: ConversationState): void {
  if (state.read <= state.reportedRead) return;
  // Without an answer: should it get lost, the next comparison shows so, and it is said again.
  if (!connection.notify('setMessageRead', { conversationID: state.id, sequence: state.read })) return;
  state.reportedRead = state.read;
  state.reportedAt = connection.clock.now();
}

/** Reports at once what waits for its turn. */
export function flushReadMarks(session: SessionContext): void {
  for (const state of session.conversations.values()) if (session.markTimers.has(state.id)) reportRead(session, state);
}
