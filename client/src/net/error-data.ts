/** The data of a refusal by the server. It is read here and nowhere else. */

import type { ChatError } from '../errors.js';
import type { ErrorData } from '../wire.js';

/** What the server says besides code and message, in the units of the client. */
export interface RefusalData {
  /** The newest number of a conversation, when the base of a message does not fit. */
  lastSequence: number | undefined;
  /** When there is room for the request again, in milliseconds from now. 0 if it does not say. */
  retryAfterMs: number;
}

export function errorDataOf({ data }: ChatError): RefusalData {
  const { lastSequence, retryAfterSeconds } = data as ErrorData;
  return { lastSequence, retryAfterMs: Number(retryAfterSeconds ?? 0) * 1_000 };
}
