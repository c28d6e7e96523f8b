/**
 * Requests and their answers. Every request of the protocol may be repeated, so one that has no answer is sent again,
 * over the same socket and over the next, until the answer comes or its time is over.
 */

import { MESSAGE_TOO_LARGE, NETWORK_ERROR, NETWORK_TIMEOUT, SEND_FAILED, SERVER_FAILED, TOO_MANY_CHANGES, TOO_MANY_REQUESTS } from '../codes.js';
import { ChatError } from '../errors.js';
import { toJSON } from '../json.js';
import { MAX_FRAME_BYTES, type Actions, type Reply } from '../wire.js';
import { LONGEST_DELAY_MS, backOff } from './backoff.js';
import { errorDataOf } from './error-data.js';

/** For a caller that may give a request up before its answer comes. */
export interface Cancellation {
  isCancelled?: boolean;
  /** Forgets the request that is under way, which is rejected. */
  forget?: () => void;
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

/** How long a request waits for its answer, unless it says otherwise. */
const TIMEOUT_MS = 30_000;
/** How long before it is sent again. */
const ATTEMPT_MS = 10_000;
/** How often the server is asked again after it has failed. */
const MAX_ATTEMPTS = 6;
/** After so many sockets that have ended before it was answered, it is the request. */
const MAX_LOSSES = 4;
/** How far apart requests are that were refused because they came too early. */
const SPACING_MS = 100;

/** What carries the frames is in `connection.ts`. */
export abstract class Requests {
  /** The user is logged in over a socket. */
  isOpen = false;
  protected isClosed = false;
  private readonly pending = new Map<string, Pending>();
  private nextID = 0;
  /** When the last of the requests that came too early is sent again. */
  private lastRetryAt = 0;

  /** Whether an answer is due. */
  get isWaiting(): boolean {
    return this.pending.size > 0;
  }

  /** There is reason to believe that the socket is dead. */
  abstract restart(): void;

  /** Sends a frame, if there is a socket. */
  protected abstract send(frame: string): void;

  /** Asks, and waits for the answer: for ever when `timeout` is Infinity, and otherwise for so many milliseconds. */
  request<A extends keyof Actions>(
    action: A, data: Actions[A]['data'], timeout = TIMEOUT_MS, cancellation: Cancellation = {},
  ): Promise<Actions[A]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(new ChatError(NETWORK_ERROR, `${action}: the connection is closed`));
      const id = String(++this.nextID);
      const frame = toJSON({ action, requestID: id, data });
      if (byteLength(frame) > MAX_FRAME_BYTES) {
        return reject(new ChatError(MESSAGE_TOO_LARGE, `${action}: this is too large: send a link to a file`));
      }
      const pending: Pending = { id, action, frame, resolve, reject, losses: 0, sent: 0 };
      cancellation.forget = () => {
        this.forget(pending);
        reject(new ChatError(NETWORK_ERROR, `${action}: it was given up`));
      };
      if (timeout !== Infinity) {
        pending.deadline = setTimeout(() => {
          this.forget(pending);
          reject(new ChatError(NETWORK_TIMEOUT, `${action}: no answer within ${timeout / 1000} s, try again`));
        }, timeout);
      }
      this.pending.set(id, pending);
      if (this.isOpen) this.transmit(pending);
    });
  }

  /** As `request`, but asks again when the server has failed or is busy. */
  async requestWithRetry<A extends keyof Actions>(
    action: A, data: Actions[A]['data'], timeout?: number, cancellation: Cancellation = {},
  ): Promise<Actions[A]['reply']> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.request(action, data, timeout, cancellation);
      } catch (error) {
        const { code } = error as ChatError;
        const { lastSequence, retryAfterMs } = errorDataOf(error as ChatError);
        const isTransient = code === SERVER_FAILED || code === TOO_MANY_REQUESTS || code === TOO_MANY_CHANGES || code === SEND_FAILED && lastSequence === undefined;
        if (!isTransient || attempt === MAX_ATTEMPTS || this.isClosed) throw error;
        // Nobody waits for so long without being told.
        if (retryAfterMs > LONGEST_DELAY_MS) throw error;
        const delay = Math.max(backOff(attempt), retryAfterMs > 0 ? this.spaced(retryAfterMs) : 0);
        await new Promise<void>((resolve) => setTimeout(resolve, delay));
        if (cancellation.isCancelled) throw error;
      }
    }
  }

  /** How long a request waits that came too early. Those that were refused together do not come back together. */
  private spaced(after: number): number {
    const now = Date.now();
    // Further away than anything waits is a clock that was set.
    const last = this.lastRetryAt - now > LONGEST_DELAY_MS ? 0 : this.lastRetryAt;
    this.lastRetryAt = Math.max(last + SPACING_MS, now + after);
    return this.lastRetryAt - now;
  }

  /** Says something that has no answer. Returns whether there was a connection to say it over. */
  notify<A extends keyof Actions>(action: A, data: Actions[A]['data']): boolean {
    if (this.isOpen) this.send(toJSON({ action, data }));
    return this.isOpen;
  }

  /** A reply has come. */
  protected answer({ requestID, action, code, message, data }: Reply): void {
    const pending = requestID ? this.pending.get(requestID) : code !== 0 ? this.unreadable(action) : undefined;
    if (!pending) return;
    this.forget(pending);
    if (code === 0) pending.resolve(data as never);
    else pending.reject(new ChatError(code, message || `the server refuses this with ${code}`, data || {}));
  }

  /** Of a frame that it could not read, the server cannot say which one it was. It is the only one that waits, if there is only one. */
  private unreadable(action: string | undefined): Pending | undefined {
    const waiting = [...this.pending.values()].filter((each) => each.sent > 0 && (!action || each.action === action));
    return waiting.length === 1 ? waiting[0] : undefined;
  }

  /** The link is open again: sends what has no answer yet, but for what was asked since. */
  protected resume(): void {
    for (const pending of this.pending.values()) if (this.isOpen && pending.sent === 0) this.transmit(pending);
  }

  /** The socket is gone, and nothing is sent until there is another one. `isLost` says that it has ended by itself. */
  protected pause(isLost: boolean): void {
    for (const pending of [...this.pending.values()]) {
      clearTimeout(pending.timer);
      if (isLost && pending.sent > 0 && ++pending.losses >= MAX_LOSSES) {
        this.forget(pending);
        pending.reject(new ChatError(NETWORK_ERROR, `${pending.action}: the connection has ended each time before an answer came: try again`));
      }
      pending.sent = 0;
    }
  }

  /** Nothing is answered any more. */
  protected rejectAll(error: ChatError): void {
    for (const pending of [...this.pending.values()]) {
      this.forget(pending);
      pending.reject(error);
    }
  }

  private transmit(pending: Pending): void {
    pending.sent += 1;
    // Once may be a function that failed; twice is a socket that leads nowhere.
    pending.timer = setTimeout(() => { if (pending.sent > 1) this.restart(); else this.transmit(pending); }, ATTEMPT_MS);
    this.send(pending.frame);
  }

  private forget(pending: Pending): void {
    clearTimeout(pending.timer);
    clearTimeout(pending.deadline);
    this.pending.delete(pending.id);
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
