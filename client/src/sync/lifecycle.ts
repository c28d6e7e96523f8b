/**
 * Where a session stands. It has a phase, which is how far the app has been let in, and a step, which is what is being
 * done to know all that the server knows. No I/O: who tells it what has happened looks at what is to be done now.
 *
 *   STARTING ──opened──▶ READY ──announced──▶ ANNOUNCED            CLOSED: from every phase, and for good
 *
 *   IDLE ─┬─connected, outdated──▶ LISTING ──listed──▶ FETCHING ──completed──▶ IDLE, or WAITING for a second look
 *         │                           └─────failed────────┴──────────────────▶ WAITING
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
/** The list of conversations is under way. */
export const LISTING = 1;
/** The messages behind the list are. */
export const FETCHING = 2;
/** The next run is due after a delay. */
export const WAITING = 3;

/** A connection that is new may not be found by a push yet, and a list may be a second old. */
const SECOND_LOOK_MS = 5_000;
const LONGEST_DELAY_MS = 60_000;

export class Lifecycle {
  phase: typeof STARTING | typeof READY | typeof ANNOUNCED | typeof CLOSED = STARTING;
  step: typeof IDLE | typeof LISTING | typeof FETCHING | typeof WAITING = IDLE;
  /** Counts the runs. What an earlier one finds out is out of date. */
  syncGeneration = 0;
  /** When the server was last heard of before anything that is not compared yet, in its own time and milliseconds. */
  contact = Infinity;
  /** Pushes wait for the list that they are changes of. */
  isBuffering = true;
  /** How long to wait, in milliseconds. */
  delay = 0;
  private needsSecondLook = false;
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

  /** A socket is logged in, and before that the server was last heard of at `contact`. Returns the generation of the run. */
  connected(contact: number): number {
    this.isBuffering = true;
    this.needsSecondLook = true;
    return this.outdated(contact);
  }

  /** Something may have happened since `contact`. Returns the generation of the run. */
  outdated(contact: number): number {
    this.step = LISTING;
    this.contact = Math.min(this.contact, contact);
    return ++this.syncGeneration;
  }

  /** Whether a run may go on. */
  isCurrent(generation: number): boolean {
    return generation === this.syncGeneration && this.phase !== CLOSED;
  }

  /** The list is here. */
  listed(): void {
    this.step = FETCHING;
    this.isBuffering = false;
  }

  /** The run has got everything, or only some of it. */
  completed(isWhole: boolean): void {
    if (isWhole) {
      this.contact = Infinity;
      this.failures = 0;
    }
    if (isWhole && !this.needsSecondLook) this.step = IDLE;
    else this.wait(isWhole);
    this.needsSecondLook = false;
  }

  failed(): void {
    this.isBuffering = false;
    this.wait(false);
  }

  /** For a second look, or longer each time. */
  private wait(isWhole: boolean): void {
    this.step = WAITING;
    this.delay = isWhole ? SECOND_LOOK_MS : Math.min(SECOND_LOOK_MS * 2 ** this.failures++, LONGEST_DELAY_MS);
  }
}
