/** The text of a frame, copies of what goes into one, and what is an object. */

import { PARAM_INVALID } from './codes.js';
import { ChatError } from './errors.js';

/**
 * JSON that every server can read. Half of a pair, which is what is left of an emoji that was cut in two, becomes
 * U+FFFD, as it does in every socket: no text that a user types keeps a message from being sent.
 */
export function toJSON(value: object): string {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new ChatError(PARAM_INVALID, `this cannot be written as JSON: ${String(error)}`);
  }
  // As an escape or as it is, by the age of the engine. What an escaped backslash is followed by is no escape.
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]|\\(?:ud[89a-f]..|.)/gi,
    (found) => (found.length === 1 || found.length === 6 ? '\ufffd' : found));
}

/** A copy that shares nothing with it, as the other side will read it. */
export function plain<T extends object>(value: T): T {
  return JSON.parse(toJSON(value)) as T;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
