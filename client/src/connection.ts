/**
 * A connection that outlives its sockets: it logs in again when a socket is lost, sends again what
 * had no answer, and says `ping` in between. Every request of the protocol may be repeated, so a
 * request simply lasts until its answer comes.
 */

import {
  KICKED_MULT_ACCOUNT, KICKED_MULT_DEVICE, MESSAGE_TOO_LARGE, NETWORK_ERROR, NETWORK_TIMEOUT, SEND_FAILED, SERVER_FAILED,
  TOO_MANY_REQUESTS, USERSIG_CHECK_FAILED, USERSIG_EXPIRED_ON_SERVER, USERSIG_INVALIDATED,
} from './codes.js';
import { ChatError } from './errors.js';
import { toJSON } from './json.js';
import { openSocket, type Socket } from './platform.js';
import type { Actions, KickedOut, LoginReply, Push, Reply } from './wire.js';

export type NetState = 'connected' | 'connecting' | 'disconnected';

/** What the owner of a connection is told. */
export interface ConnectionOwner {
  /** It is logged in, for the first time or again. */
  loggedIn(reply: LoginReply): void;
  pushed(push: Push): void;
  netState(state: NetState): void;
  /** The server has ended it for good. */
  ended(error: ChatError): void;
}

/** In the hands of whoever may give a request up before its answer comes. */
export interface Ticket {
  isOver?: boolean;
  /** Forgets the request that is under way. */
  end?: () => void;
}

interface Pending {
  id: string;
  action: string;
  frame: string;
  resolve: (data: never) => void;
  reject: (error: ChatError) => void;
  /** How many sockets have ended while it had no answer. */
  losses: number;
  /** How often it was sent over this socket. */
  sent: number;
  /** Ends the wait for one answer. */
  timer?: number | undefined;
  /** Ends the whole wait. */
  deadline?: number | undefined;
}

const ATTEMPT_MS = 10_000;
const LOGIN_MS = 15_000;
/** A first login that the device says is refused is told after this time, or after so many attempts. */
const TOLD_MS = 4_500;
const REFUSALS = 4;
/** How often the device's clock is looked at, and how late a timer may be in a page that nobody sees. */
const TICK_MS = 15_000;
const LATE_MS = 90_000;
const REQUEST_MS = 30_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** How far apart requests are that were refused because they came too early. */
const TURN_MS = 100;
/** A connection that has lasted this long was a good one. */
const GOOD_MS = 20_000;
/** After so many sockets that have ended before it was answered, it is the request. */
const LOSSES = 4;
/** API Gateway ends a connection that says more at once. */
const MAX_FRAME_BYTES = 32 * 1024;
/** How often the server is asked again after it has failed. */
const ATTEMPTS = 6;
/** How long before API Gateway's cut a new connection is made. */
const RENEWAL_MS = 300_000;

export class Connection {
  /** When the last frame came, in the server's time. */
  lastContact = 0;
  /** The same of the socket before this one. */
  contactBefore = 0;
  /** How many frames have come. */
  heard = 0;
  /** Somebody is logged in over a socket. */
  isOpen = false;

  private socket: Socket | undefined;
  private isClosed = false;
  private state: NetState | undefined;
  /** A connection is being renewed, and nothing has gone wrong with it. */
  private quietly = false;
  private attempts = 0;
  /** How often the device has said that the first login failed, since there was a network. */
  private refusals = 0;
  /** The server's time minus this device's, in milliseconds. */
  private clockOffset = 0;
  /** The device's clock was set or has slept, and the server was not asked since. */
  private isAdrift = false;
  /** When the last of the requests that came too early is sent again. */
  private turnAt = 0;
  private tickedAt = 0;
  private tickTimer: number | undefined;
  private openedAt = 0;
  private replaced = 0;
  private nextID = 0;
  private why = '';
  private readonly pending = new Map<string, Pending>();
  private attemptTimer: number | undefined;
  private retryTimer: number | undefined;
  private pingTimer: number | undefined;
  private renewalTimer: number | undefined;
  private firstLogin: { resolve: () => void; reject: (error: ChatError) => void } | undefined;

  constructor(private readonly url: string, private readonly owner: ConnectionOwner) {}

  /** Connects and logs in for the first time. Later it goes on by itself. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.giveUp(), LOGIN_MS);
      const early = setTimeout(() => { if (this.refusals > 1) this.giveUp(); }, TOLD_MS);
      const settle = (): void => {
        clearTimeout(timer);
        clearTimeout(early);
        this.firstLogin = undefined;
      };
      this.firstLogin = {
        resolve: () => { settle(); resolve(); },
        reject: (error) => { settle(); reject(error); },
      };
      this.tickedAt = Date.now();
      this.tick();
      this.connect();
    });
  }

  /** The server's time, in milliseconds. */
  now(): number {
    const now = Date.now();
    const passed = now - this.tickedAt;
    this.tickedAt = now;
    // Timers do not care what the clock says. If it says something else than they do, it was set, or everything slept.
    if (passed < -1_000 || passed > TICK_MS + LATE_MS) {
      if (passed < 0) this.clockOffset -= passed;
      this.isAdrift = true;
      this.askTime();
    }
    return now + this.clockOffset;
  }

  private tick(): void {
    this.tickTimer = setTimeout(() => {
      const isUnanswered = this.isAdrift;
      this.now();
      if (isUnanswered) this.askTime();
      this.tick();
    }, TICK_MS);
  }

  private askTime(): void {
    // Should there be no answer, the next tick asks again; a new connection says it anyway.
    if (this.isOpen) this.request('login', {}, ATTEMPT_MS).then((reply) => this.setTime(reply), () => {});
  }

  private setTime(reply: LoginReply): void {
    this.clockOffset = reply.serverTime * 1000 - Date.now();
    this.isAdrift = false;
  }

  /** Asks, and waits for the answer: for ever when `patience` is Infinity. */
  request<A extends keyof Actions>(
    action: A, data: Actions[A]['data'], patience = REQUEST_MS, ticket: Ticket = {},
  ): Promise<Actions[A]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(new ChatError(NETWORK_ERROR, `${action}: the connection is closed`));
      const id = String(++this.nextID);
      const frame = toJSON({ action, requestID: id, data });
      if (byteLength(frame) > MAX_FRAME_BYTES) {
        return reject(new ChatError(MESSAGE_TOO_LARGE, `${action}: this is too large: send a link to a file`));
      }
      const pending: Pending = { id, action, frame, resolve, reject, losses: 0, sent: 0 };
      ticket.end = () => this.forget(pending);
      if (patience !== Infinity) {
        pending.deadline = setTimeout(() => {
          this.forget(pending);
          reject(new ChatError(NETWORK_TIMEOUT, `${action}: no answer within ${patience / 1000} s, try again`));
        }, patience);
      }
      this.pending.set(id, pending);
      if (this.isOpen) this.transmit(pending);
    });
  }

  /** As `request`, but asks again when the server has failed or is busy. */
  async persist<A extends keyof Actions>(
    action: A, data: Actions[A]['data'], patience?: number, ticket: Ticket = {},
  ): Promise<Actions[A]['reply']> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.request(action, data, patience, ticket);
      } catch (error) {
        const { code, data } = error as ChatError;
        const isTransient = code === SERVER_FAILED || code === TOO_MANY_REQUESTS || code === SEND_FAILED && !('lastSequence' in data);
        if (!isTransient || attempt === ATTEMPTS || this.isClosed) throw error;
        const after = Number((data as Record<string, unknown>)['retryAfterSeconds'] ?? 0) * 1_000;
        // Whoever waits would rather know.
        if (after > LONGEST_DELAY_MS) throw error;
        const limit = FIRST_DELAY_MS * 2 ** attempt;
        const delay = Math.max(limit * (0.5 + Math.random() / 2), after > 0 ? this.turn(after) : 0);
        await new Promise<void>((resolve) => setTimeout(resolve, delay));
        if (ticket.isOver) throw error;
      }
    }
  }

  /** How long a request waits that came too early. Those that were refused together do not come back together. */
  private turn(after: number): number {
    const now = Date.now();
    // Further away than anything waits is a clock that was set.
    const last = this.turnAt - now > LONGEST_DELAY_MS ? 0 : this.turnAt;
    this.turnAt = Math.max(last + TURN_MS, now + after);
    return this.turnAt - now;
  }

  /** Says something that has no answer. Returns whether there was somebody to say it to. */
  say<A extends keyof Actions>(action: A, data: Actions[A]['data']): boolean {
    if (this.isOpen) this.socket?.send(toJSON({ action, data }));
    return this.isOpen;
  }

  /** The network has changed: the old socket is dead, whatever it believes. */
  networkChanged(isConnected: boolean): void {
    if (this.isClosed) return;
    this.attempts = this.refusals = 0;
    this.drop();
    if (isConnected) {
      this.connect();
    } else {
      this.tell('disconnected');
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
    clearTimeout(this.tickTimer);
    this.drop();
    this.firstLogin?.reject(error);
    for (const pending of [...this.pending.values()]) {
      this.forget(pending);
      pending.reject(error);
    }
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.tell('connecting');
    this.attemptTimer = setTimeout(() => this.lost('it took too long', false), ATTEMPT_MS);
    let socket: Socket | undefined;
    const isCurrent = (): boolean => this.socket === socket;
    try {
      socket = this.socket = openSocket(this.url, {
        opened: () => {
          if (isCurrent()) socket?.send(toJSON({ action: 'login', requestID: 'login', data: {} }));
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
    const now = this.now();
    // What is not known is not said: the time before is right, only early.
    if (!this.isAdrift) this.lastContact = now;
    this.heard += 1;
    let parsed: Partial<Reply> & Partial<Push>;
    try {
      parsed = JSON.parse(frame) || {};
    } catch {
      return;
    }
    if (parsed.event === 'kickedOut') {
      const data = parsed.data as { type: KickedOut };
      if (data.type === 'REST_API_Kick') {
        return this.end(new ChatError(USERSIG_INVALIDATED, 'the operator has put this user out: ask your server for a new UserSig', data));
      }
      const code = data.type === 'multipleDevice' ? KICKED_MULT_DEVICE : KICKED_MULT_ACCOUNT;
      return this.end(new ChatError(code, 'this account is in use elsewhere: log in again if it should be here', data));
    }
    if (parsed.event) return this.owner.pushed(parsed as Push);
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
      if (code === KICKED_MULT_ACCOUNT && ++this.replaced > 1) {
        return this.end(new ChatError(code, message, { type: 'multipleAccount' }));
      }
      return this.lost(message);
    }
    const pending = reply.requestID ? this.pending.get(reply.requestID) : code !== 0 ? this.meant(reply.action) : undefined;
    if (!pending) return;
    this.forget(pending);
    if (code === 0) pending.resolve(data as never);
    else pending.reject(new ChatError(code, message || `the server refuses this with ${code}`, data || {}));
  }

  /** Of a frame that it could not read, the server cannot say which one it was. It is the only one that waits, if there is only one. */
  private meant(action: string | undefined): Pending | undefined {
    const waiting = [...this.pending.values()].filter((each) => each.sent > 0 && (!action || each.action === action));
    return waiting.length === 1 ? waiting[0] : undefined;
  }

  private loggedIn(reply: LoginReply): void {
    clearTimeout(this.attemptTimer);
    this.isOpen = true;
    this.openedAt = Date.now();
    this.replaced = 0;
    this.setTime(reply);
    this.lastContact = reply.serverTime * 1000;
    this.beat(reply.heartbeatSeconds * 1000);
    const left = (reply.connectedTime + reply.connectionSeconds - reply.serverTime) * 1000;
    // Not all clients of an outage at the same moment two hours later.
    const renewIn = Math.max(left - RENEWAL_MS, 60_000) * (0.9 + Math.random() / 10);
    this.renewalTimer = setTimeout(() => this.renew(), renewIn);
    const unanswered = [...this.pending.values()];
    this.tell('connected');
    this.owner.loggedIn(reply);
    for (const pending of unanswered) this.transmit(pending);
    this.firstLogin?.resolve();
  }

  private beat(every: number): void {
    this.pingTimer = setTimeout(() => {
      this.socket?.send('{"action":"ping"}');
      if (this.isOpen) this.beat(every);
    }, every);
  }

  /** A new connection before the old one is cut. Nobody has to hear of it. */
  private renew(): void {
    this.quietly = true;
    this.drop();
    this.connect();
  }

  private transmit(pending: Pending): void {
    pending.sent += 1;
    // Once may be a function that failed; twice is a socket that leads nowhere.
    pending.timer = setTimeout(() => { if (pending.sent > 1) this.restart(); else this.transmit(pending); }, ATTEMPT_MS);
    this.socket?.send(pending.frame);
  }

  private forget(pending: Pending): void {
    clearTimeout(pending.timer);
    clearTimeout(pending.deadline);
    this.pending.delete(pending.id);
  }

  /** The socket has ended, or an attempt has failed. `isTold` says that somebody has said so. */
  private lost(why: string, isTold = true): void {
    this.why = why;
    for (const pending of [...this.pending.values()]) {
      if (pending.sent === 0 || ++pending.losses < LOSSES) continue;
      this.forget(pending);
      pending.reject(new ChatError(NETWORK_ERROR, `${pending.action}: the connection has ended each time before an answer came: try again`));
    }
    this.drop();
    this.quietly = false;
    // The device says which status a handshake was refused with, if it says anything.
    const refusal = /\b(401|403)\b/.exec(why);
    if (refusal && this.firstLogin) {
      return this.close(new ChatError(USERSIG_CHECK_FAILED,
        `login: the server refused the UserSig (${refusal[0]}): compare SDKAppID, userID and key`));
    }
    // A slow network says nothing, and is waited for. One that says no, and says it again, means it.
    if (this.firstLogin && isTold && ++this.refusals >= REFUSALS) return this.giveUp();
    this.tell('connecting');
    this.connectLater();
  }

  private connectLater(): void {
    const limit = Math.min(FIRST_DELAY_MS * 2 ** this.attempts++, LONGEST_DELAY_MS);
    clearTimeout(this.retryTimer);
    // Not all at the same moment, because many clients lose their connection together.
    this.retryTimer = setTimeout(() => this.connect(), limit * (0.5 + Math.random() / 2));
  }

  private giveUp(code = NETWORK_TIMEOUT): void {
    this.close(new ChatError(code,
      'login: no connection. Is proxyServer right and in the socket domain whitelist, is the UserSig good for '
      + `this SDKAppID and userID? ${this.why}`.trim()));
  }

  private end(error: ChatError): void {
    const isFirst = this.firstLogin !== undefined;
    this.close(error);
    if (!isFirst) this.owner.ended(error);
  }

  private drop(): void {
    for (const timer of [this.attemptTimer, this.retryTimer, this.pingTimer, this.renewalTimer]) clearTimeout(timer);
    for (const pending of this.pending.values()) {
      clearTimeout(pending.timer);
      pending.sent = 0;
    }
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

  private tell(state: NetState): void {
    if (state === 'connecting' && (this.quietly || this.firstLogin)) return;
    this.quietly = false;
    if (state === this.state) return;
    this.state = state;
    this.owner.netState(state);
  }
}

/** In UTF-8. */
function byteLength(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // The two halves of a pair have four bytes together.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || unit >> 11 === 0x1b ? 2 : 3;
  }
  return bytes;
}
