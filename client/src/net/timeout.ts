/** How long something may take that needs a connection. */

import { ChatError } from '../errors.js';
import { NETWORK_TIMEOUT } from '../codes.js';
import type { Cancellation, Requests } from './requests.js';

/**
 * What `work` comes to, unless it takes longer than so many seconds with a connection: then what it asks is forgotten,
 * and the rejection says `why`.
 */
export async function inTime<T>(
  requests: Pick<Requests, 'isOpen'>, seconds: number, cancellation: Cancellation, work: Promise<T>, why: string,
): Promise<T> {
  let timer: number;
  const isLate = new Promise<never>((_, reject) => {
    let passed = 0;
    // Counted, and not measured: the device's clock may jump, and without a connection there is nothing to hold up.
    const count = (): void => {
      if (requests.isOpen) passed += 1;
      if (passed < seconds) {
        timer = setTimeout(count, 1_000);
        return;
      }
      // Before the request says that it was given up.
      reject(new ChatError(NETWORK_TIMEOUT, `no answer within ${seconds} s: ${why}`));
      cancellation.isCancelled = true;
      cancellation.forget?.();
    };
    timer = setTimeout(count, 1_000);
  });
  try {
    return await Promise.race([work, isLate]);
  } finally {
    clearTimeout(timer!);
  }
}
