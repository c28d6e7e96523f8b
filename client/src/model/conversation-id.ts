/** What a conversation is called: the one place that makes its ID, and that reads it. */

import type { ConversationType } from '../types.js';
import type { WireMessage } from '../wire.js';

/** The ID of the conversation with a user, or of a group. */
export function conversationIDFor(type: ConversationType, target: string): string {
  return `${type}${target}`;
}

/** The ID of the conversation that a message of the wire is in, as the user `me` sees it. */
export function conversationIDOf({ from, to, conversationType }: Pick<WireMessage, 'from' | 'to' | 'conversationType'>, me: string): string {
  return conversationIDFor(conversationType, from === me || conversationType === 'GROUP' ? to : from);
}

/** The other user of a conversation, or nothing if this is not the ID of a conversation of two. */
export function peerOf(conversationID: unknown): string | undefined {
  return after('C2C', conversationID);
}

/** The group of a conversation, or nothing if it is not one of a group. */
export function groupIDOf(conversationID: unknown): string | undefined {
  return after('GROUP', conversationID);
}

function after(type: ConversationType, conversationID: unknown): string | undefined {
  return typeof conversationID === 'string' && conversationID.startsWith(type) && conversationID.slice(type.length) || undefined;
}
