/**
 * A connection that outlives its sockets: it logs in again when a socket is lost, and says `ping` in between. What is
 * asked over it, and what becomes of that when a socket is lost, is in `requests.ts`.
 */

import {
  KICKED_MULT_ACCOUNT, KICKED_MULT_DEVICE, NETWORK_ERROR, NETWORK_TIMEOUT, USERSIG_CHECK_FAILED, USERSIG_EXPIRED_ON_SERVER,
  USERSIG_INVALIDATED,
} from '../codes.js';
import { ChatError } from '../errors.js';
import { toJSON } from '../json.js';
import type { NetState } from '../types.js';
import type { KickedOut, Login, LoginReply, Push, Reply } from '../wire.js';
import { backOff } from './backoff.js';
import { openSocket, type Socket } from './platform.js';
import { Requests } from './requests.js';
import { ServerClock } from './server-clock.js';

/** What is told of a connection. */
export interface ConnectionEvents {
  /** What a login asks for. */
  loginData(): Login;
  /** It is logged in, for the first time or again. */
  loggedIn(reply: LoginReply): void;
  pushed(push: Push): void;
  netState(state: NetState): void;
  /** The server has ended it for good. */
  ended(error: ChatError): void;
}

/** How long the attempt to open a socket and to log in over it may take. */
const ATTEMPT_TIMEOUT_MS = 10_000;
/** How long the first login may take, with all its attempts. */
const LOGIN_TIMEOUT_MS = 15_000;
/** A first login that the device says is refused is given up after this time, or after so many attempts. */
const REFUSED_TIMEOUT_MS = 4_500;
const MAX_REFUSALS = 4;
/** A connection that has lasted this long was a good one. */
const GOOD_MS = 20_000;
/** How long before API Gateway's cut a new connection is made. */
const RENEWAL_MS = 300_000;

export class Connection extends Requests {
  readonly clock = new ServerClock(() => this.askTime());
  /** When the last frame came, in the server's time. */
  lastContact = 0;
  /** The same of the socket before this one. */
  contactBefore = 0;
  /** How many frames have come. */
  framesReceived = 0;

  private socket: Socket | undefined;
  private state: NetState | undefined;
  /** A connection is being renewed, and nothing has gone wrong with it. */
  private isRenewing = false;
  /** How many attempts to connect have failed in a row. */
  private attempts = 0;
  /** How often the device has said that the first login failed, since there was a network. */
  private refusals = 0;
  private openedAt = 0;
  /** How often in a row a login was answered with another device's. */
  private replacements = 0;
  /** Why the last socket has ended. */
  private lastFailure = '';
  private attemptTimer: number | undefined;
  private retryTimer: number | undefined;
  private pingTimer: number | undefined;
  private renewalTimer: number | undefined;
  private firstLogin: { resolve: () => void; reject: (error: ChatError) => void } | undefined;

  constructor(private readonly url: string, private readonly events: ConnectionEvents) {
    super();
  }

  /** Connects and logs in for the first time. Later it goes on by itself. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.giveUp(), LOGIN_TIMEOUT_MS);
      const early = setTimeout(() => { if (this.refusals > 1) this.giveUp(); }, REFUSED_TIMEOUT_MS);
      const settle = (): void => {
        clearTimeout(timer);
        clearTimeout(early);
        this.firstLogin = undefined;
      };
      this.firstLogin = {
        resolve: () => { settle(); resolve(); },
        reject: (error) => { settle(); reject(error); },
      };
      this.clock.start();
      this.connect();
    });
  }

  /** The network has changed: the old socket is dead, whatever it believes. */
  networkChanged(isConnected: boolean): void {
    if (this.isClosed) return;
    this.attempts = this.refusals = 0;
    this.drop();
    if (isConnected) {
      this.connect();
    } else {
      this.setNetState('disconnected');
      this.connectLater();
    }
  }

  /** Connects at once instead of waiting any longer. Returns whether it was connected already. */
  wakeUp(): boolean {
    if (this.isClosed || this.isOpen) return this.isOpen;
    this.attempts = 0;
    if (!this.socket) this.connect();
    return false;
  }

  /** There is reason to believe that the socket is dead. */
  restart(): void {
    if (this.isClosed) return;
    this.drop();
    this.connect();
  }

  close(error: ChatError): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.clock.stop();
    this.drop();
    this.firstLogin?.reject(error);
    this.rejectAll(error);
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.setNetState('connecting');
    this.attemptTimer = setTimeout(() => this.lost('it took too long', false), ATTEMPT_TIMEOUT_MS);
    let socket: Socket | undefined;
    const isCurrent = (): boolean => this.socket === socket;
    try {
      socket = this.socket = openSocket(this.url, {
        opened: () => {
          if (isCurrent()) socket?.send(toJSON({ action: 'login', requestID: 'login', data: this.events.loginData() }));
        },
        received: (frame) => { if (isCurrent()) this.received(frame); },
        ended: (why) => { if (isCurrent()) this.lost(why); },
      });
    } catch (error) {
      this.lost(String(error));
      // It will throw the next time, too.
      if (this.firstLogin) this.giveUp(NETWORK_ERROR);
    }
  }

  private received(frame: string): void {
    const now = this.clock.now();
    // What is not known is not said: the time before is right, only early.
    if (!this.clock.isAdrift) this.lastContact = now;
    this.framesReceived += 1;
    let parsed: Partial<Reply> & Partial<Push>;
    try {
      parsed = JSON.parse(frame) || {};
    } catch {
      return;
    }
    if (parsed.event === 'kickedOut') {
      const data = parsed.data as { type: KickedOut };
      if (data.type === 'REST_API_Kick') {
        return this.end(new ChatError(USERSIG_INVALIDATED, 'the operator has kicked this user: ask your server for a new UserSig', data));
      }
      const code = data.type === 'multipleDevice' ? KICKED_MULT_DEVICE : KICKED_MULT_ACCOUNT;
      return this.end(new ChatError(code, 'this account is in use elsewhere: log in again if it should be here', data));
    }
    if (parsed.event) return this.events.pushed(parsed as Push);
    if (typeof parsed.code === 'number') this.replied(parsed as Reply);
    // Anything else is API Gateway's own: an internal error that names no request. The wait for the
    // answer finds out which one it was.
  }

  private replied(reply: Reply): void {
    const { code, message, data } = reply;
    if (code === USERSIG_EXPIRED_ON_SERVER || code === USERSIG_INVALIDATED) {
      return this.end(new ChatError(code, message));
    }
    if (reply.requestID === 'login') {
      if (code === 0) return this.loggedIn(data as LoginReply);
      // Twice in a row, it is no crossing of two handshakes of this client.
      if (code === KICKED_MULT_ACCOUNT && ++this.replacements > 1) {
        return this.end(new ChatError(code, message, { type: 'multipleAccount' satisfies KickedOut }));
      }
      return this.lost(message);
    }
    this.answer(reply);
  }

  private loggedIn(reply: LoginReply): void {
    clearTimeout(this.attemptTimer);
    this.isOpen = true;
    this.openedAt = Date.now();
    this.replacements = 0;
    this.clock.set(reply.serverTime);
    this.lastContact = reply.serverTime * 1000;
    this.scheduleHeartbeat(reply.heartbeatSeconds * 1000);
    const left = (reply.connectedTime + reply.connectionSeconds - reply.serverTime) * 1000;
    // Not all clients of an outage at the same moment two hours later.
    const renewIn = Math.max(left - RENEWAL_MS, 60_000) * (0.9 + Math.random() / 10);
    this.renewalTimer = setTimeout(() => this.renew(), renewIn);
    this.setNetState('connected');
    this.events.loggedIn(reply);
    this.resume();
    this.firstLogin?.resolve();
  }

  protected send(frame: string): void {
    this.socket?.send(frame);
  }

  private scheduleHeartbeat(every: number): void {
    this.pingTimer = setTimeout(() => {
      this.send('{"action":"ping"}');
      if (this.isOpen) this.scheduleHeartbeat(every);
    }, every);
  }

  private askTime(): void {
    if (this.isOpen) this.request('login', {}, ATTEMPT_TIMEOUT_MS).then((reply) => this.clock.set(reply.serverTime), () => {});
  }

  /** A new connection before the old one is cut. Nobody has to hear of it. */
  private renew(): void {
    this.isRenewing = true;
    this.drop();
    this.connect();
  }

  /** The socket has ended, or an attempt has failed. `isReported` says that the device or the server has said so. */
  private lost(why: string, isReported = true): void {
    this.lastFailure = why;
    this.drop(true);
    this.isRenewing = false;
    // The device says which status a handshake was refused with, if it says anything.
    const refusal = /\b(401|403)\b/.exec(why);
    if (refusal && this.firstLogin) {
      return this.close(new ChatError(USERSIG_CHECK_FAILED,
        `the server refused the UserSig (${refusal[0]}): compare SDKAppID, userID and key`));
    }
    // A slow network says nothing, and is waited for. One that says no, and says it again, means it.
    if (this.firstLogin && isReported && ++this.refusals >= MAX_REFUSALS) return this.giveUp();
    this.setNetState('connecting');
    this.connectLater();
  }

  private connectLater(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), backOff(this.attempts++));
  }

  private giveUp(code = NETWORK_TIMEOUT): void {
    this.close(new ChatError(code,
      'no connection. Is proxyServer right and in the socket domain whitelist, is the UserSig good for '
      + `this SDKAppID and userID? ${this.lastFailure}`.trim()));
  }

  private end(error: ChatError): void {
    const isFirst = this.firstLogin !== undefined;
    this.close(error);
    if (!isFirst) this.events.ended(error);
  }

  private drop(isLost = false): void {
    for (const timer of [this.attemptTimer, this.retryTimer, this.pingTimer, this.renewalTimer]) clearTimeout(timer);
    this.pause(isLost);
    if (this.isOpen) {
      this.contactBefore = this.lastContact;
      // One that is cut right after the login, again and again, must not be made without a pause.
      if (Date.now() - this.openedAt > GOOD_MS) this.attempts = 0;
    }
    this.isOpen = false;
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
  }

  private setNetState(state: NetState): void {
    if (state === 'connecting' && (this.isRenewing || this.firstLogin)) return;
    this.isRenewing = false;
    if (state === this.state) return;
    this.state = state;
    this.events.netState(state);
  }
}
