/** Who may know whom in src, read from its import lines: CONTRIBUTING.md, "The client". */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

const files = new Map(readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => [name, readFileSync(join(SRC, name), 'utf8')]));

/** What a file does, without what its comments say. */
const codeOf = (text: string): string => text.replace(/\/\*[^]*?\*\/|\/\/.*/g, '');

/** The files that each one imports, types included. */
const imports = new Map([...files].map(([name, text]) => [name, [...codeOf(text).matchAll(/ from '(\.[^']+)\.js'/g)]
  .map(([, path]) => join(dirname(name), `${path}.ts`))]));

/** From the one that knows nothing of the others to the one that knows them all. */
const LAYERS = ['', 'model', 'net', 'sync', 'api'];
/** The two that put everything together. */
const TOP = ['chat.ts', 'index.ts'];

function layerOf(name: string): number {
  if (TOP.includes(name)) return LAYERS.length;
  return LAYERS.indexOf(dirname(name) === '.' ? '' : dirname(name));
}

const holding = (pattern: RegExp): string[] => [...files].filter(([, text]) => pattern.test(codeOf(text))).map(([name]) => name);

test('every file is in a layer, and every import is one of these files', () => {
  assert.deepEqual([...files.keys()].filter((name) => layerOf(name) < 0), []);
  assert.deepEqual([...imports.values()].flat().filter((name) => !files.has(name)), []);
  // Should the pattern of an import ever find nothing, nothing is held here.
  assert.ok([...imports.values()].flat().length > 100);
});

test('no file imports from a layer above its own: net knows no sync and no api, sync no api, model none of them', () => {
  const upwards = [...imports].flatMap(([name, others]) => others
    .filter((other) => layerOf(other) > layerOf(name)).map((other) => `${name} imports ${other}`));
  assert.deepEqual(upwards, []);
});

test('no imports go in a circle', () => {
  // Takes away what imports nothing that is left, again and again. A circle is what stays.
  let left = [...files.keys()];
  for (let before = Infinity; left.length < before;) {
    before = left.length;
    left = left.filter((name) => imports.get(name)?.some((other) => left.includes(other)));
  }
  assert.deepEqual(left, []);
});

test('one file knows what it runs in', () => {
  const platform = /(?<![.\w'])(wx|Wx|WebSocket|document|window|globalThis|navigator|addEventListener|removeEventListener|XMLHttpRequest|FormData|URL|indexedDB)\b(?!['\w])/;
  assert.deepEqual(holding(platform).sort(), ['globals.d.ts', 'net/platform.ts']);
});

test('one file makes the ID of a conversation of users and groups, and reads it', () => {
  const rule = /(C2C|GROUP)(\$\{|['"`] ?\+|['"`]\.length|\.\+|\(\.|\.)|\bfrom === \w+(\.\w+)? \? \w*\.?to\b|\bto\b[^;\n]{0,20}: \w*\.?from\b/;
  assert.deepEqual(holding(rule), ['model/conversation-id.ts']);
});

test('one file reads the data of a refusal by the server', () => {
  assert.deepEqual(holding(/retryAfterSeconds|ErrorData\b/).sort(), ['net/error-data.ts', 'wire.ts']);
});

test('a user is they, in the sources, the tests and the demos', () => {
  const root = join(SRC, '..');
  const own = ['src', 'test', 'demo'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name)))
    .filter((name) => /\.(ts|js|html|wxml|md)$/.test(name) && !name.endsWith('lib/tim.js') && !name.endsWith('layout.test.ts'));
  const poetic = /\b(he|his|him|himself|she|her|hers|whoever|whomever)\b/i;
  const found = own.flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n')
    .flatMap((line, index) => (poetic.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])));
  assert.deepEqual(found, []);
});
