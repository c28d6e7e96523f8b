/** Checks of what a method was given. Most callers are JavaScript, so nothing is taken for granted. */

import { CONVERSATION_INVALID_ID, PARAM_INVALID } from '../codes.js';
import { ChatError } from '../errors.js';
import { isObject } from '../json.js';
import { groupIDOf, peerOf } from '../model/conversation-id.js';
import { isMessage } from '../model/message.js';
import type { Message, UserList } from '../types.js';

export function requireObject<T extends object>(options: T): T {
  if (isObject(options)) return options;
  throw new ChatError(PARAM_INVALID, `the argument must be an object, see docs/client.md`);
}

export function requireUserIDs(options: UserList): string[] {
  const list = options?.userIDList;
  if (Array.isArray(list) && list.length > 0 && list.every((userID) => typeof userID === 'string' && userID)) return list;
  throw new ChatError(PARAM_INVALID, `userIDList must be a list of user IDs`);
}

/** Of two users, or of a group. */
export function requireConversation(conversationID: string): void {
  if (peerOf(conversationID) || groupIDOf(conversationID)) return;
  throw new ChatError(CONVERSATION_INVALID_ID,
    `conversationID must be C2C followed by the other user's ID, or GROUP followed by the group's`);
}

/** The number of a message. `code` is for one that has none. */
export function requireSequence(message: Message, code: number): number {
  if (isMessage(message) && message.sequence > 0) return message.sequence;
  throw new ChatError(code, `this is no message that was sent`);
}
