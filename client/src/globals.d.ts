/**
 * What the client takes from its surroundings, and nothing else: a mini-program has no URL, no
 * TextEncoder, no crypto and no window, so none of them is declared here and using one does not compile.
 */

declare function setTimeout(run: () => void, ms: number): number;
declare function clearTimeout(timer: number | undefined): void;
declare const console: { warn(...what: unknown[]): void; error(...what: unknown[]): void };

interface WxSocketTask {
  send(options: { data: string; fail?: (error: { errMsg?: string }) => void }): void;
  close(options: { code?: number; reason?: string }): void;
  onOpen(listener: () => void): void;
  onClose(listener: (event: { code?: number; reason?: string }) => void): void;
  onError(listener: (error: { errMsg?: string }) => void): void;
  onMessage(listener: (event: { data: unknown }) => void): void;
}

interface WxUploadTask {
  abort(): void;
  onProgressUpdate(listener: (event: { progress: number }) => void): void;
}

interface Wx {
  connectSocket(options: { url: string; fail?: (error: { errMsg?: string }) => void }): WxSocketTask | undefined;
  onNetworkStatusChange?(listener: (event: { isConnected: boolean }) => void): void;
  offNetworkStatusChange?(listener: (event: { isConnected: boolean }) => void): void;
  onAppShow?(listener: () => void): void;
  offAppShow?(listener: () => void): void;
  uploadFile(options: {
    url: string; filePath: string; name: string; formData: object; timeout: number;
    success: (answer: { statusCode: number; data: unknown }) => void; fail: (error: { errMsg?: string }) => void;
  }): WxUploadTask | undefined;
  getFileSystemManager?(): object;
}

/** Methods of `wx` that are called by their names: what they are given, and what they answer. */
interface WxCalls {
  getImageInfo: [{ src: string }, { width: number; height: number; type?: string; orientation?: string }];
  compressImage: [{ src: string; quality: number; compressedWidth: number }, { tempFilePath: string }];
  getFileInfo: [{ filePath: string }, { size: number }];
  getStorage: [{ key: string }, { data: unknown }];
  setStorage: [{ key: string; data: string }, object];
  removeStorage: [{ key: string }, object];
}

declare const wx: Wx | undefined;

interface WebSocketLike {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(data: string): void;
  close(): void;
}

declare const WebSocket: (new (url: string) => WebSocketLike) | undefined;

interface XHR {
  readonly status: number;
  readonly responseText: string;
  readonly upload: { onprogress: ((event: { loaded: number; total: number }) => void) | null };
  onload: (() => void) | null;
  onerror: (() => void) | null;
  open(method: string, url: string): void;
  send(body: object): void;
  abort(): void;
}

declare const XMLHttpRequest: new () => XHR;
declare const FormData: new () => { append(name: string, value: string | object): void };
declare const URL: { createObjectURL?(file: object): string; revokeObjectURL(url: string): void } | undefined;

/** A picture or a video that a page shows or draws. */
interface Drawable {
  src: string;
  muted: boolean;
  preload: string;
  readonly naturalWidth: number;
  readonly naturalHeight: number;
  readonly videoWidth: number;
  readonly videoHeight: number;
  readonly duration: number;
  onload: (() => void) | null;
  onloadeddata: (() => void) | null;
  onerror: (() => void) | null;
}

interface Canvas {
  width: number;
  height: number;
  getContext(kind: '2d'): {
    fillStyle: string;
    imageSmoothingQuality: string;
    fillRect(x: number, y: number, width: number, height: number): void;
    drawImage(image: Drawable, x: number, y: number, width: number, height: number): void;
  } | null;
  toBlob(done: (file: { readonly size: number; readonly type: string; slice(): unknown } | null) => void, type: string, quality: number): void;
}

declare const document: {
  visibilityState: string;
  createElement(name: 'img' | 'video'): Drawable;
  createElement(name: 'canvas'): Canvas;
} | undefined;
declare const addEventListener: ((name: string, listener: () => void) => void) | undefined;
declare const removeEventListener: ((name: string, listener: () => void) => void) | undefined;

interface IDBRequestLike<Result = unknown> {
  readonly result: Result;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
  onupgradeneeded: (() => void) | null;
}

interface IDBStore {
  get(key: string): IDBRequestLike;
  put(value: string, key: string): IDBRequestLike;
  delete(key: string): IDBRequestLike;
}

declare const indexedDB: {
  open(name: string): IDBRequestLike<{
    createObjectStore(name: string): void;
    transaction(name: string, mode: 'readwrite'): {
      objectStore(name: string): IDBStore;
      oncomplete: (() => void) | null;
      onabort: (() => void) | null;
    };
    close(): void;
  }>;
} | undefined;
