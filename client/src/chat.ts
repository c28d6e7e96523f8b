/** The instance that `TIM.create` returns. Each public method is here; what it needs is in `session.ts`. */

import { EVENT, TYPES } from './constants.js';
import { ConversationState } from './conversation.js';
import { Emitter } from './emitter.js';
import {
  CONVERSATION_INVALID_ID, INVALID_OPERATION, KICKED_BY_REST, KICKED_MULT_ACCOUNT, KICKED_MULT_DEVICE, LOGGED_OUT, MESSAGE_DELETE_FAIL,
  MESSAGE_INVALID, MESSAGE_REVOKE_FAIL, MESSAGE_SEND_FAIL, PARAM_INVALID, REPEAT_LOGIN, SDK_NOT_READY,
  USERSIG_EXPIRED, USERSIG_INVALIDATED, USER_NOT_LOGGED_IN,
} from './codes.js';
import { ChatError } from './errors.js';
import { chunks } from './lists.js';
import { createMessage, createUnserved, isMessage, isServed, markRevoked, random32, setOptions, type BuilderOptions, type Origin } from './message.js';
import { platformName, watchDevice } from './platform.js';
import { profileOf } from './profile.js';
import { Session } from './session.js';
import type {
  ChatEventHandler, ChatSDK, Conversation, ConversationFilter, ConversationListData, CreateCustomMessageOptions,
  CreateFaceMessageOptions, CreateLocationMessageOptions, CreateOptions, CreateTextMessageOptions,
  CreateUnservedMessageOptions, EventMap, EventName, KickedOutType, LoginData, LoginOptions, Message, MessageListData,
  MessageListOptions, MessageType, Nothing, Profile, ProfileFields, Result, SendOptions, SubscriptionData, UserList, UserStatusData,
} from './types.js';
import { addUnsupported, type EmptyMethods, type SynchronousMethods, type UnsupportedMethods } from './unsupported.js';
import type { WireMessage } from './wire.js';

const PAGE_SIZE = 15;
const DELETED_AT_ONCE = 30;
const STATUSES_AT_ONCE = 40;
/** How many a change of the blacklist may name. */
const BLACKLIST_AT_ONCE = 15;
/** After `login` has resolved. */
const READY_AFTER_MS = 10;
/** The server notices a closed connection by itself, so nobody waits for its answer to a logout for long. */
const LOGOUT_MS = 250;
/** Messages that wait for somebody to listen. */
const MAX_HELD = 2_000;
/** How many pages of nothing but deleted messages are passed over for one that has something to show. */
const EMPTY_PAGES = 10;

const NOBODY = new ChatError(USER_NOT_LOGGED_IN, 'nobody is logged in: call login first');

export interface Chat extends UnsupportedMethods, EmptyMethods, SynchronousMethods {}

export class Chat implements ChatSDK {
  private readonly emitter = new Emitter<EventMap>(
    (name) => { if (name === EVENT.MESSAGE_RECEIVED) setTimeout(() => this.release(), 0); },
    (message, error) => { if (this.logLevel < 4) console.error(`Hongyan: ${message}`, error); },
  );
  /** A random name, so that the server sees a client that comes back and not a second one. */
  private readonly instance = random32();
  private readonly stopWatching: () => void;
  private session: Session | undefined;
  private isLoggingIn = false;
  /** Why nobody is logged in. */
  private reason = NOBODY;
  private leaving: Promise<void> | undefined;
  /** Messages that came while nobody listened. */
  private held: Message[] = [];
  private total = 0;
  private listIsChanging = false;
  private logLevel = 1;

  constructor(private readonly options: Partial<CreateOptions>) {
    this.stopWatching = watchDevice({
      network: (isConnected) => this.session?.connection.networkChanged(isConnected),
      shown: () => this.session?.wakeUp(),
    });
  }

  registerPlugin(_plugins: object): void {
    // Uploads and filters are registered here in tim-wx-sdk. There is nothing to plug them into.
  }

  use(_plugin: unknown, _subPlugins?: unknown[]): void {
    // Parts of @tencentcloud/lite-chat come in this way. Here they are all there.
  }

  setLogLevel(level: number): void {
    if (typeof level === 'number') this.logLevel = level;
  }

  on<Name extends EventName>(name: Name, handler: ChatEventHandler<Name>, context?: unknown): void {
    this.emitter.on(name, handler, context);
  }

  once<Name extends EventName>(name: Name, handler: ChatEventHandler<Name>, context?: unknown): void {
    this.emitter.once(name, handler, context);
  }

  off<Name extends EventName>(name: Name, handler: ChatEventHandler<Name>, context?: unknown): void {
    this.emitter.off(name, handler, context);
  }

  // Coming and going

  login(options: LoginOptions): Promise<Result<LoginData>> {
    const login = this.enterAs(options);
    // A promise that resolves takes a few turns, where promises are made of timers even real ones.
    login.then(({ data }) => {
      const session = this.session;
      if (session && !data.repeatLogin) setTimeout(() => this.welcome(session), READY_AFTER_MS);
    }, () => {});
    return login;
  }

  private async enterAs(options: LoginOptions): Promise<Result<LoginData>> {
    const { userID, userSig } = options ?? {};
    if (typeof userID !== 'string' || !userID || typeof userSig !== 'string' || !userSig) {
      throw new ChatError(PARAM_INVALID, 'Params validate failed. login: userID and userSig must be texts that are not empty');
    }
    if (this.isLoggingIn) throw new ChatError(REPEAT_LOGIN, 'login: another login is under way: wait for it');
    if (this.session?.userID === userID && !this.leaving) {
      const errorInfo = `${userID} is logged in already`;
      return ok({ actionStatus: 'OK', errorCode: 0, errorInfo, repeatLogin: true });
    }
    this.isLoggingIn = true;
    try {
      // Another account, or the same one on its way out: of the one before nothing may be left.
      if (this.session) await this.logout();
      await this.enter(userID, userSig);
    } finally {
      this.isLoggingIn = false;
    }
    return ok({ actionStatus: 'OK', errorCode: 0, errorInfo: '' });
  }

  private async enter(userID: string, userSig: string): Promise<void> {
    const session: Session = new Session(userID, this.url(userID, userSig), {
      received: (messages) => this.receive(messages),
      revoked: (messages) => this.emit(EVENT.MESSAGE_REVOKED, messages),
      readByPeer: (messages) => this.emit(EVENT.MESSAGE_READ_BY_PEER, messages),
      listChanged: () => this.listChanged(),
      profileUpdated: (profile) => this.emit(EVENT.PROFILE_UPDATED, [profile]),
      blacklistUpdated: (userIDs) => this.emit(EVENT.BLACKLIST_UPDATED, userIDs),
      statusUpdated: (list) => this.emit(EVENT.USER_STATUS_UPDATED, list),
      netState: (state) => this.emit(EVENT.NET_STATE_CHANGE, { state }),
      failed: ({ code, message }) => this.emit(EVENT.ERROR, { code, message }),
      ended: (error) => this.kickedOut(session, error),
    });
    this.session = session;
    try {
      await session.open();
    } catch (error) {
      session.close(error as ChatError);
      if (this.session === session) this.session = undefined;
      throw error;
    }
    this.emit(EVENT.NET_STATE_CHANGE, { state: TYPES.NET_STATE_CONNECTED });
  }

  /** Programs for the SDK wait for the event, some of them only from when `login` has resolved. */
  private welcome(session: Session): void {
    if (this.session === session) this.tellList();
    // What is told may have been answered with a logout.
    if (this.session === session) this.emit(EVENT.SDK_READY, undefined);
    // Not before those who wait for the event have had the time to listen.
    setTimeout(() => session.announce(), 0);
  }

  private url(userID: string, userSig: string): string {
    const { SDKAppID, proxyServer = '' } = this.options;
    if (!/^wss?:\/\/[^/]/.test(proxyServer)) {
      throw new ChatError(PARAM_INVALID, 'login: there is no server to connect to: pass the WebSocketUrl of your deployment, '
        + 'TIM.create({ SDKAppID, proxyServer: \'wss://…\' })');
    }
    if (!SDKAppID) throw new ChatError(PARAM_INVALID, 'login: TIM.create needs the SDKAppID of your deployment, a number');
    const base = proxyServer.replace(/\/+$/, '');
    const query = { SDKAppID, userID, userSig, 'platform': platformName(), 'instance': this.instance };
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return `${base}${base.includes('?') ? '&' : '?'}${pairs.join('&')}`;
  }

  logout(): Promise<Result<Nothing>> {
    const session = this.session;
    if (!session) return Promise.reject(this.failure('logout', this.reason));
    // Whoever says it twice waits for the same end.
    this.leaving ??= this.goodbye(session).then(() => { this.leaving = undefined; });
    return this.leaving.then(() => ok({}));
  }

  private async goodbye(session: Session): Promise<void> {
    session.flushMarks();
    // This only makes sure that no push is on its way.
    if (session.connection.isOpen) await session.connection.request('logout', {}, LOGOUT_MS).catch(() => {});
    this.leave(session, new ChatError(LOGGED_OUT, 'the user has logged out'), NOBODY);
  }

  async destroy(): Promise<Result<Nothing>> {
    if (this.session) await this.logout();
    this.stopWatching();
    this.emit(EVENT.SDK_DESTROY, undefined);
    this.emitter.clear();
    return ok({});
  }

  private kickedOut(session: Session, error: ChatError): void {
    const { type } = error.data as { type?: KickedOutType };
    const reasons: Record<string, number> = {
      [TYPES.KICKED_OUT_MULT_ACCOUNT]: KICKED_MULT_ACCOUNT,
      [TYPES.KICKED_OUT_MULT_DEVICE]: KICKED_MULT_DEVICE,
    };
    const isRevoked = error.code === USERSIG_INVALIDATED;
    const kind = type ?? (isRevoked ? TYPES.KICKED_OUT_REST_API : TYPES.KICKED_OUT_USERSIG_EXPIRED);
    const code = reasons[kind] ?? (isRevoked ? KICKED_BY_REST : USERSIG_EXPIRED);
    const reason = new ChatError(code, `${error.message}: call login again`);
    this.leave(session, reason, reason, kind);
  }

  /** Ends a session, unless it has ended already. An app that logs in again when it hears so finds nothing of it. */
  private leave(session: Session, error: ChatError, reason: ChatError, type?: KickedOutType): void {
    if (this.session !== session) return;
    session.close(error);
    this.session = undefined;
    this.reason = reason;
    this.held = [];
    this.total = 0;
    if (type) this.emit(EVENT.KICKED_OUT, { type });
    this.emit(EVENT.SDK_NOT_READY, undefined);
  }

  isReady(): boolean {
    return this.session?.isReady ?? false;
  }

  ready(): boolean {
    return this.isReady();
  }

  getLoginUser(): string {
    return this.session?.userID ?? '';
  }

  getServerTime(): number {
    return Math.floor(this.now() / 1000);
  }

  /** The server's time as far as it is known, in milliseconds. */
  private now(): number {
    return this.session?.connection.now() ?? Date.now();
  }

  // Messages

  createTextMessage(options: CreateTextMessageOptions): Message {
    return this.compose(TYPES.MSG_TEXT, options);
  }

  createCustomMessage(options: CreateCustomMessageOptions): Message {
    return this.compose(TYPES.MSG_CUSTOM, options);
  }

  createFaceMessage(options: CreateFaceMessageOptions): Message {
    return this.compose(TYPES.MSG_FACE, options);
  }

  createLocationMessage(options: CreateLocationMessageOptions): Message {
    return this.compose(TYPES.MSG_LOCATION, options);
  }

  createTextAtMessage(options: CreateUnservedMessageOptions): Message {
    return this.composeUnserved('createTextAtMessage', TYPES.MSG_TEXT, options);
  }

  createImageMessage(options: CreateUnservedMessageOptions): Message {
    return this.composeUnserved('createImageMessage', TYPES.MSG_IMAGE, options);
  }

  createAudioMessage(options: CreateUnservedMessageOptions): Message {
    return this.composeUnserved('createAudioMessage', TYPES.MSG_AUDIO, options);
  }

  createVideoMessage(options: CreateUnservedMessageOptions): Message {
    return this.composeUnserved('createVideoMessage', TYPES.MSG_VIDEO, options);
  }

  createFileMessage(options: CreateUnservedMessageOptions): Message {
    return this.composeUnserved('createFileMessage', TYPES.MSG_FILE, options);
  }

  createMergerMessage(options: CreateUnservedMessageOptions): Message {
    return this.composeUnserved('createMergerMessage', TYPES.MSG_MERGER, options);
  }

  createForwardMessage(options: CreateUnservedMessageOptions): Message {
    const original = options?.payload;
    if (!isMessage(original)) throw new ChatError(MESSAGE_INVALID, 'createForwardMessage: `payload` must be a message');
    return this.composeUnserved('createForwardMessage', original.type, { ...options, payload: original.payload });
  }

  private composeUnserved(builder: string, type: MessageType, options: CreateUnservedMessageOptions): Message {
    return createUnserved(builder, type, options, this.origin());
  }

  private compose<Kind extends keyof BuilderOptions>(type: Kind, options: BuilderOptions[Kind]): Message {
    return createMessage(type, options, this.origin());
  }

  private origin(): Origin {
    return { userID: this.getLoginUser(), instance: this.instance, now: this.now() };
  }

  async sendMessage(message: Message, options?: SendOptions): Promise<Result<{ message: Message }>> {
    const session = this.ask('sendMessage');
    if (!isMessage(message)) {
      throw new ChatError(MESSAGE_INVALID, 'sendMessage: this is no message: make one with createTextMessage');
    }
    if (!isServed(message)) {
      message.status = 'fail';
      const what = message.conversationType === TYPES.CONV_C2C ? 'pictures, sounds, videos, files and merged messages' : 'groups';
      throw new ChatError(INVALID_OPERATION, `sendMessage: ${what} are not served by Hongyan yet`, { message });
    }
    if (message.status === 'success' || session.outbox.has(message.ID)) {
      throw new ChatError(MESSAGE_SEND_FAIL, 'sendMessage: this message is sent or being sent: make a new one', { message });
    }
    const profile = session.profile(session.userID);
    const isFirst = message.status === 'unSend' && !message.isResend;
    Object.assign(message, { from: session.userID, nick: profile.nick, avatar: profile.avatar, status: 'unSend' });
    // Who sends it again need not say again how.
    if (options) setOptions(message, options);
    try {
      const sent = await session.send(message, isFirst);
      Object.assign(message, { status: 'success', sequence: sent.sequence, time: sent.time });
      session.sent(sent);
      return ok({ message });
    } catch (error) {
      message.status = 'fail';
      throw this.failure('sendMessage', error as ChatError, { message });
    }
  }

  async resendMessage(message: Message, options?: SendOptions): Promise<Result<{ message: Message }>> {
    this.ask('resendMessage');
    if (!isMessage(message)) return this.sendMessage(message, options);
    // One that was given up may have been seen to arrive since.
    if (message.status === 'success') return ok({ message });
    message.isResend = true;
    return this.sendMessage(message, options);
  }

  async revokeMessage(message: Message): Promise<Result<{ message: Message }>> {
    const session = this.ask('revokeMessage');
    const sequence = this.sequenceOf(message, 'revokeMessage', MESSAGE_REVOKE_FAIL);
    await session.connection.request('revokeMessage', { conversationID: message.conversationID, sequence });
    const known = session.messages.get(message.ID);
    for (const each of known ? [message, known] : [message]) markRevoked(each, session.userID);
    this.listChanged();
    return ok({ message });
  }

  async deleteMessage(messages: Message[]): Promise<Result<{ messageList: Message[] }>> {
    const session = this.ask('deleteMessage');
    const list = Array.isArray(messages) ? messages : [messages];
    const [first] = list;
    if (!first || list.some((message) => !isMessage(message) || message.conversationID !== first.conversationID)) {
      throw new ChatError(MESSAGE_DELETE_FAIL, 'deleteMessage: give it a list of messages of one conversation');
    }
    for (const message of list) session.outbox.cancel(message.ID);
    const sequences = list.map((message) => message.sequence).filter((sequence) => sequence > 0);
    // The server says which it has deleted: of large messages one frame may hide only a few.
    for (let rest = sequences; rest.length > 0;) {
      const deleted = await session.connection.request('deleteMessage', {
        conversationID: first.conversationID, sequences: rest.slice(0, DELETED_AT_ONCE),
      });
      const gone = new Set(deleted.sequences);
      const left = rest.filter((sequence) => !gone.has(sequence));
      if (left.length === rest.length) throw new ChatError(MESSAGE_DELETE_FAIL, 'deleteMessage: the server has deleted none of them');
      rest = left;
    }
    for (const message of list) {
      message.isDeleted = true;
      session.messages.delete(message.ID);
    }
    const state = session.conversations.get(first.conversationID);
    if (state) session.deleted(state, sequences);
    return ok({ messageList: list });
  }

  findMessage(messageID: string): Message | null {
    return this.session?.messages.get(messageID) ?? null;
  }

  async getMessageList(options: MessageListOptions): Promise<Result<MessageListData>> {
    const session = this.ask('getMessageList');
    const { conversationID, nextReqMessageID = '' } = given(options, 'getMessageList');
    if (isEmpty(conversationID)) return ok({ messageList: [], nextReqMessageID: '', isCompleted: true });
    const peer = this.peerOf(conversationID, 'getMessageList');
    const count = options.count && options.count > 0 && options.count < PAGE_SIZE ? Math.floor(options.count) : PAGE_SIZE;
    let page: { messageList: WireMessage[]; nextReqMessageID: string; isCompleted: boolean };
    let next = nextReqMessageID;
    for (let turn = 0; ; turn++) {
      page = (await session.connection.request('getMessageList', {
        conversationID, nextReqMessageID: next, count,
      })) as typeof page;
      if (page.messageList.length > 0 || page.isCompleted || turn >= EMPTY_PAGES) break;
      next = page.nextReqMessageID;
    }
    await session.named(peer);
    session.shown(peer, page.messageList);
    const messageList = page.messageList.map((wire) => session.toMessage(wire));
    if (!nextReqMessageID) messageList.push(...newerThan(messageList, session.conversations.get(conversationID)));
    for (const message of messageList) session.conversations.get(conversationID)?.messages.set(message.sequence, message);
    return ok({ messageList, nextReqMessageID: page.nextReqMessageID, isCompleted: page.isCompleted });
  }

  async setMessageRead(options: { conversationID: string }): Promise<Result<Nothing>> {
    const session = this.ask('setMessageRead');
    const { conversationID } = given(options, 'setMessageRead');
    if (isEmpty(conversationID)) return ok({});
    this.peerOf(conversationID, 'setMessageRead');
    const state = session.conversations.get(conversationID);
    // A conversation that nobody has used is not made by reading it.
    if (state) session.markRead(state);
    this.held = this.held.filter((message) => !session.isRead(message));
    return ok({});
  }

  async setAllMessageRead(options?: { scope?: string }): Promise<Result<Nothing>> {
    const session = this.ask('setAllMessageRead');
    if (options?.scope !== TYPES.READ_ALL_GROUP_MSG) {
      for (const state of session.conversations.values()) session.markRead(state);
      this.held = [];
    }
    return ok({});
  }

  // Conversations

  async getConversationList(filter?: string[] | ConversationFilter): Promise<Result<ConversationListData>> {
    this.ask('getConversationList');
    let conversationList = this.list();
    if (Array.isArray(filter)) {
      conversationList = conversationList.filter((conversation) => filter.includes(conversation.conversationID));
    } else if (filter !== undefined && filter !== null) {
      const { type, hasUnreadCount, hasGroupAtInfo, markType, groupName } = given(filter, 'getConversationList');
      conversationList = conversationList.filter((conversation) =>
        (type === undefined || conversation.type === type)
        && (!hasUnreadCount || conversation.unreadCount > 0)
        // Nothing here is marked, grouped, or of a group.
        && !hasGroupAtInfo && !markType && !groupName);
    }
    return ok({ conversationList, isSyncCompleted: true });
  }

  async getConversationProfile(conversationID: string): Promise<Result<{ conversation: Conversation }>> {
    const session = this.ask('getConversationProfile');
    if (isEmpty(conversationID)) return ok({ conversation: emptyConversation(conversationID) });
    const peer = this.peerOf(conversationID, 'getConversationProfile');
    if (!session.profiles.has(peer)) await session.fetchProfiles([peer]);
    const state = session.conversations.get(conversationID) ?? new ConversationState(peer, 0);
    return ok({ conversation: state.snapshot({ ...session.profile(peer) }) });
  }

  deleteConversation(conversationID: string): Promise<Result<{ conversationID: string }>>;
  deleteConversation(options: { conversationIDList: string[]; clearHistoryMessage?: boolean }): Promise<Result<{ conversationIDList: string[] }>>;
  async deleteConversation(
    what: string | { conversationIDList: string[]; clearHistoryMessage?: boolean },
  ): Promise<Result<{ conversationID: string }> | Result<{ conversationIDList: string[] }>> {
    const session = this.ask('deleteConversation');
    const list = typeof what === 'string' ? [what] : given(what, 'deleteConversation').conversationIDList;
    const keepsHistory = typeof what !== 'string' && what.clearHistoryMessage === false;
    if (!Array.isArray(list)) throw new ChatError(PARAM_INVALID, 'deleteConversation: conversationIDList must be a list');
    for (const conversationID of list) this.peerOf(conversationID, 'deleteConversation');
    for (const conversationID of list) {
      // Named, so that a repetition does not take with it what came in between.
      const sequence = session.conversations.get(conversationID)?.timeline.top;
      session.updated(await session.connection.request('deleteConversation', {
        conversationID, ...(sequence !== undefined && { sequence }), ...(keepsHistory && { clearHistoryMessage: false }),
      }));
    }
    return typeof what === 'string' ? ok({ conversationID: what }) : ok({ conversationIDList: list });
  }

  async pinConversation(options: { conversationID: string; isPinned: boolean }): Promise<Result<{ conversationID: string }>> {
    const session = this.ask('pinConversation');
    const { conversationID, isPinned } = given(options, 'pinConversation');
    this.peerOf(conversationID, 'pinConversation');
    await session.inOrder(`pin ${conversationID}`, async () => {
      await session.connection.request('pinConversation', { conversationID, isPinned });
      session.updated({ conversationID, isPinned });
    });
    return ok({ conversationID });
  }

  getTotalUnreadMessageCount(): number {
    return this.list().reduce((sum, conversation) => sum + conversation.unreadCount, 0);
  }

  // Users

  async getMyProfile(): Promise<Result<Profile>> {
    const session = this.ask('getMyProfile');
    const [profile] = await session.fetchProfiles([session.userID]);
    return ok(profile ?? session.profile(session.userID));
  }

  async getUserProfile(options: UserList): Promise<Result<Profile[]>> {
    const session = this.ask('getUserProfile');
    return ok(await session.fetchProfiles(users(options, 'getUserProfile')));
  }

  async updateMyProfile(options: Partial<ProfileFields>): Promise<Result<Profile>> {
    const session = this.ask('updateMyProfile');
    const fields = { ...given(options, 'updateMyProfile') };
    return session.inOrder('profile', async () => {
      const { profile } = await session.connection.request('updateMyProfile', fields);
      return ok(session.learn(profile, true));
    });
  }

  async getBlacklist(): Promise<Result<string[]>> {
    const session = this.ask('getBlacklist');
    const { blacklist } = await session.connection.request('getBlacklist', {});
    session.setBlacklist(blacklist);
    return ok(blacklist);
  }

  addToBlacklist(options: UserList): Promise<Result<string[]>> {
    return this.changeBlacklist('addToBlacklist', options);
  }

  removeFromBlacklist(options: UserList): Promise<Result<string[]>> {
    return this.changeBlacklist('removeFromBlacklist', options);
  }

  private async changeBlacklist(action: 'addToBlacklist' | 'removeFromBlacklist', options: UserList): Promise<Result<string[]>> {
    const session = this.ask(action);
    const parts = chunks(users(options, action), BLACKLIST_AT_ONCE);
    return session.inOrder('blacklist', async () => {
      let list = session.blacklist;
      for (const userIDList of parts) {
        list = (await session.connection.request(action, { userIDList })).blacklist;
        session.setBlacklist(list);
      }
      return ok(list);
    });
  }

  async getUserStatus(options: UserList): Promise<Result<UserStatusData>> {
    const session = this.ask('getUserStatus');
    const data: UserStatusData = { successUserList: [], failureUserList: [] };
    for (const userIDList of chunks(users(options, 'getUserStatus'), STATUSES_AT_ONCE)) {
      const part = await session.connection.request('getUserStatus', { userIDList });
      data.successUserList.push(...part.successUserList);
      data.failureUserList.push(...part.failureUserList);
    }
    return ok(data);
  }

  async subscribeUserStatus(options: UserList): Promise<Result<SubscriptionData>> {
    const session = this.ask('subscribeUserStatus');
    const list = users(options, 'subscribeUserStatus');
    return session.inOrder('status', () => session.watchlist.add(list)).then((failureUserList) => ok({ failureUserList }));
  }

  async unsubscribeUserStatus(options?: Partial<UserList>): Promise<Result<SubscriptionData>> {
    const session = this.ask('unsubscribeUserStatus');
    const list = options?.userIDList === undefined ? undefined : users(options as UserList, 'unsubscribeUserStatus');
    return session.inOrder('status', () => session.watchlist.remove(list)).then(() => ok({ failureUserList: [] }));
  }

  // What all of them need

  /** The session, for a method that needs one. */
  private ask(method: string): Session {
    if (!this.session) throw this.failure(method, this.reason);
    if (!this.session.isReady) {
      throw new ChatError(SDK_NOT_READY, `${method}: login is under way: wait for it, or for SDK_READY`);
    }
    return this.session;
  }

  private failure(method: string, { code, message, data }: ChatError, more: object = {}): ChatError {
    return new ChatError(code, `${method}: ${message}`, { ...data, ...more });
  }

  private peerOf(conversationID: string, method: string): string {
    const peer = typeof conversationID === 'string' && /^C2C(.+)$/.exec(conversationID)?.[1];
    if (peer) return peer;
    throw new ChatError(CONVERSATION_INVALID_ID,
      `${method}: conversationID must be C2C followed by the other user's ID; groups are not served yet`);
  }

  private sequenceOf(message: Message, method: string, code: number): number {
    if (isMessage(message) && message.sequence > 0) return message.sequence;
    throw new ChatError(code, `${method}: this is no message that was sent`);
  }

  private emit<Name extends EventName>(name: Name, data: EventMap[Name]): void {
    this.emitter.emit(name, data);
  }

  private receive(messages: Message[]): void {
    if (this.emitter.has(EVENT.MESSAGE_RECEIVED)) this.emit(EVENT.MESSAGE_RECEIVED, messages);
    else this.held = [...this.held, ...messages].slice(-MAX_HELD);
  }

  /** Somebody listens: what came before he did. */
  private release(): void {
    const messages = this.held.filter((message) => !this.session?.isRead(message));
    this.held = [];
    if (messages.length > 0) this.emit(EVENT.MESSAGE_RECEIVED, messages);
  }

  /** Tells the list once, however much of it has changed in one go. */
  private listChanged(): void {
    if (this.listIsChanging || !this.isReady()) return;
    this.listIsChanging = true;
    void Promise.resolve().then(() => {
      this.listIsChanging = false;
      if (this.isReady()) this.tellList();
    });
  }

  private tellList(): void {
    this.emit(EVENT.CONVERSATION_LIST_UPDATED, this.list());
    const total = this.getTotalUnreadMessageCount();
    if (total === this.total) return;
    this.total = total;
    this.emit(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, total);
  }

  private list(): Conversation[] {
    const session = this.session;
    if (!session) return [];
    return [...session.conversations.values()]
      .filter((state) => state.isListed)
      .map((state) => state.snapshot({ ...session.profile(state.peer) }))
      .sort((a, b) => Number(b.isPinned) - Number(a.isPinned) || b.lastMessage.lastTime - a.lastMessage.lastTime);
  }
}

addUnsupported(Chat.prototype);

function ok<T>(data: T): Result<T> {
  return { code: 0, data };
}

/** Whether a conversation is one of those that programs open unasked, and that have nothing in them: groups and system. */
function isEmpty(conversationID: unknown): conversationID is string {
  return typeof conversationID === 'string' && /^(GROUP.|@TIM#SYSTEM$)/.test(conversationID);
}

function emptyConversation(conversationID: string): Conversation {
  const isGroup = conversationID !== TYPES.CONV_SYSTEM;
  const groupID = isGroup ? conversationID.slice('GROUP'.length) : '';
  return {
    ...new ConversationState(groupID, 0).snapshot(profileOf({ userID: '' })),
    conversationID,
    type: isGroup ? TYPES.CONV_GROUP : TYPES.CONV_SYSTEM,
    groupProfile: isGroup ? { 'groupID': groupID, name: '', avatar: '', type: '' } : {},
  };
}

/** An object that a method was given, which most callers' compilers do not check. */
function given<T extends object>(options: T, method: string): T {
  if (typeof options === 'object' && options !== null) return options;
  throw new ChatError(PARAM_INVALID, `${method}: the argument must be an object, see docs/client.md`);
}

/** What a page, which may be a second old, does not know yet. */
function newerThan(page: readonly Message[], state: ConversationState | undefined): Message[] {
  if (!state) return [];
  const last = page[page.length - 1]?.sequence ?? state.cleared;
  return [...state.messages.values()]
    .filter((message) => message.sequence > last && message.sequence <= state.timeline.top)
    .sort((a, b) => a.sequence - b.sequence);
}

function users(options: UserList, method: string): string[] {
  const list = options?.userIDList;
  if (Array.isArray(list) && list.length > 0 && list.every((userID) => typeof userID === 'string' && userID)) return list;
  throw new ChatError(PARAM_INVALID, `${method}: userIDList must be a list of user IDs`);
}
