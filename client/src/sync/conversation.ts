/** What is known of one conversation. No I/O: the rest of `sync` feeds it. */

import { groupIDOf, peerOf } from '../model/conversation-id.js';
import { copyOf, takeMessage, type KnownGroup } from '../model/group.js';
import { lastMessageOf, toWire } from '../model/message.js';
import { TYPES } from '../constants.js';
import type { Conversation, Group, GroupAtInfo, Message, Profile } from '../types.js';
import type { WireConversation, WireGroup, WireMessage } from '../wire.js';
import { Timeline } from './timeline.js';

/** So many messages of a conversation are fetched after a login or a lost network; older ones are history. */
export const MAX_MISSED = 500;

export class ConversationState {
  /** The other user; empty of a group. */
  readonly peer: string;
  /** The group, when it is one that this user is in. */
  group: KnownGroup | undefined;
  /** What members are called in it, as far as that is known. */
  readonly cards = new Map<string, string>();
  /** Where pages of members end, as the server calls it. */
  readonly memberPages = new Map<string, string>();
  /** The unread messages that concern this user by name. */
  mentions: GroupAtInfo[] = [];
  readonly timeline: Timeline<WireMessage>;
  /** The messages that this client has seen, by number. */
  readonly messagesBySequence = new Map<number, Message>();
  /** The numbers of this client's own messages, which nobody has to announce. */
  readonly ownSequences = new Set<number>();
  /** Everything up to here is in a page of history that is shown, or before it. */
  shownUpTo = 0;
  /** The newest message that is not excluded from being the last one. */
  newest: Message | undefined;
  /** The newest number that the server has told of. */
  end: number;
  /** This number is the last one of those that were there when the conversation was loaded. */
  loadedUpTo = 0;
  /** How far this user has read, here or on another device. */
  read = 0;
  /** How far the server has been told so, and when, in its time and milliseconds. */
  reportedRead = 0;
  reportedAt = 0;
  peerRead = 0;
  peerReadTime = 0;
  cleared = 0;
  /** Up to here it is out of the list, with its history kept. */
  unlisted = 0;
  isOnTop = false;
  /** What is missing is being fetched. */
  isFilling = false;
  /** Messages that are announced as soon as it is known what their sender is called. */
  unnamed: Message[] | undefined;

  /** How many messages are unread, those too that this client has not seen yet. */
  unread = 0;
  /** Up to here the server has counted them. */
  private countedUpTo = 0;
  /** From here on messages may have been recalled. */
  private recalledFrom = Infinity;

  /** Everything up to `top` is known. */
  constructor(readonly id: string, top: number) {
    this.peer = peerOf(id) ?? '';
    this.timeline = new Timeline(top);
    this.end = top;
  }

  /** The state of a conversation that this client has not seen before. What is unread is still to come. */
  static of(wire: WireConversation): ConversationState {
    const farthest = Math.max(
      wire.readSequence, wire.clearedSequence, wire.unlistedSequence ?? 0, wire.joinedSequence ?? 0, wire.lastSequence - MAX_MISSED);
    const top = wire.unreadCount > 0 ? Math.min(farthest, wire.lastSequence) : wire.lastSequence;
    const state = new ConversationState(wire.conversationID, top);
    state.loadedUpTo = wire.lastSequence;
    return state;
  }

  /** The newest number that is known of. */
  get last(): number {
    return Math.max(this.timeline.top, this.end);
  }

  /** What has to be fetched next: what is missing, and what may have been recalled. */
  get gap(): { from: number; to: number } | undefined {
    const { top, hole } = this.timeline;
    const from = Math.min(top + 1, this.recalledFrom);
    const last = hole?.to ?? (from <= top ? this.last : this.end);
    return from <= last ? { from, to: last } : undefined;
  }

  /** Whether something may have changed in it since then that is no message: read marks, pins, recalls. */
  mayChange(since: number): boolean {
    const isUnreadByPeer = ({ flow, sequence }: Message): boolean => flow === 'out' && sequence > this.peerRead;
    return this.unread > 0 || this.reportedAt >= since
      || this.newest !== undefined && this.newest.time * 1000 >= since
      || [...this.messagesBySequence.values()].some(isUnreadByPeer);
  }

  /** What came since then may have been recalled, but for one message of which it is known. */
  recheck(since: number, but: number | undefined): void {
    for (const { time, isRevoked, sequence } of this.messagesBySequence.values()) {
      if (time * 1000 >= since && !isRevoked && sequence !== but) this.recalledFrom = Math.min(this.recalledFrom, sequence);
    }
  }

  /** Everything before a number has been fetched. */
  rechecked(next: number): void {
    this.recalledFrom = next > this.timeline.top ? Infinity : Math.max(this.recalledFrom, next);
  }

  /** Up to here nothing is unread. */
  get done(): number {
    return Math.max(this.read, this.cleared, this.unlisted);
  }

  /** Whether it is in the list: not when it was deleted, or never had a message. One that was imported has no number. */
  get isListed(): boolean {
    const { newest, unlisted, cleared, timeline } = this;
    return timeline.top > Math.max(cleared, unlisted) || newest !== undefined && (newest.sequence || Infinity) > unlisted;
  }

  /** Another message of it. */
  add(message: Message): void {
    this.messagesBySequence.set(message.sequence, message);
    const { excludedFromLastMessage } = message.messageControlInfo;
    if (!excludedFromLastMessage && message.sequence > (this.newest?.sequence ?? this.cleared)) this.newest = message;
    if (this.group) {
      takeMessage(this.group, message);
      this.mention(message, this.group);
    }
    if (message.sequence > this.countedUpTo && this.isUnread(message)) this.unread += 1;
  }

  /** A message that the app has, or may ask for. Another's that waits for its turn is added when that has come. */
  know(message: Message): void {
    if (message.sequence > 0 && (message.flow === 'out' || message.sequence <= this.timeline.top)) this.messagesBySequence.set(message.sequence, message);
  }

  /** A message that may concern this user by name. */
  private mention({ sequence, from, flow, atUserList }: Message, { groupID, selfInfo }: KnownGroup): void {
    const kind = Number(atUserList.includes(selfInfo.userID)) + 2 * Number(atUserList.includes(TYPES.MSG_AT_ALL));
    if (!kind || flow === 'out' || sequence <= this.done || this.mentions.some((each) => each.messageSequence === sequence)) return;
    this.mentions.push({ from, groupID, topicID: '', messageSequence: sequence, atTypeArray: [kind] });
  }

  /** Everything up to a number is read. */
  markRead(upTo: number): void {
    this.read = Math.max(this.read, upTo);
    this.countSeen();
  }

  /** Everything up to a number is gone for this user. */
  clear(upTo: number): void {
    this.cleared = Math.max(this.cleared, upTo);
    for (const sequence of this.messagesBySequence.keys()) if (sequence <= upTo) this.messagesBySequence.delete(sequence);
    if (this.newest && this.newest.sequence <= upTo) this.newest = undefined;
    this.countSeen();
  }

  /** Everything up to a number is out of the list. */
  unlist(upTo: number): void {
    this.unlisted = Math.max(this.unlisted, upTo);
    this.countSeen();
  }

  private isUnread({ flow, sequence, messageControlInfo }: Message): boolean {
    return flow === 'in' && sequence > this.done && !messageControlInfo.excludedFromUnreadCount && this.group?.type !== 'ChatRoom';
  }

  /** Of what this client has seen it knows itself what is unread, and what of that concerns this user by name. */
  private countSeen(): void {
    this.unread = [...this.messagesBySequence.values()].filter((message) => this.isUnread(message)).length;
    this.mentions = this.mentions.filter(({ messageSequence }) => messageSequence > this.done);
  }

  /** Should it be unread, it goes on counting, as it does on the server, until everything is read. */
  remove(message: Message): void {
    this.messagesBySequence.delete(message.sequence);
  }

  /** Another device has read up to a number, and so many are left. */
  readElsewhere(upTo: number, left: number): void {
    this.reportedRead = Math.max(this.reportedRead, upTo);
    this.markRead(upTo);
    this.unread = Math.max(this.unread, left);
  }

  /** The server's count. It stands wherever it speaks of the same messages as this client. */
  correctUnread(wire: WireConversation): void {
    if (wire.readSequence !== this.read || wire.lastSequence < this.timeline.top) return;
    this.countedUpTo = wire.lastSequence;
    this.unread = wire.unreadCount;
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

  /** The group as the app gets it. */
  get shownGroup(): Group | undefined {
    return this.group && copyOf(this.group, this.newest);
  }

  /** What the list of the server would say of it. */
  toWire(): WireConversation {
    return {
      conversationID: this.id, type: this.group ? 'GROUP' : 'C2C', unreadCount: this.unread, lastSequence: this.last, readSequence: this.read,
      peerReadSequence: this.peerRead, peerReadTime: this.peerReadTime, clearedSequence: this.cleared,
      unlistedSequence: this.unlisted, isPinned: this.isOnTop, ...(this.newest && { lastMessage: toWire(this.newest) }),
      ...(this.group && { groupProfile: this.group as WireGroup, groupAtInfoList: this.mentions }),
    };
  }

  /** What the app gets: a picture of the moment, which it may do with as it likes. */
  snapshot(userProfile: Profile): Conversation {
    const { group } = this;
    const groupID = groupIDOf(this.id) ?? '';
    return {
      conversationID: this.id,
      type: this.peer ? 'C2C' : groupID ? 'GROUP' : '@TIM#SYSTEM',
      subType: group?.type ?? '',
      toAccount: this.peer || groupID,
      unreadCount: this.unread,
      lastMessage: lastMessageOf(this.newest),
      groupProfile: (this.shownGroup ?? (groupID ? { groupID, name: '', avatar: '', type: '' } : {})) as Group,
      userProfile,
      groupAtInfoList: [...this.mentions],
      remark: '',
      isPinned: this.isOnTop,
      messageRemindType: group?.selfInfo.messageRemindType ?? 'AcceptAndNotify',
      markList: [],
      customData: '',
      conversationGroupList: [],
      peerReadTime: this.peerReadTime,
      draftText: '',
    };
  }
}
