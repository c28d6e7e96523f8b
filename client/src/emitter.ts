/** What a handler is called with. */
export interface Event<Name, Data> {
  name: Name;
  data: Data;
}

type Handler<Name, Data> = (event: Event<Name, Data>) => void;

interface Listener {
  // Listeners of all names share one list type, so what they are called with is checked in `on` and `emit` alone.
  handler: (event: never) => void;
  context: unknown;
  once: boolean;
}

export class Emitter<Events> {
  private readonly listeners = new Map<keyof Events, Listener[]>();

  /**
   * `onFirst` is told when a name gets its first listener.
   * `report` is told what a handler threw.
   */
  constructor(
    private readonly onFirst: (name: keyof Events) => void = () => {},
    private readonly report: (message: string, error: unknown) => void = (message, error) =>
      console.error(message, error),
  ) {}

  on<Name extends keyof Events>(name: Name, handler: Handler<Name, Events[Name]>, context?: unknown): void {
    this.add(name, handler, context, false);
  }

  once<Name extends keyof Events>(name: Name, handler: Handler<Name, Events[Name]>, context?: unknown): void {
    this.add(name, handler, context, true);
  }

  /** Without a context it removes the handler whatever context it was added with. */
  off<Name extends keyof Events>(name: Name, handler: Handler<Name, Events[Name]>, context?: unknown): void {
    this.keep(name, (each) => each.handler !== handler || (context !== undefined && each.context !== context));
  }

  has(name: keyof Events): boolean {
    return this.listeners.has(name);
  }

  emit<Name extends keyof Events>(name: Name, data: Events[Name]): void {
    // `keep` makes a new list, so a handler that adds or removes listeners does not disturb this round.
    for (const each of this.listeners.get(name) ?? []) {
      if (each.once) this.keep(name, (other) => other !== each);
      try {
        (each.handler as Handler<Name, Events[Name]>).call(each.context, { name, data });
      } catch (error) {
        this.report(`a handler of ${String(name)} threw`, error);
      }
    }
  }

  clear(): void {
    this.listeners.clear();
  }

  private add(name: keyof Events, handler: (event: never) => void, context: unknown, once: boolean): void {
    if (typeof handler !== 'function') {
      this.report(`on('${String(name)}') needs a function`, handler);
      return;
    }
    const before = this.listeners.get(name) ?? [];
    this.listeners.set(name, [...before, { handler, context, once }]);
    if (before.length === 0) this.onFirst(name);
  }

  private keep(name: keyof Events, wanted: (each: Listener) => boolean): void {
    const left = (this.listeners.get(name) ?? []).filter(wanted);
    if (left.length > 0) this.listeners.set(name, left);
    else this.listeners.delete(name);
  }
}
