/**
 * One account, from login to logout. Everything that is known of it is in here, so nothing of it is
 * left when it goes.
 */

import { Connection, type NetState } from './connection.js';
import { ConversationState } from './conversation.js';
import { UNCAUGHT } from './codes.js';
import { ChatError } from './errors.js';
import { atMost, chunks, within } from './lists.js';
import { fromWire, markRevoked } from './message.js';
import { Outbox } from './outbox.js';
import { profileOf } from './profile.js';
import type { Message, Profile, UserStatus } from './types.js';
import type {
  ConversationUpdate, LoginReply, MessageRange, Push, WireConversation, WireMessage, WireProfile,
} from './wire.js';
import { Watchlist } from './watchlist.js';

/** What the app is told. */
export interface SessionOwner {
  received(messages: Message[]): void;
  revoked(messages: Message[]): void;
  readByPeer(messages: Message[]): void;
  listChanged(): void;
  profileUpdated(profile: Profile): void;
  blacklistUpdated(userIDs: string[]): void;
  statusUpdated(list: UserStatus[]): void;
  netState(state: NetState): void;
  failed(error: ChatError): void;
  ended(error: ChatError): void;
}

/** Whoever has just connected may not be found by a push yet, and a list may be a second old. */
const SECOND_LOOK_MS = 5_000;
/** Pushes overtake one another; what is missing is often on its way. */
const OVERTAKING_MS = 300;
/** Read marks of one conversation are told this often at the most. */
const MARK_EVERY_MS = 500;
/** A phone that comes back from sleep finds out quickly whether its socket has survived. */
const PROBE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
const IN_FLIGHT = 8;
const PROFILES_AT_ONCE = 100;
/** For so long a message waits for the name of its sender, at the most. */
const NAMED_MS = 3_000;
/** So many messages are kept, those that came last. There may be a few more before the oldest ones are forgotten. */
const MAX_MESSAGES = 2_000;
const FORGOTTEN_AT_ONCE = 100;

export class Session {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly watchlist: Watchlist;
  readonly conversations = new Map<string, ConversationState>();
  readonly profiles = new Map<string, Profile>();
  /** Every message of this session, by its ID. */
  readonly messages = new Map<string, Message>();
  blacklist: string[] = [];
  isReady = false;

  private isClosed = false;
  /** Pushes that came before the list did. */
  private early: Push[] | undefined = [];
  private recallMs = 0;
  /** The latest comparison with the server; one of an earlier turn is out of date. */
  private turn = 0;
  private nextSync: number | undefined;
  private needsSecondLook = false;
  private failures = 0;
  /** When the server was last heard of before anything that is not compared yet, in its own time. */
  private contact = Infinity;
  private isAnnounced = false;
  private firstSync: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  /** What is being changed, and when that is done. */
  private readonly changes = new Map<string, Promise<void>>();
  private readonly markTimers = new Map<string, number>();
  /** What is announced once the app knows that it is ready. */
  private unannounced: Message[] = [];

  constructor(readonly userID: string, url: string, private readonly owner: SessionOwner) {
    this.connection = new Connection(url, {
      loggedIn: (reply) => this.loggedIn(reply),
      pushed: (push) => { if (this.early) this.early.push(push); else this.take(push); },
      netState: (state) => { if (this.isReady) owner.netState(state); },
      ended: (error) => { this.close(error); owner.ended(error); },
    });
    this.outbox = new Outbox(this.connection);
    this.watchlist = new Watchlist(this.connection);
  }

  /** Connects, and resolves when everything is here. */
  async open(): Promise<void> {
    const synced = new Promise<void>((resolve, reject) => { this.firstSync = { resolve, reject }; });
    await Promise.all([this.connection.open(), synced]);
    this.isReady = true;
  }

  /** What was unread at login, once. */
  announce(): void {
    const messages = this.unannounced.filter((message) => !this.isRead(message));
    this.isAnnounced = true;
    this.unannounced = [];
    if (messages.length > 0 && !this.isClosed) this.owner.received(messages);
  }

  /** Sends a message. When it is composed for the first time, all that is known of its conversation is in front of it. */
  send(message: Message, isFirst: boolean): Promise<WireMessage> {
    if (message.onlineOnlyFlag) return this.outbox.sendNow(message);
    this.keep(message);
    const base = this.conversations.get(message.conversationID)?.timeline.top ?? 0;
    return this.outbox.send(message, isFirst ? base : undefined);
  }

  close(error: ChatError): void {
    this.isClosed = true;
    this.isReady = false;
    clearTimeout(this.nextSync);
    for (const timer of this.markTimers.values()) clearTimeout(timer);
    this.connection.close(error);
    this.outbox.close(error);
    this.firstSync?.reject(error);
  }

  /** The app is in the foreground again: is the socket still alive, and what has happened meanwhile? */
  wakeUp(): void {
    // While the list is under way, that one is the probe.
    if (!this.connection.wakeUp() || this.early) return;
    const { heard, lastContact } = this.connection;
    setTimeout(() => { if (this.connection.heard === heard) this.connection.restart(); }, PROBE_MS);
    void this.sync(lastContact);
  }

  isRead(message: Message): boolean {
    const state = this.conversations.get(message.conversationID);
    return message.flow === 'in' && state !== undefined && message.sequence <= state.done;
  }

  profile(userID: string): Profile {
    return this.profiles.get(userID) ?? profileOf({ userID });
  }

  /** Takes over a profile. A new name is told, and `always` whatever it says. */
  learn(wire: WireProfile, always = false): Profile {
    const profile = profileOf(wire);
    const { userID, nick, avatar } = profile;
    const before = this.profiles.get(userID);
    this.profiles.set(userID, profile);
    const isRenamed = nick !== (before?.nick ?? '') || avatar !== (before?.avatar ?? '');
    if (isRenamed) for (const message of this.messages.values()) if (message.from === userID) Object.assign(message, { nick, avatar });
    if (this.isReady && (always || isRenamed && before)) {
      this.owner.profileUpdated(profile);
      this.owner.listChanged();
    }
    return profile;
  }

  async fetchProfiles(userIDs: readonly string[]): Promise<Profile[]> {
    const found = new Map<string, Profile>();
    const all = [...new Set(userIDs)];
    await atMost(IN_FLIGHT, chunks(all, PROFILES_AT_ONCE), async (part) => {
      // A reply holds those that fit into a frame.
      for (let left = Infinity, rest = part; rest.length > 0 && rest.length < left;) {
        left = rest.length;
        const { profileList } = await this.connection.request('getUserProfile', { userIDList: rest });
        for (const profile of profileList) found.set(profile.userID, this.learn(profile));
        rest = rest.filter((userID) => !found.has(userID));
      }
    });
    return all.map((userID) => found.get(userID)).filter((profile): profile is Profile => profile !== undefined);
  }

  /** A message with the name of its sender. */
  private called(message: Message): Message {
    const { nick, avatar } = this.profile(message.from);
    return Object.assign(message, { nick, avatar });
  }

  /** Waits until it is known what a user is called, but not for long. */
  async named(userID: string): Promise<void> {
    if (!this.profiles.has(userID)) await within(NAMED_MS, this.fetchProfiles([userID]));
  }

  /** One change of a thing at a time: of two at once, the server may do the later one first. */
  inOrder<T>(thing: string, change: () => Promise<T>): Promise<T> {
    const changing = (this.changes.get(thing) ?? Promise.resolve()).then(change);
    const settled = changing.catch(() => {}).then(() => {
      if (this.changes.get(thing) === settled) this.changes.delete(thing);
    });
    this.changes.set(thing, settled);
    return changing;
  }

  /** The conversation with a peer, made when there is none. */
  conversation(peer: string): ConversationState {
    const id = `C2C${peer}`;
    let state = this.conversations.get(id);
    if (!state) {
      // It was not in the list, so whatever it holds is new.
      state = new ConversationState(peer, 0);
      this.conversations.set(id, state);
    }
    return state;
  }

  /** A message of the wire as the app knows it: the same object, if it has it already. */
  toMessage(wire: WireMessage): Message {
    const fresh = fromWire(wire, this.userID);
    let known = this.messages.get(fresh.ID);
    const isOther = known && (known.from !== wire.from || known.to !== wire.to
      || known.sequence > 0 && known.sequence !== wire.sequence);
    if (isOther) {
      // Somebody has given a message the ID of another one. It must not pass for that one.
      fresh.ID += `-${wire.sequence}`;
      known = this.messages.get(fresh.ID);
    }
    const message = known ?? fresh;
    if (known) {
      // What the app has may be from before the answer. A recall is told apart: see `recalled`.
      Object.assign(known, {
        sequence: fresh.sequence, time: fresh.time, status: 'success',
      });
    } else {
      this.keep(this.called(message));
    }
    const state = this.conversations.get(message.conversationID);
    if (state) {
      if (message.flow === 'in') message.isRead = message.sequence <= state.read;
      else message.isPeerRead = message.readReceiptInfo.isPeerRead = message.sequence <= state.peerRead;
    }
    return message;
  }

  /** Knows a message by its ID, and forgets the oldest ones when there are too many. */
  keep(message: Message): void {
    this.messages.set(message.ID, message);
    if (this.messages.size < MAX_MESSAGES + FORGOTTEN_AT_ONCE) return;
    let excess = this.messages.size - MAX_MESSAGES;
    for (const each of this.messages.values()) {
      if (excess-- <= 0) break;
      const state = this.conversations.get(each.conversationID);
      // One that is on its way is needed, and so is what a list shows.
      if (this.outbox.has(each.ID) || state?.lastMessage === each) continue;
      this.messages.delete(each.ID);
      if (state?.messages.get(each.sequence) === each) state.messages.delete(each.sequence);
    }
    this.outbox.forget(MAX_MESSAGES);
  }

  /** A message of this client has its number. */
  sent(wire: WireMessage): void {
    if (wire.sequence === 0) return;
    const state = this.conversation(wire.to);
    if (wire.sequence > state.timeline.top) state.own.add(wire.sequence);
    this.show(state, state.timeline.take(wire));
    this.fillLater(state);
  }

  /** A page of history is being shown; where it is newer than what was known, it is the news itself. */
  shown(peer: string, page: readonly WireMessage[]): void {
    const first = page[0];
    if (!first) return;
    let state = this.conversations.get(`C2C${peer}`);
    if (!state) {
      state = new ConversationState(peer, first.sequence - 1);
      this.conversations.set(state.id, state);
    }
    this.recalled(state, page);
    for (const wire of page) {
      state.shownUpTo = Math.max(state.shownUpTo, wire.sequence);
      this.show(state, state.timeline.take(wire));
    }
    this.fillLater(state);
  }

  /** Everything in a conversation is read. */
  markRead(state: ConversationState): void {
    if (state.unreadCount === 0) return;
    state.markRead(state.timeline.top);
    this.owner.listChanged();
    if (this.markTimers.has(state.id)) return;
    this.tellRead(state);
    this.markTimers.set(state.id, setTimeout(() => {
      this.markTimers.delete(state.id);
      this.tellRead(state);
    }, MARK_EVERY_MS));
  }

  /** Nothing waits any more. */
  flushMarks(): void {
    for (const state of this.conversations.values()) if (this.markTimers.has(state.id)) this.tellRead(state);
  }

  private tellRead(state: ConversationState): void {
    if (state.read <= state.told) return;
    // Without an answer: should it get lost, the next list shows so, and it is said again.
    if (this.connection.say('setMessageRead', { conversationID: state.id, sequence: state.read })) state.told = state.read;
  }

  private loggedIn(reply: LoginReply): void {
    this.recallMs = reply.recallSeconds * 1000;
    this.early ??= [];
    this.needsSecondLook = true;
    void this.sync(this.connection.contactBefore);
    this.watchlist.renew().catch((error) => { if (!this.isClosed) this.owner.failed(error); });
  }

  /**
   * Compares with the server, and gets whatever is missing. A later one takes the place of one that is under way, and
   * what has to follow follows the one that gets through. `contact` is when the server was last heard of for sure.
   */
  private async sync(contact: number): Promise<void> {
    const turn = ++this.turn;
    clearTimeout(this.nextSync);
    this.contact = Math.min(this.contact, contact);
    try {
      const isWhole = await this.compare(turn);
      if (turn !== this.turn || this.isClosed) return;
      this.owner.listChanged();
      this.firstSync?.resolve();
      this.firstSync = undefined;
      if (isWhole) {
        this.contact = Infinity;
        this.failures = 0;
      }
      if (isWhole && !this.needsSecondLook) return;
      this.needsSecondLook = false;
      this.syncLater(isWhole ? SECOND_LOOK_MS : this.backOff());
    } catch (error) {
      if (turn !== this.turn || this.isClosed) return;
      this.takeEarly();
      if (this.firstSync) return this.firstSync.reject(error);
      this.owner.failed(error as ChatError);
      this.syncLater(this.backOff());
    }
  }

  private syncLater(ms: number): void {
    const contact = this.connection.lastContact;
    this.nextSync = setTimeout(() => void this.sync(contact), ms);
  }

  private backOff(): number {
    return Math.min(SECOND_LOOK_MS * 2 ** this.failures++, LONGEST_PAUSE_MS);
  }

  /** Takes over the list and fetches what is behind. Says whether all of it came. */
  private async compare(turn: number): Promise<boolean> {
    const list = await this.wholeList();
    if (turn !== this.turn || this.isClosed) return false;
    // What was sent shortly before contact was lost may have been recalled since.
    const recallableFrom = this.contact - this.recallMs;
    const behind: [ConversationState, number, number][] = [];
    for (const wire of list) {
      const from = this.adopt(wire, recallableFrom);
      const state = this.conversations.get(wire.conversationID);
      if (state && from !== undefined) behind.push([state, from, wire.lastSequence]);
    }
    this.takeEarly();
    // Whoever has written meanwhile may have another name since.
    if (!this.firstSync) void this.name(behind.filter(([state, , to]) => to > state.timeline.top).map(([state]) => state));
    let isWhole = true;
    await Promise.all([
      atMost(IN_FLIGHT, behind, ([state, from, to]) => this.catchUp(state, from, to).catch(() => { isWhole = false; })),
      this.firstSync && this.firstProfiles(),
    ]);
    for (const wire of list) this.conversations.get(wire.conversationID)?.correctUnread(wire);
    return isWhole;
  }

  private takeEarly(): void {
    const early = this.early ?? [];
    this.early = undefined;
    for (const push of early) this.take(push);
  }

  private async wholeList(): Promise<WireConversation[]> {
    const list: WireConversation[] = [];
    for (let next = ''; ;) {
      const data = next ? { nextReqConversationID: next } : {};
      const page = await this.connection.persist('getConversationList', data);
      list.push(...page.conversationList);
      if (page.isCompleted) return list;
      next = page.nextReqConversationID;
    }
  }

  private async firstProfiles(): Promise<void> {
    const peers = [...this.conversations.values()].map(({ peer }) => peer);
    // A list without names is better than none. They may still come.
    await within(NAMED_MS, this.fetchProfiles([this.userID, ...peers]).then(() => this.owner.listChanged()));
  }

  /** Takes over what the list says. Returns from which number on messages have to be fetched, if they have. */
  private adopt(wire: WireConversation, recallableFrom: number): number | undefined {
    let state = this.conversations.get(wire.conversationID);
    if (!state) {
      state = ConversationState.of(wire);
      this.conversations.set(wire.conversationID, state);
    }
    state.isPinned = wire.isPinned;
    if (wire.clearedSequence > state.cleared) this.cleared(state, wire.clearedSequence);
    if ((wire.unlistedSequence ?? 0) > state.unlisted) state.unlist(wire.unlistedSequence ?? 0);
    if (wire.readSequence > state.read) state.markRead(wire.readSequence);
    state.told = wire.readSequence;
    // A mark that got lost on its way.
    this.tellRead(state);
    const news = state.readByPeer(wire.peerReadSequence, wire.peerReadTime);
    if (news.length > 0 && this.isReady) this.owner.readByPeer(news);
    if (wire.lastSequence >= state.timeline.top) {
      state.lastMessage = wire.lastMessage && this.toMessage(wire.lastMessage);
      if (wire.lastMessage) this.recalled(state, [wire.lastMessage]);
    }
    const recallable = [...state.messages.values()].filter((message) => message.time * 1000 >= recallableFrom && !message.isRevoked);
    const from = Math.min(state.timeline.top + 1, ...recallable.map((message) => message.sequence));
    return from <= wire.lastSequence ? from : undefined;
  }

  /** Fetches everything from a number to the end, which is at `end` or behind it. */
  private async catchUp(state: ConversationState, from: number, end: number): Promise<void> {
    for (let next = from; ;) {
      const range = (await this.connection.persist('getMessageList', {
        conversationID: state.id, fromSequence: next,
      })) as MessageRange;
      const last = range.messageList[range.messageList.length - 1];
      this.recalled(state, range.messageList);
      const upTo = range.isCompleted ? Math.max(end, last?.sequence ?? 0) : range.nextSequence - 1;
      this.show(state, state.timeline.fill(range.messageList, upTo));
      if (range.isCompleted) return;
      next = range.nextSequence;
    }
  }

  /** Fetches what is missing in front of a message that came early. */
  private async fill(state: ConversationState): Promise<void> {
    if (state.isFilling) return;
    state.isFilling = true;
    try {
      for (let hole = state.timeline.hole; hole; hole = state.timeline.hole) {
        const range = (await this.connection.persist('getMessageList', {
          conversationID: state.id, fromSequence: hole.from, toSequence: hole.to,
        })) as MessageRange;
        const upTo = range.isCompleted ? hole.to : range.nextSequence - 1;
        this.show(state, state.timeline.fill(range.messageList, upTo));
      }
    } catch (error) {
      if (this.isClosed) return;
      this.owner.failed(error as ChatError);
      setTimeout(() => this.fillLater(state), SECOND_LOOK_MS);
    } finally {
      state.isFilling = false;
    }
  }

  private fillLater(state: ConversationState): void {
    if (state.timeline.hole) setTimeout(() => { if (!this.isClosed) void this.fill(state); }, OVERTAKING_MS);
  }

  /** Messages whose turn has come. */
  private show(state: ConversationState, ready: readonly WireMessage[]): void {
    if (ready.length === 0) return;
    const news: Message[] = [];
    for (const wire of ready) {
      // One of this client's that is on its way, or was given up and has arrived all the same.
      const composed = this.messages.get(wire.clientID);
      const isOurs = state.own.delete(wire.sequence) || composed?.sequence === 0 && composed.to === wire.to;
      const message = this.toMessage(wire);
      state.add(message);
      if (!isOurs && wire.sequence > state.shownUpTo) news.push(message);
    }
    if (!this.isReady) {
      // What this user has written elsewhere is history at login, and news as soon as the app is let in.
      this.unannounced.push(...news.filter((message) => message.flow === 'in'));
      return;
    }
    if (state.unnamed) {
      state.unnamed.push(...news);
    } else if (!this.profiles.has(state.peer)) {
      state.unnamed = news;
      void this.name([state]);
    } else {
      this.tell(news);
    }
    this.owner.listChanged();
  }

  private tell(news: readonly Message[]): void {
    if (!this.isAnnounced) this.unannounced.push(...news);
    else if (news.length > 0) this.owner.received([...news]);
  }

  /** Looks up what the peers of some conversations are called now, and announces then what has come of them. */
  private async name(states: readonly ConversationState[]): Promise<void> {
    for (const state of states) state.unnamed ??= [];
    if (states.length > 0) await within(NAMED_MS, this.fetchProfiles(states.map(({ peer }) => peer)));
    if (this.isClosed) return;
    for (const state of states) {
      const news = state.unnamed?.filter((message) => !message.isDeleted && message.sequence > state.cleared) ?? [];
      state.unnamed = undefined;
      this.tell(news);
    }
    this.owner.listChanged();
  }

  /** A push says what its sender is called now, if that is anything. */
  private heardOf({ from, nick = '', avatar = '' }: WireMessage): void {
    const known = this.profiles.get(from);
    if (!nick && !avatar || known?.nick === nick && known.avatar === avatar) return;
    this.learn({ ...(known ?? profileOf({ userID: from })), nick, avatar });
    // It does not say the rest of their profile.
    if (!known) this.fetchProfiles([from]).then(() => this.owner.listChanged(), () => {});
  }

  /** Those among the messages that the app has, and does not know to be recalled. */
  private recalled(state: ConversationState, wires: readonly WireMessage[]): void {
    const news: Message[] = [];
    for (const wire of wires) {
      const { lastMessage } = state;
      const message = state.messages.get(wire.sequence) ?? (lastMessage?.sequence === wire.sequence ? lastMessage : undefined);
      if (!wire.isRevoked || !message || message.isRevoked) continue;
      markRevoked(message, wire.from);
      news.push(message);
    }
    if (news.length === 0) return;
    this.owner.revoked(news);
    this.owner.listChanged();
  }

  /** A push of another shape than expected must not take the others with it. */
  private take(push: Push): void {
    try {
      this.pushed(push);
    } catch (error) {
      this.owner.failed(new ChatError(UNCAUGHT, `a push could not be read: ${String(error)}`));
    }
  }

  private pushed(push: Push): void {
    switch (push.event) {
      case 'onMessageReceived':
        for (const wire of push.data) {
          this.heardOf(wire);
          if (wire.sequence === 0) {
            if (this.isAnnounced) this.owner.received([this.called(fromWire(wire, this.userID))]);
            continue;
          }
          const state = this.conversation(wire.from === this.userID ? wire.to : wire.from);
          this.show(state, state.timeline.take(wire));
          this.fillLater(state);
        }
        break;
      case 'onMessageRevoked':
        for (const wire of push.data) {
          const state = this.conversation(wire.from === this.userID ? wire.to : wire.from);
          this.recalled(state, [wire]);
          // One that the app has not seen comes as a recalled one.
          this.show(state, state.timeline.take(wire));
          this.fillLater(state);
        }
        break;
      case 'onMessageDeleted': {
        const state = this.conversations.get(push.data.conversationID);
        if (state) this.deleted(state, push.data.sequences);
        break;
      }
      case 'onMessageReadByPeer': {
        const state = this.conversations.get(push.data.conversationID);
        const news = state?.readByPeer(push.data.sequence, push.data.time) ?? [];
        if (news.length > 0) this.owner.readByPeer(news);
        if (news.length > 0) this.owner.listChanged();
        break;
      }
      case 'onConversationListUpdated':
        for (const update of push.data) this.updated(update);
        break;
      case 'onProfileUpdated':
        for (const wire of push.data) this.learn(wire, true);
        break;
      case 'onUserStatusUpdated': {
        const news = this.watchlist.learn(push.data);
        if (news.length > 0) this.owner.statusUpdated(news);
        break;
      }
      case 'blacklistUpdated':
        this.setBlacklist(push.data);
        break;
      default:
    }
  }

  setBlacklist(userIDs: string[]): void {
    const isNew = userIDs.join() !== this.blacklist.join();
    this.blacklist = [...userIDs];
    if (isNew) this.owner.blacklistUpdated([...userIDs]);
  }

  /** Another device of this user has changed a conversation, or this one has. */
  updated(update: ConversationUpdate): void {
    const state = this.conversations.get(update.conversationID);
    if (!state) return;
    if (update.isPinned !== undefined) state.isPinned = update.isPinned;
    if (update.clearedSequence !== undefined) {
      this.cleared(state, update.clearedSequence);
    }
    if (update.unlistedSequence !== undefined) state.unlist(update.unlistedSequence);
    if (update.readSequence !== undefined && update.readSequence > state.read) {
      state.readElsewhere(update.readSequence, update.unreadCount ?? 0);
    }
    this.owner.listChanged();
  }

  /** What comes late of the messages up to there is not to be seen any more. */
  private cleared(state: ConversationState, upTo: number): void {
    const ready = state.timeline.fill([], upTo);
    state.clear(upTo);
    this.show(state, ready.filter((wire) => wire.sequence > upTo));
  }

  /** Messages that this user does not want to see any more. */
  deleted(state: ConversationState, sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const message = state.messages.get(sequence);
      if (message) {
        message.isDeleted = true;
        state.remove(message);
        this.messages.delete(message.ID);
      }
    }
    if (state.lastMessage && sequences.includes(state.lastMessage.sequence)) {
      const left = [...state.messages.values()].filter((message) => !message.messageControlInfo.excludedFromLastMessage)
        .sort((a, b) => b.sequence - a.sequence)[0];
      state.lastMessage = left;
      // Nothing of it is here, but the server knows what the list should show.
      if (!left) void this.sync(this.connection.lastContact);
    }
    this.owner.listChanged();
  }
}
