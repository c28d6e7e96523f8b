/**
 * Where a session stands. It has a phase, which is how far the app has been let in, and a step, which is what is being
 * done to know all that the server knows. No I/O: who tells it what has happened looks at what is to be done now.
 *
 *   STARTING ──opened──▶ READY ──announced──▶ ANNOUNCED            CLOSED: from every phase, and for good
 *
 *   IDLE ─┬─connected, outdated──▶ LISTING ──listed──▶ COMPARING ──compared──▶ GROWING ──grown──▶ IDLE
 *         │                           └─────failed────────┴──────────failed───────┴──▶ WAITING for another run
 *         └── or any other step: a new run takes the place of the one that is under way
 */

// The phases. Numbers, because a minifier can write them where they are used.
export const STARTING = 0;
/** The login has resolved. */
export const READY = 1;
/** The app has been told what came before it was ready. */
export const ANNOUNCED = 2;
export const CLOSED = 3;

// The steps.
export const IDLE = 0;
/** What has happened, or the newest page of the list, is under way. */
export const LISTING = 1;
/** The rest of what has happened is. */
export const COMPARING = 2;
/** Older conversations are, one page after the other. */
export const GROWING = 3;
/** The next run is due after a delay. */
export const WAITING = 4;

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 60_000;

export class Lifecycle {
  phase: typeof STARTING | typeof READY | typeof ANNOUNCED | typeof CLOSED = STARTING;
  step: typeof IDLE | typeof LISTING | typeof COMPARING | typeof GROWING | typeof WAITING = IDLE;
  /** Counts the runs. What an earlier one finds out is out of date. */
  generation = 0;
  /** When the server was last heard of before anything that is not compared yet, in its own time and milliseconds. */
  contact = Infinity;
  /** Pushes wait for the list that they are changes of. */
  isBuffering = true;
  private failures = 0;

  /** The app may use the session. */
  get isReady(): boolean {
    return this.phase === READY || this.phase === ANNOUNCED;
  }

  opened(): void {
    if (this.phase === STARTING) this.phase = READY;
  }

  /** Returns whether it was not so before. */
  announced(): boolean {
    const isNew = this.phase === READY;
    if (isNew) this.phase = ANNOUNCED;
    return isNew;
  }

  closed(): void {
    this.phase = CLOSED;
    this.step = IDLE;
  }

  /** The server was last heard of at `contact`, and then contact was lost. */
  lost(contact: number): void {
    this.contact = Math.min(this.contact, contact);
  }

  /** A socket is logged in. Returns the generation of the run. */
  connected(): number {
    this.isBuffering = true;
    return this.outdated();
  }

  /** Something may have happened. Returns the generation of the run. */
  outdated(): number {
    this.step = LISTING;
    return ++this.generation;
  }

  /** Whether a run may go on. */
  isCurrent(generation: number): boolean {
    return generation === this.generation && this.phase !== CLOSED;
  }

  /** The page is here. */
  listed(): void {
    this.step = COMPARING;
    this.isBuffering = false;
  }

  /** All that has happened is known. */
  compared(): void {
    this.step = GROWING;
    this.contact = Infinity;
    this.failures = 0;
  }

  /** So are as many conversations as are wanted. */
  grown(): void {
    this.step = IDLE;
  }

  /** Returns how long to wait before the next run, in milliseconds: longer each time. */
  failed(): number {
    this.isBuffering = false;
    this.step = WAITING;
    return Math.min(FIRST_DELAY_MS * 2 ** this.failures++, LONGEST_DELAY_MS);
  }
}
