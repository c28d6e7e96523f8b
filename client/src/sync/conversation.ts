/** What is known of one conversation. No I/O: the rest of `sync` feeds it. */

import { peerOf } from '../model/conversation-id.js';
import { lastMessageOf } from '../model/message.js';
import type { Conversation, Message, Profile } from '../types.js';
import type { WireConversation, WireMessage } from '../wire.js';
import { Timeline } from './timeline.js';

/** Of more unread messages than this the numbers are not kept, only how many there are. */
const UNREAD_BY_NUMBER = 2_000;
/** So many unread messages of a conversation are announced after a login; older ones are history. */
const UNREAD_AT_LOGIN = 500;

export class ConversationState {
  /** The other user. */
  readonly peer: string;
  readonly timeline: Timeline<WireMessage>;
  /** The messages that this client has seen, by number. */
  readonly messagesBySequence = new Map<number, Message>();
  /** The numbers of this client's own messages, which nobody has to announce. */
  readonly ownSequences = new Set<number>();
  /** Everything up to here is in a page of history that is shown, or before it. */
  shownUpTo = 0;
  lastMessage: Message | undefined;
  /** How far this user has read, here or on another device. */
  read = 0;
  /** How far the server has been told so. */
  reportedRead = 0;
  peerRead = 0;
  peerReadTime = 0;
  cleared = 0;
  /** Up to here it is out of the list, with its history kept. */
  unlisted = 0;
  isPinned = false;
  /** Its hole is being filled. */
  isFilling = false;
  /** Messages that are announced as soon as it is known what their sender is called. */
  unnamed: Message[] | undefined;

  /** The numbers of unread messages that this client has seen. */
  private unread: number[] = [];
  /** How many there are besides. */
  private unreadBefore = 0;

  /** Everything up to `top` is known. */
  constructor(readonly id: string, top: number) {
    this.peer = peerOf(id) ?? '';
    this.timeline = new Timeline(top);
  }

  /** The state of a conversation that this client has not seen before. What is unread is still to come. */
  static of(wire: WireConversation): ConversationState {
    const farthest = Math.max(wire.readSequence, wire.clearedSequence, wire.unlistedSequence ?? 0, wire.lastSequence - UNREAD_AT_LOGIN);
    const top = wire.unreadCount > 0 ? Math.min(farthest, wire.lastSequence) : wire.lastSequence;
    return new ConversationState(wire.conversationID, top);
  }

  get unreadCount(): number {
    return this.unread.length + this.unreadBefore;
  }

  /** Up to here nothing is unread. */
  get done(): number {
    return Math.max(this.read, this.cleared, this.unlisted);
  }

  /** Whether it is in the list: not when it was deleted, or never had a message. */
  get isListed(): boolean {
    return this.timeline.top > Math.max(this.cleared, this.unlisted) || (this.lastMessage?.sequence ?? 0) > this.unlisted;
  }

  /** Another message of it. */
  add(message: Message): void {
    this.messagesBySequence.set(message.sequence, message);
    const { excludedFromLastMessage, excludedFromUnreadCount } = message.messageControlInfo;
    if (!excludedFromLastMessage && message.sequence > (this.lastMessage?.sequence ?? this.cleared)) this.lastMessage = message;
    if (message.flow === 'out' || excludedFromUnreadCount || message.sequence <= this.done) return;
    this.unread.push(message.sequence);
    if (this.unread.length > UNREAD_BY_NUMBER) {
      this.unread.shift();
      this.unreadBefore += 1;
    }
  }

  /** Everything up to a number is read. Returns whether that is news. */
  markRead(upTo: number): boolean {
    const before = this.unreadCount;
    this.read = Math.max(this.read, upTo);
    this.unread = this.unread.filter((sequence) => sequence > this.read);
    this.unreadBefore = 0;
    return this.unreadCount !== before;
  }

  /** Everything up to a number is gone for this user. */
  clear(upTo: number): void {
    this.cleared = Math.max(this.cleared, upTo);
    for (const sequence of this.messagesBySequence.keys()) if (sequence <= upTo) this.messagesBySequence.delete(sequence);
    if (this.lastMessage && this.lastMessage.sequence <= upTo) this.lastMessage = undefined;
    this.forgetUnread();
  }

  /** Everything up to a number is out of the list. */
  unlist(upTo: number): void {
    this.unlisted = Math.max(this.unlisted, upTo);
    this.forgetUnread();
  }

  private forgetUnread(): void {
    this.unread = this.unread.filter((sequence) => sequence > this.done);
    this.unreadBefore = 0;
  }

  /** Should it be unread, it goes on counting, as it does on the server, until everything is read. */
  remove(message: Message): void {
    this.messagesBySequence.delete(message.sequence);
  }

  /** Another device has read up to a number, and so many are left. */
  readElsewhere(upTo: number, left: number): void {
    this.reportedRead = Math.max(this.reportedRead, upTo);
    this.markRead(upTo);
    this.unreadBefore = Math.max(0, left - this.unread.length);
  }

  /** The server's count. It stands wherever it speaks of the same messages as this client. */
  correctUnread(wire: WireConversation): void {
    if (wire.readSequence !== this.read || wire.lastSequence !== this.timeline.top) return;
    this.unread = this.unread.slice(Math.max(0, this.unread.length - wire.unreadCount));
    this.unreadBefore = wire.unreadCount - this.unread.length;
  }

  /** The peer has read up to a number. Returns the messages for which that is news. */
  readByPeer(upTo: number, time: number): Message[] {
    if (upTo <= this.peerRead) return [];
    this.peerRead = upTo;
    this.peerReadTime = Math.max(this.peerReadTime, time);
    const news = [...this.messagesBySequence.values()]
      .filter((message) => message.flow === 'out' && !message.isPeerRead && message.sequence <= upTo)
      .sort((a, b) => a.sequence - b.sequence);
    for (const message of news) {
      message.isPeerRead = true;
      message.readReceiptInfo.isPeerRead = true;
    }
    return news;
  }

  /** What the app gets: a picture of the moment, which it may do with as it likes. */
  snapshot(userProfile: Profile): Conversation {
    return {
      conversationID: this.id,
      type: 'C2C',
      subType: '',
      toAccount: this.peer,
      unreadCount: this.unreadCount,
      lastMessage: lastMessageOf(this.lastMessage),
      groupProfile: {},
      userProfile,
      groupAtInfoList: [],
      remark: '',
      isPinned: this.isPinned,
      messageRemindType: 'AcceptAndNotify',
      markList: [],
      customData: '',
      conversationGroupList: [],
      peerReadTime: this.peerReadTime,
      draftText: '',
    };
  }
}
