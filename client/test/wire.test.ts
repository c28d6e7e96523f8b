/** What src/wire.ts says, which is the server's, in what is published. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { bundle } from '../build.mjs';
import TIM from '../src/index.js';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const codeOf = (name: string): string => readFileSync(join(SRC, name), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
// `Actions` is of types alone.
const wire = codeOf('wire.ts').split('export interface Actions')[0]!;
/** What is said there is no code, or is shortened and comes out as it is: see size.test.ts. */
const NO_CODE = ['wire.ts', 'types.ts', 'constants.ts'];
const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => name!);

test('the build shortens no name of the wire', async () => {
  const used = new Set(readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !NO_CODE.includes(name)).flatMap((name) => found(codeOf(name), /(\w+)/g)));
  const names = [...new Set(found(wire, /(\w+)\??: /g))].filter((name) => used.has(name));
  assert.ok(names.length > 60 && names.includes('retryAfterSeconds') && names.includes('lastSequence'));
  const published = new Set(found(await bundle('cjs'), /(\w+)/g));
  assert.deepEqual(names.filter((name) => !published.has(name)), []);
});

test('what the server tells has the same name for an app: its events, and why it was kicked out', () => {
  const events = found(wire, /"event": "(\w+)"/g);
  const reasons = found(/type KickedOut = (.*);/.exec(wire)![1]!, /"(\w+)"/g);
  assert.deepEqual([events.length, reasons.length], [10, 3]);
  const told = (values: object): unknown[] => Object.values(values);
  // Of what another device has deleted, tim-wx-sdk has no event, and a notice is a message to it.
  assert.deepEqual(events.filter((event) => !told(TIM.EVENT).includes(event)).sort(), ['onGroupNotice', 'onMessageDeleted']);
  assert.deepEqual(reasons.filter((reason) => !told(TIM.TYPES).includes(reason)), []);
});
