/**
 * One account, from login to logout. Everything that is known of it is in here, so nothing of it is
 * left when it goes.
 */

import type { ChatError } from '../errors.js';
import { Connection } from '../net/connection.js';
import { Outbox } from '../net/outbox.js';
import { Uploads } from '../net/upload.js';
import type { Message } from '../types.js';
import type { LoginReply, WireMessage } from '../wire.js';
import type { Cache } from './cache.js';
import { SessionContext } from './context.js';
import type { SessionEvents } from './events.js';
import { fillLater } from './gaps.js';
import { CLOSED } from './lifecycle.js';
import { loginData, lookUp } from './list.js';
import { receivePush } from './pushes.js';
import { synchronise } from './reconcile.js';
import { Subscriptions } from './subscriptions.js';

/** A phone that comes back from sleep finds out quickly whether its socket has survived. */
const PROBE_MS = 5_000;
/** So many conversations are loaded, unless the app says otherwise. */
const DEFAULT_LIMIT = 500;

export class Session extends SessionContext {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly uploads: Uploads;
  readonly subscriptions: Subscriptions;
  /** What is being changed, and when that is done. */
  private readonly changes = new Map<string, Promise<void>>();

  /** `ended` is called when the server has ended it for good. */
  constructor(
    userID: string, url: string, events: SessionEvents, ended: (error: ChatError) => void,
    limit = DEFAULT_LIMIT, private readonly cache?: Cache,
  ) {
    super(userID, events, limit);
    this.connection = new Connection(url, {
      loginData: () => {
        this.lifecycle.lost(this.connection.contactBefore || this.since * 1000);
        return loginData(this);
      },
      loggedIn: (reply) => this.loggedIn(reply),
      pushed: (push) => receivePush(this, push),
      netState: (state) => { if (this.isReady) events.netState(state); },
      ended: (error) => { this.close(error); ended(error); },
    });
    this.outbox = new Outbox(this.connection);
    this.uploads = new Uploads(this.connection);
    this.subscriptions = new Subscriptions(this.connection);
  }

  get isReady(): boolean {
    return this.lifecycle.isReady;
  }

  /** Connects, and resolves when the newest conversations are here. What was kept of an earlier session is told before. */
  async open(): Promise<void> {
    const synced = new Promise<void>((resolve, reject) => { this.firstSync = { resolve, reject }; });
    await Promise.all([synced, this.restore().then(() => this.connection.open())]);
    this.lifecycle.opened();
  }

  private async restore(): Promise<void> {
    await this.cache?.restore(this);
    if (this.conversations.size > 0 && this.lifecycle.phase !== CLOSED) this.events.tellList();
  }

  /** Tells what came before the app was ready, once, but for what has been read since. */
  announce(): void {
    if (!this.lifecycle.announced()) return;
    this.unannounced = this.unannounced.filter((message) => !this.isRead(message));
    this.tellNews();
  }

  close(error: ChatError): void {
    this.lifecycle.closed();
    clearTimeout(this.syncTimer);
    clearTimeout(this.gapTimer);
    clearTimeout(this.groupTimer);
    this.cache?.stop();
    for (const timer of this.markTimers.values()) clearTimeout(timer);
    this.uploads.close(error);
    this.connection.close(error);
    this.outbox.close(error);
    this.firstSync?.reject(error);
  }

  /** The app is in the foreground again: is the socket still alive, and what has happened meanwhile? */
  wakeUp(): void {
    // While the list is under way, that one is the probe.
    if (!this.connection.wakeUp() || this.lifecycle.isBuffering) return;
    const { framesReceived } = this.connection;
    setTimeout(() => { if (this.connection.framesReceived === framesReceived) this.connection.restart(); }, PROBE_MS);
    this.outdated();
  }

  outdated(): void {
    this.lifecycle.lost(this.connection.lastContact);
    void synchronise(this, this.lifecycle.outdated());
  }

  lookUp(ids: readonly string[]): Promise<void> {
    return lookUp(this, ids);
  }

  fillLater(): void {
    fillLater(this);
  }

  /** What is kept on the device may be out of date. */
  changed(): void {
    this.cache?.changed(this);
  }

  /** Nothing of it stays on the device. */
  forget(): Promise<void> | undefined {
    return this.cache?.clear();
  }

  /** Sends a message. When it is composed for the first time, all that is known of its conversation is in front of it. */
  send(message: Message, isFirst: boolean, pushInfo?: object): Promise<WireMessage> {
    if (message.onlineOnlyFlag) return this.outbox.sendOnlineOnly(message);
    this.keep(message);
    return this.outbox.send(message, isFirst ? this.baseOf(message) : undefined, pushInfo);
  }

  /** The app gives a message up. */
  giveUp(id: string, error: ChatError): void {
    this.uploads.cancel(id, error);
    this.outbox.cancel(id, error);
  }

  /** The last message that is known of its conversation. */
  private baseOf({ conversationID }: Message): number | Promise<number | undefined> {
    const base = (): number => this.conversations.get(conversationID)?.last ?? 0;
    const isLoaded = this.older === undefined || this.conversations.has(conversationID);
    return isLoaded ? base() : this.lookUp([conversationID]).then(base, () => undefined);
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

  private loggedIn(reply: LoginReply): void {
    this.recallMs = reply.recallSeconds * 1000;
    void synchronise(this, this.lifecycle.connected(), reply);
    this.subscriptions.renew().catch((error) => { if (this.lifecycle.phase !== CLOSED) this.events.failed(error); });
  }
}
