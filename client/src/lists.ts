/** Long lists in parts, and promises that take too long. */

export function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

/** Resolves when a promise is settled, well or not, and after so many milliseconds at the latest. */
export function within(ms: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const settle = (): void => { clearTimeout(timer); resolve(); };
    promise.then(settle, settle);
  });
}
