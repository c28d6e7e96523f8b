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

interface Wx {
  connectSocket(options: { url: string; fail?: (error: { errMsg?: string }) => void }): WxSocketTask | undefined;
  onNetworkStatusChange?(listener: (event: { isConnected: boolean }) => void): void;
  offNetworkStatusChange?(listener: (event: { isConnected: boolean }) => void): void;
  onAppShow?(listener: () => void): void;
  offAppShow?(listener: () => void): void;
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

declare const document: { visibilityState: string } | undefined;
declare const addEventListener: ((name: string, listener: () => void) => void) | undefined;
declare const removeEventListener: ((name: string, listener: () => void) => void) | undefined;
