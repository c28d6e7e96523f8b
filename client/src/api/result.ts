/** What a promise of the client resolves to, and what it rejects with. */

import { ChatError } from '../errors.js';
import type { Result } from '../types.js';

export function ok<T>(data: T): Result<T> {
  return { code: 0, data };
}

/** An error with more data. */
export function failure({ code, message, data }: ChatError, more: object): ChatError {
  return new ChatError(code, message, { ...data, ...more });
}
