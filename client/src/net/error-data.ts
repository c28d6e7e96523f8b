/** The data of a refusal. It is read here and nowhere else, under the names of the wire. */

import type { ChatError } from '../errors.js';

/** What the server may say besides code and message. */
export interface ErrorData {
  /** The newest number of a conversation, when the base of a message does not fit. */
  lastSequence: number | undefined;
  /** When there is room for the request again, in milliseconds from now. 0 if it does not say. */
  retryAfterMs: number;
}

export function errorDataOf({ data }: ChatError): ErrorData {
  const { 'lastSequence': lastSequence, 'retryAfterSeconds': seconds } = data as Record<string, number | undefined>;
  return { lastSequence, retryAfterMs: Number(seconds ?? 0) * 1_000 };
}
