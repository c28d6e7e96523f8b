/**
 * The two places in which the client runs: a mini-program, which has `wx`, and a browser or Node,
 * which have `WebSocket`. Nothing else in the client knows where it is.
 */

/** A socket that is opening or open. */
export interface Socket {
  send(frame: string): void;
  close(): void;
}

/** What a socket tells. `ended` comes once, and nothing after it. */
export interface SocketEvents {
  opened(): void;
  received(frame: string): void;
  ended(why: string): void;
}

/** What the device tells. */
export interface DeviceEvents {
  /** The network has changed, or has gone. */
  network(isConnected: boolean): void;
  /** The app is in the foreground again. */
  shown(): void;
}

/** The kind of device, as the server knows it: one connection of each kind is allowed by default. */
export function platformName(): string {
  return wxOf() ? 'MiniProgram' : 'Web';
}

/** Throws what the device throws: without sockets, or for an address that it does not take. */
export function openSocket(url: string, events: SocketEvents): Socket {
  let over = false;
  const once: SocketEvents = {
    // A socket that is closed while it opens may open all the same.
    opened: () => { if (over) socket.close(); else events.opened(); },
    received: (frame) => { if (!over) events.received(frame); },
    ended: (why) => { if (!over) { over = true; events.ended(why); } },
  };
  const mini = wxOf();
  const socket = mini ? openInMiniProgram(mini, url, once) : openInBrowser(url, once);
  return {
    send: (frame) => {
      try {
        if (!over) socket.send(frame);
      } catch (error) {
        once.ended(String(error));
      }
    },
    close: () => {
      over = true;
      try {
        socket.close();
      } catch {
        // It was never open, or is closed already: that is what was wanted.
      }
    },
  };
}

/** Listens to the device, and returns how to stop. */
export function watchDevice(events: DeviceEvents): () => void {
  const mini = wxOf();
  if (mini) {
    const network = (event: { isConnected: boolean }): void => events.network(event.isConnected);
    const shown = (): void => events.shown();
    mini.onNetworkStatusChange?.(network);
    mini.onAppShow?.(shown);
    return () => {
      mini.offNetworkStatusChange?.(network);
      mini.offAppShow?.(shown);
    };
  }
  if (typeof addEventListener !== 'function' || typeof removeEventListener !== 'function') return () => {};
  const stop = removeEventListener;
  const listeners: [string, () => void][] = [
    ['online', () => events.network(true)],
    ['offline', () => events.network(false)],
    ['visibilitychange', () => { if (typeof document !== 'undefined' && document.visibilityState === 'visible') events.shown(); }],
  ];
  for (const [name, listener] of listeners) addEventListener(name, listener);
  return () => { for (const [name, listener] of listeners) stop(name, listener); };
}

function wxOf(): Wx | undefined {
  return typeof wx !== 'undefined' && typeof wx.connectSocket === 'function' ? wx : undefined;
}

function openInMiniProgram(mini: Wx, url: string, events: SocketEvents): Socket {
  const failed = (error?: { errMsg?: string }): void => events.ended(error?.errMsg ?? '');
  // Without a task there are too many sockets. `fail` says so, perhaps before this has returned.
  const task = mini.connectSocket({ url, fail: (error) => { setTimeout(() => failed(error), 0); } });
  task?.onOpen(events.opened);
  task?.onMessage((event) => events.received(String(event.data)));
  task?.onError(failed);
  task?.onClose((event) => events.ended(event?.reason ?? ''));
  return {
    // A task does not say whether it is open, so a failed send is how a lost connection shows.
    send: (data) => task?.send({ data, fail: failed }),
    close: () => task?.close({ code: 1000, reason: '' }),
  };
}

function openInBrowser(url: string, events: SocketEvents): Socket {
  if (typeof WebSocket !== 'function') {
    throw new Error('There is neither wx.connectSocket nor WebSocket here.');
  }
  const socket = new WebSocket(url);
  socket.onopen = events.opened;
  socket.onmessage = (event) => events.received(String(event.data));
  socket.onerror = (event) => events.ended(event.message ?? '');
  socket.onclose = () => events.ended('');
  return {
    send: (data) => socket.send(data),
    close: () => socket.close(),
  };
}
