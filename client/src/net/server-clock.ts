/** The server's time, on a device whose clock may be wrong, be set, or sleep. */

/** How often the device's clock is looked at, and how late a timer may be in a page that nobody sees. */
const TICK_MS = 15_000;
const LATE_MS = 90_000;

export class ServerClock {
  /** The device's clock was set or has slept, and the server has not answered since. */
  isAdrift = false;
  /** The server's time minus this device's, in milliseconds. */
  private offset = 0;
  private tickedAt = 0;
  private timer: number | undefined;

  /** `ask` asks the server. Should there be no answer, the next tick asks again; a new connection says it anyway. */
  constructor(private readonly ask: () => void) {}

  start(): void {
    this.tickedAt = Date.now();
    this.tick();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** In milliseconds. */
  now(): number {
    const now = Date.now();
    const passed = now - this.tickedAt;
    this.tickedAt = now;
    // Timers do not care what the clock says. If it says something else than they do, it was set, or everything slept.
    if (passed < -1_000 || passed > TICK_MS + LATE_MS) {
      if (passed < 0) this.offset -= passed;
      this.isAdrift = true;
      this.ask();
    }
    return now + this.offset;
  }

  /** The server has said what time it is, in seconds. */
  set(serverTime: number): void {
    this.offset = serverTime * 1000 - Date.now();
    this.isAdrift = false;
  }

  private tick(): void {
    this.timer = setTimeout(() => {
      const isUnanswered = this.isAdrift;
      this.now();
      if (isUnanswered) this.ask();
      this.tick();
    }, TICK_MS);
  }
}
