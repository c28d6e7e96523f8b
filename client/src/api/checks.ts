/** Checks of what a method was given. Most callers are JavaScript, so nothing is taken for granted. */

import { CONVERSATION_INVALID_ID, PARAM_INVALID } from '../codes.js';
import { ChatError } from '../errors.js';
import { peerOf } from '../model/conversation-id.js';
import { isMessage } from '../model/message.js';
import type { Message, UserList } from '../types.js';

export function requireObject<T extends object>(options: T, method: string): T {
  if (typeof options === 'object' && options !== null) return options;
  throw new ChatError(PARAM_INVALID, `${method}: the argument must be an object, see docs/client.md`);
}

export function requireUserIDs(options: UserList, method: string): string[] {
  const list = options?.userIDList;
  if (Array.isArray(list) && list.length > 0 && list.every((userID) => typeof userID === 'string' && userID)) return list;
  throw new ChatError(PARAM_INVALID, `${method}: userIDList must be a list of user IDs`);
}

/** The other user of a conversation. */
export function requirePeer(conversationID: string, method: string): string {
  const peer = peerOf(conversationID);
  if (peer) return peer;
  throw new ChatError(CONVERSATION_INVALID_ID,
    `${method}: conversationID must be C2C followed by the other user's ID; groups are not served yet`);
}

/** The number of a message. `code` is for one that has none. */
export function requireSequence(message: Message, method: string, code: number): number {
  if (isMessage(message) && message.sequence > 0) return message.sequence;
  throw new ChatError(code, `${method}: this is no message that was sent`);
}
