/**
 * The two places in which the client runs: a mini-program, which has `wx`, and a browser or Node,
 * which have `WebSocket`. Nothing else in the client knows where it is.
 */

import { scaled, type Handle, type Preview } from '../model/media.js';
import type { BrowserFile } from '../types.js';

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

/** A file on its way to the storage: a form in which it comes last. */
export interface Post {
  url: string;
  fields: Record<string, string>;
  handle: Handle;
}

/** What an upload tells. `ended` comes once, and nothing after it. */
export interface PostEvents {
  /** How much of it is sent, from 0 to 1. */
  progress(part: number): void;
  /** With the status of HTTP, 0 when there was no answer, or -1 when the device cannot. `why` is what was answered, or what the device says. */
  ended(status: number, why: string): void;
}

/** What can be seen of a picture or a video. */
export interface Look {
  width: number;
  height: number;
  /** What the device takes it for, or nothing. */
  type: string;
  /** In seconds. */
  seconds: number;
  /** Smaller pictures of it, those that the device could make. */
  previews: Preview[];
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

/** How long an upload may take. Without it a mini-program gives up after a minute. */
export const POST_TIMEOUT_MS = 600_000;
/** How long the device may take to look at a file. */
const LOOK_TIMEOUT_MS = 10_000;
/** From 0 to 1. */
const JPEG_QUALITY = 0.8;

/** Uploads a file. Returns what ends that without a word. */
export function post(post: Post, events: PostEvents): () => void {
  let over = false;
  const ended = (status: number, why: unknown): void => {
    if (over) return;
    over = true;
    events.ended(status, String(why ?? ''));
  };
  const progress = (part: number): void => { if (!over) events.progress(part); };
  let abort: (() => void) | undefined;
  try {
    abort = (typeof post.handle === 'string' ? postInMiniProgram : postInBrowser)(post, { progress, ended });
  } catch (error) {
    ended(-1, error);
  }
  return () => {
    over = true;
    abort?.();
  };
}

// Where there is nothing to upload with, both of these throw what says so.

function postInMiniProgram({ url, fields, handle }: Post, { progress, ended }: PostEvents): (() => void) | undefined {
  const task = wxOf()!.uploadFile({
    url, filePath: handle as string, name: 'file', formData: fields, timeout: POST_TIMEOUT_MS,
    success: ({ statusCode, data }) => ended(statusCode, data as string),
    fail: ({ errMsg = '' }) => ended(0, errMsg),
  });
  task?.onProgressUpdate((event) => progress(event.progress / 100));
  return () => task?.abort();
}

function postInBrowser({ url, fields, handle }: Post, { progress, ended }: PostEvents): () => void {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', handle as object);
  const request = new XMLHttpRequest();
  request.open('POST', url);
  request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
  request.onload = () => ended(request.status, request.responseText);
  request.onerror = () => ended(0, '');
  request.send(form);
  return () => request.abort();
}

/** Where a file is shown from until it is in the storage. */
export function localUrl(handle: Handle): string {
  if (typeof handle === 'string') return handle;
  return typeof URL !== 'undefined' && URL.createObjectURL ? URL.createObjectURL(handle) : '';
}

/** How many bytes a file has, and 0 when the device does not say. */
export async function sizeOf(handle: Handle): Promise<number> {
  if (typeof handle !== 'string') return handle.size;
  const info = await ask(wxOf()?.getFileSystemManager?.(), 'getFileInfo', { filePath: handle });
  return info?.size ?? 0;
}

/**
 * What the device sees of a file, or undefined when it cannot show it. Of a picture it makes smaller ones whose shorter
 * sides have so many pixels as `limits` says, where it has more, and of a video pictures that have no more.
 */
export function lookAt(handle: Handle, isVideo: boolean, limits: readonly number[]): Promise<Look | undefined> {
  if (typeof handle !== 'string') return lookInBrowser(handle, isVideo, limits);
  return isVideo ? Promise.resolve(undefined) : lookInMiniProgram(handle, limits);
}

async function lookInMiniProgram(path: string, limits: readonly number[]): Promise<Look | undefined> {
  const mini = wxOf();
  const info = await ask(mini, 'getImageInfo', { src: path });
  if (!info) return undefined;
  // The numbers are those of the file, and it may have to be turned to be seen.
  const isTurned = /^(left|right)/.test(info.orientation ?? '');
  const [width, height] = isTurned ? [info.height, info.width] : [info.width, info.height];
  const previews: Preview[] = [];
  for (const limit of limits) {
    // Some devices turn it and some leave that to those who show it: then a width that was meant for the sides that are
    // seen makes it smaller than it may be, and never larger.
    const size = scaled(width, height, limit);
    const small = size && await ask(mini, 'compressImage', { src: path, quality: JPEG_QUALITY * 100, compressedWidth: size.width });
    const made = small && await lookInMiniProgram(small.tempFilePath, []);
    // Before 2.26.0 of WeChat's base library it is as large as it was.
    if (!made || Math.min(made.width, made.height) > limit + 1) continue;
    previews.push({ handle: small.tempFilePath, size: await sizeOf(small.tempFilePath), width: made.width, height: made.height, limit });
  }
  return { width, height, type: info.type ?? '', seconds: 0, previews };
}

/** What a method of `wx` answers, or undefined when it is not there, fails, or says nothing. */
function ask<Name extends keyof WxCalls>(owner: object | undefined, name: Name, options: WxCalls[Name][0]): Promise<WxCalls[Name][1] | undefined> {
  // Where there is none, calling it throws.
  return inTime((resolve) => (owner as { [Each in Name]: (options: object) => void })[name](
    { ...options, success: resolve, fail: () => resolve(undefined) },
  ));
}

async function lookInBrowser(file: object, isVideo: boolean, limits: readonly number[]): Promise<Look | undefined> {
  const url = localUrl(file as BrowserFile);
  const shown = await inTime<Drawable>((resolve) => {
    const element = document!.createElement(isVideo ? 'video' : 'img');
    element.onerror = () => resolve(undefined);
    element.onload = element.onloadeddata = () => resolve(element);
    element.muted = true;
    element.preload = 'auto';
    element.src = url;
  });
  try {
    if (!shown) return undefined;
    const [width, height] = isVideo ? [shown.videoWidth, shown.videoHeight] : [shown.naturalWidth, shown.naturalHeight];
    const previews: Preview[] = [];
    for (const limit of limits) {
      const size = scaled(width, height, limit) ?? (isVideo ? { width, height } : undefined);
      const preview = size && await draw(shown, size.width, size.height);
      if (preview) previews.push({ handle: preview, size: preview.size, ...size, limit });
    }
    return { width, height, type: '', seconds: shown.duration || 0, previews };
  } finally {
    if (url) URL!.revokeObjectURL(url);
  }
}

function draw(shown: Drawable, width: number, height: number): Promise<BrowserFile | undefined> {
  return inTime((resolve) => {
    const canvas = document!.createElement('canvas');
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d')!;
    // What is transparent would be black in a JPEG.
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(shown, 0, 0, width, height);
    canvas.toBlob((file) => resolve(file ?? undefined), 'image/jpeg', JPEG_QUALITY);
  });
}

/** The name under which the device keeps something for the client. */
const KEY = 'hongyan';

/** What the device has kept for the client, or undefined when there is nothing, or no place for it. */
export async function kept(): Promise<unknown> {
  const mini = wxOf();
  return mini ? (await ask(mini, 'getStorage', { key: KEY }))?.data : inDatabase((store) => store.get(KEY));
}

/** Keeps something instead of what was kept before, or nothing. Resolves when that is done, or cannot be. */
export async function keep(text?: string): Promise<void> {
  const mini = wxOf();
  if (mini) await (text ? ask(mini, 'setStorage', { key: KEY, data: text }) : ask(mini, 'removeStorage', { key: KEY }));
  else await inDatabase((store) => (text ? store.put(text, KEY) : store.delete(KEY)));
}

/** What a request to the database of the page comes to, or undefined when there is none, or it fails. */
function inDatabase(act: (store: IDBStore) => { readonly result: unknown }): Promise<unknown> {
  return inTime((resolve) => {
    const opening = indexedDB!.open(KEY);
    opening.onupgradeneeded = () => opening.result.createObjectStore(KEY);
    opening.onerror = () => resolve(undefined);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(KEY, 'readwrite');
      const request = act(transaction.objectStore(KEY));
      transaction.onabort = () => resolve(undefined);
      transaction.oncomplete = () => {
        resolve(request.result);
        database.close();
      };
    };
  });
}

/** What is resolved in time, and undefined when nothing is, or something is thrown. */
function inTime<T>(run: (resolve: (value: T | undefined) => void) => void): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(undefined), LOOK_TIMEOUT_MS);
    const settle = (value: T | undefined): void => {
      clearTimeout(timer);
      resolve(value);
    };
    try {
      run(settle);
    } catch {
      // A preview is not worth a failure: the original takes its place.
      settle(undefined);
    }
  });
}
