/** What a promise of the client resolves to, and what it rejects with. */

import { APP_CODES } from '../codes.js';
import { ChatError } from '../errors.js';
import type { Result } from '../types.js';

export function ok<T>(data: T): Result<T> {
  return { code: 0, data };
}

/** An error under the name of the method that has failed, unless it is one of the app's own. `more` is added to its data. */
export function failure(method: string, { code, message, data }: ChatError, more: object = {}): ChatError {
  return new ChatError(code, code > APP_CODES ? message : `${method}: ${message}`, { ...data, ...more });
}
