/** How long to wait before something is tried again. */

const FIRST_DELAY_MS = 500;
export const LONGEST_DELAY_MS = 30_000;

/** In milliseconds: twice as long each time, and not the same for all of the clients that fail together. */
export function backOff(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS) * (0.5 + Math.random() / 2);
}
