/** The storage of a phone, which outlives the app: `wx` as far as it keeps something, and the same as IndexedDB has it. */

interface Options {
  key: string;
  data?: unknown;
  success?: (answer: object) => void;
  fail?: (error: object) => void;
}

export class Storage {
  readonly kept = new Map<string, unknown>();
  /** How often something was written. */
  writes = 0;
  /** What the phone does instead of answering. */
  state: 'works' | 'fails' | 'hangs' = 'works';

  readonly wx = {
    getStorage: (options: Options) => this.answer(options, () => {
      if (!this.kept.has(options.key)) throw new Error('getStorage:fail data not found');
      return { data: this.kept.get(options.key) };
    }),
    setStorage: (options: Options) => this.answer(options, () => {
      this.writes += 1;
      this.kept.set(options.key, options.data);
      return {};
    }),
    removeStorage: (options: Options) => this.answer(options, () => {
      this.kept.delete(options.key);
      return {};
    }),
  };

  /** One database with one store is all that it can tell apart. */
  readonly indexedDB = {
    open: () => {
      const opening = this.request(() => ({
        createObjectStore: () => {},
        close: () => {},
        transaction: () => {
          const transaction = { oncomplete: null as (() => void) | null, onabort: null as (() => void) | null, objectStore: () => store };
          const act = (run: () => unknown): { result: unknown } => {
            const request = { result: run() };
            setImmediate(() => (this.state === 'works' ? transaction.oncomplete : transaction.onabort)?.());
            return request;
          };
          const store = {
            get: (key: string) => act(() => this.kept.get(key)),
            put: (value: string, key: string) => act(() => { this.writes += 1; this.kept.set(key, value); }),
            delete: (key: string) => act(() => { this.kept.delete(key); }),
          };
          return transaction;
        },
      }));
      return opening;
    },
  };

  private answer({ success, fail }: Options, run: () => object): void {
    if (this.state === 'hangs') return;
    setImmediate(() => {
      try {
        if (this.state === 'fails') throw new Error('storage:fail');
        success?.({ ...run(), errMsg: 'ok' });
      } catch (error) {
        fail?.({ errMsg: String(error) });
      }
    });
  }

  private request(run: () => object): object {
    const request = {
      result: undefined as object | undefined,
      onsuccess: null as (() => void) | null,
      onerror: null as (() => void) | null,
      onupgradeneeded: null as (() => void) | null,
    };
    if (this.state !== 'hangs') {
      setImmediate(() => {
        if (this.state === 'fails') return request.onerror?.();
        request.result = run();
        if (this.kept.size === 0) request.onupgradeneeded?.();
        request.onsuccess?.();
      });
    }
    return request;
  }
}
