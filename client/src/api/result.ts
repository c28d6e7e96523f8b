/** What a promise of the client resolves to, and what it rejects with. */

import { ChatError } from '../errors.js';
import type { Result } from '../types.js';

export function ok<T>(data: T): Result<T> {
  return { code: 0, data };
}

/** An error under the name of the method that has failed. `more` is added to its data. */
export function failure(method: string, { code, message, data }: ChatError, more: object = {}): ChatError {
  return new ChatError(code, `${method}: ${message}`, { ...data, ...more });
}
