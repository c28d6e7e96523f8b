/**
 * A phone that runs a mini-program: a world of its own, in which the published file of the client
 * finds `wx` and nothing that a mini-program lacks. The test holds its clock and its network.
 */

import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import WebSocket from 'ws';
import type TIM from '../../src/index.js';
import { Files } from './files.js';
import { Storage } from './storage.js';

const SCRIPT = new URL('../../dist/index.js', import.meta.url);

interface Timer {
  at: number;
  run: () => void;
}

/** Real time plus what a test adds, unless the device sleeps. */
class DeviceClock {
  ahead = 0;
  isFrozen = false;
  private next = 1;
  private readonly timers = new Map<number, Timer & { handle?: NodeJS.Timeout }>();

  readonly now = (): number => Date.now() + this.ahead;

  readonly setTimeout = (run: () => void, ms = 0): number => {
    const id = this.next++;
    this.timers.set(id, { at: this.now() + ms, run });
    if (!this.isFrozen) this.arm(id);
    return id;
  };

  readonly clearTimeout = (id: number | undefined): void => {
    if (id === undefined) return;
    clearTimeout(this.timers.get(id)?.handle);
    this.timers.delete(id);
  };

  /** When the next timer is due. */
  get nextDue(): number {
    return Math.min(Infinity, ...[...this.timers.values()].map((timer) => timer.at));
  }

  /** Lets time pass at once: nothing from the network arrives meanwhile. */
  advance(ms: number): void {
    const until = this.now() + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due || this.isFrozen) break;
      this.ahead += Math.max(0, due[1].at - this.now());
      this.fire(due[0]);
    }
    this.ahead += Math.max(0, until - this.now());
    for (const id of this.timers.keys()) this.arm(id);
  }

  /** Somebody sets the clock. Timers go on as if nothing had happened. */
  set(ms: number): void {
    this.ahead += ms;
    for (const timer of this.timers.values()) timer.at += ms;
  }

  wake(): void {
    this.isFrozen = false;
    for (const id of this.timers.keys()) this.arm(id);
  }

  stop(): void {
    this.isFrozen = true;
    for (const id of [...this.timers.keys()]) this.clearTimeout(id);
  }

  private arm(id: number): void {
    const timer = this.timers.get(id);
    if (!timer) return;
    clearTimeout(timer.handle);
    timer.handle = setTimeout(() => this.fire(id), Math.max(0, timer.at - this.now()));
  }

  private fire(id: number): void {
    const timer = this.timers.get(id);
    if (!timer || this.isFrozen) return;
    this.clearTimeout(id);
    timer.run();
  }
}

interface Task {
  socket: WebSocket;
  /** Leads nowhere, and does not say so. */
  isDead: boolean;
  ended: (why: string) => void;
}

export class Device {
  readonly clock = new DeviceClock();
  readonly files = new Files();
  readonly TIM: typeof TIM;
  /** What it has sent, as objects, since the last `takeFrames`. */
  frames: Record<string, unknown>[] = [];
  /** Frames that match are lost on their way to the device. */
  loses: (frame: Record<string, unknown>) => boolean = () => false;
  /** Frames that come later than others that the server has sent after them, and when. */
  delays: (frame: Record<string, unknown>) => Promise<unknown> | undefined = () => undefined;
  /** What becomes of a frame on its way to the device. */
  replaces: (frame: Record<string, unknown>) => Record<string, unknown> = (frame) => frame;
  /** What becomes of a task that is made, which may throw. */
  connecting: (task: object) => object = (task) => task;
  /** What the device says about a failure. A mini-program often says nothing. */
  says: (why: string) => string = (why) => why;
  /** Connections made so far. */
  connections = 0;
  /** Frames that have come, and how many bytes they had. */
  readonly received = { frames: 0, bytes: 0 };
  private unanswered = 0;
  private isOnline = true;
  private readonly tasks = new Set<Task>();
  private readonly networkListeners: ((event: { isConnected: boolean }) => void)[] = [];
  private readonly shownListeners: (() => void)[] = [];

  /** Without a script of its own it runs the client alone. */
  constructor(
    script = readFileSync(SCRIPT, 'utf8'), log: Pick<Console, 'log' | 'warn' | 'error'> = console, readonly storage = new Storage(), isPage = false,
  ) {
    const module = { exports: {} };
    const context = createContext({
      module, exports: module.exports, console: log, ...(isPage ? this.page() : { wx: this.wx() }),
      setTimeout: this.clock.setTimeout, clearTimeout: this.clock.clearTimeout, now: this.clock.now,
    });
    runInContext('Date.now = now', context);
    runInContext(script, context, { filename: 'hongyan.js' });
    this.TIM = module.exports as typeof TIM;
  }

  /** A page instead of a mini-program: it has a `WebSocket` and IndexedDB, and no `wx`. */
  static page(storage: Storage): Device {
    return new Device(undefined, undefined, storage, true);
  }

  /** The network goes without a word to the server. */
  goOffline(): void {
    this.isOnline = this.files.isOnline = false;
    this.files.cut();
    for (const task of [...this.tasks]) {
      task.socket.terminate();
      task.ended('network lost');
    }
    for (const listener of this.networkListeners) listener({ isConnected: false });
  }

  goOnline(): void {
    this.isOnline = this.files.isOnline = true;
    for (const listener of this.networkListeners) listener({ isConnected: true });
  }

  /** From one network to another: the old socket leads nowhere. */
  changeNetwork(): void {
    for (const task of this.tasks) task.isDead = true;
    for (const listener of this.networkListeners) listener({ isConnected: true });
  }

  /** The screen goes dark: timers stop, and the socket dies without anybody being told. */
  sleep(): void {
    this.clock.isFrozen = true;
    for (const task of this.tasks) {
      task.isDead = true;
      task.socket.terminate();
    }
  }

  wake(): void {
    this.clock.wake();
    for (const listener of this.shownListeners) listener();
  }

  /** The server, or something on the way, ends the socket. */
  cut(): void {
    for (const task of [...this.tasks]) task.socket.terminate();
  }

  /** Lets time pass as it does, with answers arriving in between. */
  async pass(ms: number): Promise<void> {
    await this.settled();
    const until = this.clock.now() + ms;
    while (this.clock.nextDue <= until) {
      this.clock.advance(Math.max(0, this.clock.nextDue - this.clock.now()));
      await this.settled();
    }
    this.clock.advance(Math.max(0, until - this.clock.now()));
  }

  /** Waits until everything that was asked is answered. */
  private async settled(): Promise<void> {
    const deadline = Date.now() + 2_000;
    do await new Promise((resolve) => setTimeout(resolve, 2));
    while (this.unanswered > 0 && Date.now() < deadline);
  }

  takeFrames(): Record<string, unknown>[] {
    return this.frames.splice(0);
  }

  /** The battery is empty. */
  stop(): void {
    this.clock.stop();
    for (const task of this.tasks) task.isDead = true;
    for (const task of this.tasks) task.socket.terminate();
    this.files.cut();
  }

  private page(): object {
    // The same task in the shape that a page has.
    const device = this;
    return {
      indexedDB: this.storage.indexedDB,
      WebSocket: class {
        onopen = (): void => {};
        onclose = (): void => {};
        onerror = (_: object): void => {};
        onmessage = (_: { data: string }): void => {};
        readonly task: any;

        constructor(url: string) {
          this.task = device.connecting(device.connect(url));
          this.task.onOpen(() => this.onopen());
          this.task.onClose(() => this.onclose());
          this.task.onError((error: object) => this.onerror(error));
          this.task.onMessage((event: { data: string }) => this.onmessage(event));
        }

        send(data: string): void { this.task.send({ data }); }

        close(): void { this.task.close(); }
      },
    };
  }

  private wx(): object {
    return {
      getSystemInfoSync: () => ({ fontSizeSetting: 16, platform: 'devtools' }),
      onNetworkStatusChange: (listener: (event: { isConnected: boolean }) => void) => this.networkListeners.push(listener),
      onAppShow: (listener: () => void) => this.shownListeners.push(listener),
      ...this.files.wx,
      ...this.storage.wx,
      connectSocket: ({ url }: { url: string }) => this.connecting(this.connect(url)),
    };
  }

  /** As in WeChat: no readyState, no way to remove a listener. */
  private connect(url: string): object {
    this.connections += 1;
    let opened = (): void => {};
    let closed = (_: { code: number; reason: string }): void => {};
    let failed = (_: { errMsg: string }): void => {};
    let received = (_: { data: string }): void => {};
    const task: Task = {
      socket: new WebSocket(url),
      isDead: false,
      ended: (why) => {
        if (!this.tasks.delete(task) || task.isDead) return;
        closed({ code: 1006, reason: why });
      },
    };
    this.tasks.add(task);
    // The login of a new connection.
    this.unanswered = 1;
    const { socket } = task;
    socket.on('open', () => { if (!task.isDead) opened(); });
    socket.on('message', (data) => {
      this.received.frames += 1;
      this.received.bytes += Buffer.byteLength(String(data));
      const frame = JSON.parse(String(data)) as Record<string, unknown>;
      if ('requestID' in frame) this.unanswered -= 1;
      const arrive = (): void => { if (!task.isDead && !this.loses(frame)) received({ data: JSON.stringify(this.replaces(frame)) }); };
      const due = this.delays(frame);
      if (due) void due.then(arrive);
      else arrive();
    });
    socket.on('error', (error) => { if (!task.isDead && this.tasks.has(task)) failed({ errMsg: this.says(error.message) }); });
    socket.on('close', (_, reason) => task.ended(String(reason)));
    if (!this.isOnline) socket.terminate();
    return {
      onOpen: (listener: () => void) => { opened = listener; },
      onClose: (listener: typeof closed) => { closed = listener; },
      onError: (listener: typeof failed) => { failed = listener; },
      onMessage: (listener: typeof received) => { received = listener; },
      send: ({ data, fail }: { data: string; fail?: (error: { errMsg: string }) => void }) => {
        const frame = JSON.parse(data) as Record<string, unknown>;
        this.frames.push(frame);
        if (task.isDead) return;
        if ('requestID' in frame && frame['requestID'] !== 'login') this.unanswered += 1;
        if (socket.readyState === WebSocket.OPEN) socket.send(data);
        else fail?.({ errMsg: 'sendSocketMessage:fail taskID not exist' });
      },
      close: () => { this.tasks.delete(task); socket.terminate(); },
    };
  }
}
