/** Logging in and out, and why nobody is logged in when nobody is. */

import {
  KICKED_BY_REST, KICKED_MULT_ACCOUNT, KICKED_MULT_DEVICE, LOGGED_OUT, PARAM_INVALID, REPEAT_LOGIN, SDK_NOT_READY,
  USERSIG_EXPIRED, USERSIG_INVALIDATED, USER_NOT_LOGGED_IN,
} from '../codes.js';
import { EVENT, TYPES } from '../constants.js';
import { ChatError } from '../errors.js';
import { within } from '../lists.js';
import { random32, type Origin } from '../model/message.js';
import { platformName, watchDevice } from '../net/platform.js';
import { flushReadMarks } from '../sync/read-marks.js';
import { Cache } from '../sync/cache.js';
import { Session } from '../sync/session.js';
import type { ChatSDK, CreateOptions, KickedOutType, LoginData, LoginOptions, Nothing, Result } from '../types.js';
import { AppEvents } from './events.js';
import { ok } from './result.js';

/** After `login` has resolved. */
const READY_AFTER_MS = 10;
/** The server notices a closed connection by itself, so nobody waits for its answer to a logout for long. */
const LOGOUT_TIMEOUT_MS = 250;

export type AccountMethods = Pick<ChatSDK, 'login' | 'logout' | 'destroy' | 'isReady' | 'ready' | 'getLoginUser' | 'getServerTime'>;

export function accountMethods(account: Account): AccountMethods {
  return {
    login: (options) => account.login(options),
    logout: () => account.logout(),
    destroy: () => account.destroy(),
    isReady: () => account.isReady,
    ready(callback) {
      if (typeof callback === 'function') {
        if (account.isReady) callback();
        else account.events.emitter.once(EVENT.SDK_READY, () => callback());
      }
      return account.isReady;
    },
    getLoginUser: () => account.userID,
    getServerTime: () => Math.floor(account.now() / 1000),
  };
}

const NOT_LOGGED_IN = new ChatError(USER_NOT_LOGGED_IN, 'nobody is logged in: call login first');

export class Account {
  session: Session | undefined;
  readonly events = new AppEvents(() => this.session);
  /** A random name, so that the server sees a client that comes back and not a second one. */
  private readonly instance = random32();
  private readonly stopWatching: () => void;
  private isLoggingIn = false;
  /** A logout that is under way. */
  private loggingOut: Promise<void> | undefined;
  /** Why nobody is logged in. */
  private reason = NOT_LOGGED_IN;

  constructor(private readonly options: Partial<CreateOptions>) {
    this.stopWatching = watchDevice({
      network: (isConnected) => this.session?.connection.networkChanged(isConnected),
      shown: () => this.session?.wakeUp(),
    });
  }

  get isReady(): boolean {
    return this.session?.isReady ?? false;
  }

  /** Empty when nobody is logged in. */
  get userID(): string {
    return this.session?.userID ?? '';
  }

  /** The server's time as far as it is known, in milliseconds. */
  now(): number {
    return this.session?.connection.clock.now() ?? Date.now();
  }

  /** Where a message that is built now comes from. */
  get origin(): Origin {
    return { userID: this.userID, instance: this.instance, now: this.now() };
  }

  /** The session, for a method that needs one. */
  requireSession(): Session {
    if (!this.session) throw this.reason;
    if (!this.session.isReady) {
      throw new ChatError(SDK_NOT_READY, 'login is under way: wait for it, or for SDK_READY');
    }
    return this.session;
  }

  login(options: LoginOptions): Promise<Result<LoginData>> {
    const login = this.startSessionFor(options);
    // A promise that resolves takes a few turns, where promises are made of timers even real ones.
    login.then(({ data }) => {
      const session = this.session;
      if (session && !data.repeatLogin) setTimeout(() => this.tellReady(session), READY_AFTER_MS);
    }, () => {});
    return login;
  }

  private async startSessionFor(options: LoginOptions): Promise<Result<LoginData>> {
    const { userID, userSig } = options ?? {};
    if (typeof userID !== 'string' || !userID || typeof userSig !== 'string' || !userSig) {
      throw new ChatError(PARAM_INVALID, 'Params validate failed. login: userID and userSig must be texts that are not empty');
    }
    if (this.isLoggingIn) throw new ChatError(REPEAT_LOGIN, 'another login is under way: wait for it');
    if (this.session?.userID === userID && !this.loggingOut) {
      const errorInfo = `${userID} is logged in already`;
      return ok({ actionStatus: 'OK', errorCode: 0, errorInfo, repeatLogin: true });
    }
    this.isLoggingIn = true;
    try {
      // Another account, or the same one on its way out: of the one before nothing may be left.
      if (this.session) await this.logout();
      await this.startSession(userID, userSig);
    } finally {
      this.isLoggingIn = false;
    }
    return ok({ actionStatus: 'OK', errorCode: 0, errorInfo: '' });
  }

  private async startSession(userID: string, userSig: string): Promise<void> {
    const session: Session = new Session(userID, this.url(userID, userSig), this.events, (error) => this.kickedOut(session, error),
      this.options.conversationLimit, this.options.cache ? new Cache(this.owner(userID)) : undefined);
    this.session = session;
    try {
      await session.open();
    } catch (error) {
      session.close(error as ChatError);
      if (this.session === session) this.session = undefined;
      throw error;
    }
    this.events.netState(TYPES.NET_STATE_CONNECTED);
  }

  /** Programs for the SDK wait for the event, some of them only from when `login` has resolved. */
  private tellReady(session: Session): void {
    if (this.session === session) this.events.tellList();
    // What is told may have been answered with a logout. Some programs know of their groups by this alone.
    if (this.session === session) this.events.tellGroups();
    if (this.session === session) this.events.emit(EVENT.SDK_READY, undefined);
    // Not before those who wait for the event have had the time to listen.
    setTimeout(() => session.announce(), 0);
  }

  /** Whose data it is that is kept on the device. */
  private owner(userID: string): string {
    const { SDKAppID, proxyServer } = this.options;
    return [SDKAppID, userID, proxyServer].join();
  }

  private url(userID: string, userSig: string): string {
    const { SDKAppID, proxyServer = '' } = this.options;
    if (!/^wss?:\/\/[^/]/.test(proxyServer)) {
      throw new ChatError(PARAM_INVALID, 'there is no server to connect to: pass the WebSocketUrl of your deployment, '
        + 'TIM.create({ SDKAppID, proxyServer: \'wss://…\' })');
    }
    if (!SDKAppID) throw new ChatError(PARAM_INVALID, 'TIM.create needs the SDKAppID of your deployment, a number');
    const base = proxyServer.replace(/\/+$/, '');
    const query = { SDKAppID, userID, userSig, 'platform': platformName(), 'instance': this.instance };
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return `${base}${base.includes('?') ? '&' : '?'}${pairs.join('&')}`;
  }

  logout(): Promise<Result<Nothing>> {
    const session = this.session;
    if (!session) return Promise.reject(this.reason);
    // Said twice, it is the same end that is waited for.
    this.loggingOut ??= this.logOutAndClose(session).then(() => { this.loggingOut = undefined; });
    return this.loggingOut.then(() => ok({}));
  }

  private async logOutAndClose(session: Session): Promise<void> {
    flushReadMarks(session);
    const { connection } = session;
    const forgotten = session.forget();
    // This only makes sure that no push is on its way.
    if (connection.isOpen) await connection.request('logout', {}, LOGOUT_TIMEOUT_MS).catch(() => {});
    if (forgotten) await within(LOGOUT_TIMEOUT_MS, forgotten);
    this.endSession(session, new ChatError(LOGGED_OUT, 'the user has logged out'), NOT_LOGGED_IN);
  }

  async destroy(): Promise<Result<Nothing>> {
    if (this.session) await this.logout();
    this.stopWatching();
    this.events.emit(EVENT.SDK_DESTROY, undefined);
    this.events.emitter.clear();
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
    // Their operator does not want them to see any more of it.
    if (isRevoked) void session.forget();
    const code = reasons[kind] ?? (isRevoked ? KICKED_BY_REST : USERSIG_EXPIRED);
    const reason = new ChatError(code, `${error.message}: call login again`);
    this.endSession(session, reason, reason, kind);
  }

  /** Ends a session, unless it has ended already. An app that logs in again when it hears so finds nothing of it. */
  private endSession(session: Session, error: ChatError, reason: ChatError, type?: KickedOutType): void {
    if (this.session !== session) return;
    session.close(error);
    this.session = undefined;
    this.reason = reason;
    this.events.reset();
    if (type) this.events.emit(EVENT.KICKED_OUT, { type });
    this.events.emit(EVENT.SDK_NOT_READY, undefined);
  }
}
