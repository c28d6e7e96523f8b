/**
 * What there is of a session: everything that is known of its account, whom it asks and whom it tells. The parts of
 * `sync` work on it. Nothing in here does I/O.
 */

import { TYPES } from '../constants.js';
import type { ChatError } from '../errors.js';
import { conversationIDOf, groupIDOf, peerOf } from '../model/conversation-id.js';
import { fromWire } from '../model/message.js';
import { profileOf } from '../model/profile.js';
import type { Connection } from '../net/connection.js';
import type { Outbox } from '../net/outbox.js';
import type { Cancellation } from '../net/requests.js';
import type { Uploads } from '../net/upload.js';
import { namedIn } from '../model/payload.js';
import type { Conversation, Group, GroupTipPayload, Message, Profile } from '../types.js';
import type { Push, WireMessage } from '../wire.js';
import { ConversationState } from './conversation.js';
import type { SessionEvents } from './events.js';
import { ANNOUNCED, Lifecycle } from './lifecycle.js';
import type { Subscriptions } from './subscriptions.js';

/** So many messages are kept, those that came last. There may be a few more before the oldest ones are forgotten. */
const MAX_MESSAGES = 2_000;
const FORGOTTEN_TOGETHER = 100;

/** The tips that are about others than who has made them: somebody comes, is put out, becomes an admin or is none any more. */
const ABOUT_OTHERS = [1, 3, 4, 5];

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
  /** What has happened to this user in groups since the login. */
  readonly system = new ConversationState(TYPES.CONV_SYSTEM, 0);
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

  /** The server's time at the login behind which nothing is missing, in seconds; 0 before the first one. */
  since = 0;
  /** The same of the last one that was told the newest page instead of what had happened. */
  freshSince = 0;
  /** What the next page of older conversations is asked for with, if there is one: empty from the beginning of the list. */
  older: string | undefined = '';
  loadingOlder: Promise<void> | undefined;
  /** The conversations that the login under way had no room to name. */
  uncompared = new Set<string>();
  /** Those that are being looked up. */
  readonly wanted = new Set<string>();
  lookingUp: Promise<void> | undefined;
  /** What the comparison under way has asked. */
  asking: Cancellation = {};
  /** When that goes on, or the next one is due. */
  syncTimer: number | undefined;
  /** When groups are looked at once more. */
  groupTimer: number | undefined;
  /** When what is missing in conversations is fetched. */
  gapTimer: number | undefined;
  /** The first comparison, which the login waits for. */
  firstSync: { resolve: () => void; reject: (error: ChatError) => void } | undefined;

  /** `limit`: so many conversations are loaded without being asked for. */
  constructor(readonly userID: string, readonly events: SessionEvents, private readonly limit: number) {}

  /** Something may have happened since the server was last heard of. */
  abstract outdated(): void;

  /** Asks the server for some conversations. One that it does not know is not here afterwards either. */
  abstract lookUp(ids: readonly string[]): Promise<void>;

  /** Fetches what is missing in conversations, if it is still missing in a moment. */
  abstract fillLater(): void;

  /** Whether no more conversations are loaded without being asked for. */
  get isGrown(): boolean {
    return this.older === undefined || !(this.conversations.size < this.limit);
  }

  /** A conversation, looked up if it may be one that is not loaded. */
  async find(id: string): Promise<ConversationState | undefined> {
    await this.lookUpMissing([id]);
    return this.conversations.get(id);
  }

  /** Looks up those conversations that may be, and are not loaded. Of groups all are. */
  async lookUpMissing(ids: readonly string[]): Promise<void> {
    const missing = this.older === undefined ? [] : ids.filter((id) => peerOf(id) && !this.conversations.has(id));
    if (missing.length > 0) await this.lookUp(missing);
  }

  /** Nothing that is known of conversations counts any more. */
  forgetConversations(): void {
    this.conversations.clear();
    this.unannounced = [];
  }

  /** Tells messages that have come, unless the app is to be told later. */
  tellNews(): void {
    if (this.lifecycle.phase !== ANNOUNCED) return;
    const messages = this.unannounced;
    this.unannounced = [];
    if (messages.length > 0) this.events.received(messages);
  }

  /** The conversation with an ID, made when there is none. Everything in it up to `top` is known then. */
  conversation(id: string, top = 0): ConversationState {
    let state = this.conversations.get(id);
    if (!state) {
      state = new ConversationState(id, top);
      this.conversations.set(id, state);
    }
    return state;
  }

  /** The conversation that a message is in. Of one that is not known, what is before the message is history. */
  conversationOf(wire: WireMessage): ConversationState {
    return this.conversation(conversationIDOf(wire, this.userID), Math.max(0, wire.sequence - 1));
  }

  /** All that are known, the newest first. */
  private newestFirst(): ConversationState[] {
    const time = ({ newest }: ConversationState): number => newest?.time ?? 0;
    return [...this.conversations.values()].sort((a, b) => time(b) - time(a));
  }

  /** What is in the list: pinned ones first, and then the newest. */
  sorted(): ConversationState[] {
    return this.newestFirst().filter((state) => state.isListed).sort((a, b) => Number(b.isOnTop) - Number(a.isOnTop));
  }

  /** The list as the app gets it. */
  list(): Conversation[] {
    const states = this.system.newest ? [...this.sorted(), this.system] : this.sorted();
    return states.map((state) => state.snapshot({ ...this.profile(state.peer) }));
  }

  /** The groups that this user is in, the newest first, as the app gets them. */
  groups(): Group[] {
    return this.newestFirst().map((state) => state.shownGroup).filter((group): group is Group => group !== undefined);
  }

  /** Whether it is one of a group that this user is not in, or not any more. */
  isLeft(id: string): boolean {
    return groupIDOf(id) !== undefined && !this.conversations.has(id);
  }

  /** Nothing of a group is left. */
  leaveGroup(id: string): void {
    if (this.conversations.delete(id)) this.events.groupsChanged();
  }

  /** The profile of a user, as far as it is known. */
  profile(userID: string): Profile {
    return this.profiles.get(userID) ?? profileOf({ userID });
  }

  isRead(message: Message): boolean {
    const state = this.conversations.get(message.conversationID);
    return message.flow === 'in' && state !== undefined && message.sequence <= state.done;
  }

  /** Whether it is one that was composed here, of which it is not known yet that it has arrived. */
  isComposed({ clientID, to }: WireMessage): boolean {
    const composed = this.messagesByID.get(clientID);
    return composed?.sequence === 0 && composed.status !== 'success' && composed.to === to;
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
      this.update(known, fresh);
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

  /** What the app has of a message may be from before the answer. A recall is told apart: see `revoke` of the inbox. */
  update(message: Message, { sequence, time, type, payload, cloudCustomData, isModified }: Message): void {
    Object.assign(message, { sequence, time, status: 'success' });
    if (!isModified || message.isModified || message.isRevoked) return;
    Object.assign(message, { type, payload, cloudCustomData, isModified });
    this.events.modified([message]);
  }

  /** Whether a message is on its way, or its file is. */
  isSending(id: string): boolean {
    return this.outbox.has(id) || this.uploads.has(id);
  }

  /** A message with the names of its sender, of who has recalled it, and of those whom a tip is about. Who has come or gone is the one of it. */
  withSender(message: Message): Message {
    const { from, conversationID } = message;
    const tip = message.payload as GroupTipPayload;
    const [first] = namedIn(message);
    if (first) for (const member of tip.memberList) Object.assign(member, this.namesOf(member.userID));
    if (message.revoker) Object.assign(message.revokerInfo, this.namesOf(message.revoker));
    const nameCard = this.conversations.get(conversationID)?.cards.get(from) ?? message.nameCard;
    return Object.assign(message, { nameCard }, this.namesOf(first && ABOUT_OTHERS.includes(tip.operationType) ? first : from));
  }

  private namesOf(userID: string): { nick: string; avatar: string } {
    const { nick, avatar } = this.profile(userID);
    return { nick, avatar };
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
      if (this.isSending(each.ID) || state?.newest === each) continue;
      this.messagesByID.delete(each.ID);
      if (state?.messagesBySequence.get(each.sequence) === each) state.messagesBySequence.delete(each.sequence);
    }
    this.outbox.forget(MAX_MESSAGES);
  }
}
