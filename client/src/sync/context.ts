/**
 * What there is of a session: everything that is known of its account, whom it asks and whom it tells. The parts of
 * `sync` work on it. Nothing in here does I/O.
 */

import type { ChatError } from '../errors.js';
import { conversationIDOf } from '../model/conversation-id.js';
import { fromWire } from '../model/message.js';
import { profileOf } from '../model/profile.js';
import type { Connection } from '../net/connection.js';
import type { Outbox } from '../net/outbox.js';
import type { Uploads } from '../net/upload.js';
import type { Conversation, Message, Profile } from '../types.js';
import type { Push, WireMessage } from '../wire.js';
import { ConversationState } from './conversation.js';
import type { SessionEvents } from './events.js';
import { Lifecycle } from './lifecycle.js';
import type { Subscriptions } from './subscriptions.js';

/** So many messages are kept, those that came last. There may be a few more before the oldest ones are forgotten. */
const MAX_MESSAGES = 2_000;
const FORGOTTEN_TOGETHER = 100;

export abstract class SessionContext {
  abstract readonly connection: Connection;
  abstract readonly outbox: Outbox;
  abstract readonly uploads: Uploads;
  abstract readonly subscriptions: Subscriptions;

  readonly lifecycle = new Lifecycle();
  readonly conversations = new Map<string, ConversationState>();
  readonly profiles = new Map<string, Profile>();
  /** Every message of this session, by its ID. */
  readonly messagesByID = new Map<string, Message>();
  /** Whom this user has blocked, as far as the server has said so. */
  blacklist: string[] = [];

  /** Pushes that came before the list did. */
  bufferedPushes: Push[] = [];
  /** Messages that are announced once the app knows that the session is ready. */
  unannounced: Message[] = [];
  /** Of the conversations that were marked as read a moment ago. */
  readonly markTimers = new Map<string, number>();
  /** For how long a message can be recalled. */
  recallMs = 0;
  /** When the next comparison with the server is due. */
  syncTimer: number | undefined;
  /** The first of them, which the login waits for. */
  firstSync: { resolve: () => void; reject: (error: ChatError) => void } | undefined;

  constructor(readonly userID: string, readonly events: SessionEvents) {}

  /** Something may have happened since the server was last heard of. */
  abstract outdated(): void;

  /** The conversation with an ID, made when there is none. Everything in it up to `top` is known then. */
  conversation(id: string, top = 0): ConversationState {
    let state = this.conversations.get(id);
    if (!state) {
      state = new ConversationState(id, top);
      this.conversations.set(id, state);
    }
    return state;
  }

  /** The conversation that a message is in. One that was not in the list is new, and so is whatever it holds. */
  conversationOf(wire: WireMessage): ConversationState {
    return this.conversation(conversationIDOf(wire, this.userID));
  }

  /** The list as the app gets it: pinned ones first, and then the newest. */
  list(): Conversation[] {
    return [...this.conversations.values()]
      .filter((state) => state.isListed)
      .map((state) => state.snapshot({ ...this.profile(state.peer) }))
      .sort((a, b) => Number(b.isPinned) - Number(a.isPinned) || b.lastMessage.lastTime - a.lastMessage.lastTime);
  }

  /** The profile of a user, as far as it is known. */
  profile(userID: string): Profile {
    return this.profiles.get(userID) ?? profileOf({ userID });
  }

  isRead(message: Message): boolean {
    const state = this.conversations.get(message.conversationID);
    return message.flow === 'in' && state !== undefined && message.sequence <= state.done;
  }

  /** A message of the wire as the app knows it: the same object, if it has it already. */
  toMessage(wire: WireMessage): Message {
    const fresh = fromWire(wire, this.userID);
    let known = this.messagesByID.get(fresh.ID);
    const isOther = known && (known.from !== wire.from || known.to !== wire.to
      || known.sequence > 0 && known.sequence !== wire.sequence);
    if (isOther) {
      // Somebody has given a message the ID of another one. It must not pass for that one.
      fresh.ID += `-${wire.sequence}`;
      known = this.messagesByID.get(fresh.ID);
    }
    const message = known ?? fresh;
    if (known) {
      // What the app has may be from before the answer. A recall is told apart: see `revoke` of the inbox.
      Object.assign(known, { sequence: fresh.sequence, time: fresh.time, status: 'success' });
    } else {
      this.keep(this.withSender(message));
    }
    const state = this.conversations.get(message.conversationID);
    if (state) {
      if (message.flow === 'in') message.isRead = message.sequence <= state.read;
      else message.isPeerRead = message.readReceiptInfo.isPeerRead = message.sequence <= state.peerRead;
    }
    return message;
  }

  /** Whether a message is on its way, or its file is. */
  isSending(id: string): boolean {
    return this.outbox.has(id) || this.uploads.has(id);
  }

  /** A message with the name of its sender. */
  withSender(message: Message): Message {
    const { nick, avatar } = this.profile(message.from);
    return Object.assign(message, { nick, avatar });
  }

  /** Knows a message by its ID, and forgets the oldest ones when there are too many. */
  keep(message: Message): void {
    this.messagesByID.set(message.ID, message);
    if (this.messagesByID.size < MAX_MESSAGES + FORGOTTEN_TOGETHER) return;
    let excess = this.messagesByID.size - MAX_MESSAGES;
    for (const each of this.messagesByID.values()) {
      if (excess-- <= 0) break;
      const state = this.conversations.get(each.conversationID);
      // One that is on its way is needed, and so is what a list shows.
      if (this.isSending(each.ID) || state?.lastMessage === each) continue;
      this.messagesByID.delete(each.ID);
      if (state?.messagesBySequence.get(each.sequence) === each) state.messagesBySequence.delete(each.sequence);
    }
    this.outbox.forget(MAX_MESSAGES);
  }
}
