/**
 * How long a start takes, and what it moves: from `tim.login()` to SDK_READY with 10, 20, 1 000 and 20 000 conversations, on the
 * laptop twin. `make bench-start`; the figures are in docs/benchmarks.md.
 */

import { readFileSync } from 'node:fs';

import { Device } from '../test/harness/device.js';
import { startTwin } from '../test/harness/twin.js';
import { User } from '../test/harness/user.js';

const STARTS = 41;
/** By then a client has loaded in the background what it loads. */
const LATER_MS = 60_000;

const script = process.env['CLIENT'] && readFileSync(process.env['CLIENT'], 'utf8');

interface Start {
  ms: number;
  frames: number;
  kilobytes: number;
}

function moved({ device }: User): Pick<Start, 'frames' | 'kilobytes'> {
  const { frames, bytes } = device.received;
  return { frames: frames + device.frames.length, kilobytes: bytes / 1024 };
}

async function start(user: User): Promise<Start> {
  const userSig = user.server.userSig(user.userID);
  const begun = performance.now();
  const ready = new Promise((resolve) => user.tim.once('sdkStateReady', resolve));
  await user.tim.login({ userID: user.userID, userSig });
  await ready;
  return { ms: performance.now() - begun, ...moved(user) };
}

const quantile = (numbers: number[], part: number): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length * part)] ?? NaN;

console.log('| conversations | ready after ms, median | fastest tenth | frames | KB | frames a minute later | KB |\n|---|---|---|---|---|---|---|');
for (const count of [10, 20, 1_000, 20_000]) {
  const twin = await startTwin();
  await twin.crowd('alice', { count, read: 1 });
  const starts: Start[] = [];
  let later = { frames: 0, kilobytes: 0 };
  for (let number = 0; number < STARTS; number++) {
    const user = new User(twin, 'alice', {}, new Device(script || undefined));
    starts.push(await start(user));
    if (number === 0) {
      await user.device.pass(LATER_MS);
      later = moved(user);
    }
    user.stop();
  }
  const of = (what: keyof Start, part = 0.5): number => quantile(starts.map((each) => each[what]), part);
  const times = [of('ms'), of('ms', 0.1)].map((ms) => ms.toFixed(0));
  console.log(`| ${[count, ...times, of('frames'), of('kilobytes').toFixed(1), later.frames, later.kilobytes.toFixed(1)].join(' | ')} |`);
  await twin.stop();
}
