import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';

import { bundle } from '../build.mjs';
import TIM, { type TIMStatic } from '../src/index.js';

const committed = readFileSync(new URL('../dist/index.js', import.meta.url), 'utf8');

test('dist/index.js is what the sources build: npm run build', async () => {
  assert.ok((await bundle('cjs')) === committed, 'dist/index.js is out of date: npm run build');
});

test('the mini-program of the demo has the same file', () => {
  const copy = readFileSync(new URL('../demo/miniprogram/lib/tim.js', import.meta.url), 'utf8');
  assert.ok(copy === committed, 'the copy is out of date: npm run build');
});

test('dist/index.js takes at most 75 KB of a mini-program, and 29 KB on its way there', () => {
  const sizes = [Buffer.byteLength(committed), gzipSync(committed).length];
  assert.ok(sizes[0]! <= 75 * 1024 && sizes[1]! <= 29 * 1024, `it has ${sizes.join(' and ')} bytes`);
});

test('the README says how large it is', () => {
  for (const name of ['README.md', 'README.zh-CN.md']) {
    const text = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    const said = Number(/(?:client of|客户端只有) (\d+) KB/.exec(text)?.[1]);
    assert.ok(Math.abs(said * 1024 - Buffer.byteLength(committed)) < 3 * 1024, `${name} says ${said} KB`);
  }
});

test('the names that are shortened in the bundle come out as they are in the sources', () => {
  const module = { exports: {} as TIMStatic };
  vm.runInNewContext(committed, { module, setTimeout, clearTimeout, console });
  const { EVENT, TYPES, TSignaling, create } = module.exports;
  assert.deepEqual(JSON.parse(JSON.stringify({ EVENT, TYPES, TSignaling })), { EVENT: TIM.EVENT, TYPES: TIM.TYPES, TSignaling: TIM.TSignaling });
  assert.deepEqual(Object.getOwnPropertyNames(create({ SDKAppID: 1 })).sort(), Object.getOwnPropertyNames(TIM.create({ SDKAppID: 1 })).sort());
});

test('the bundle is TIM itself, for require, for compilers that want a default, and for a page', () => {
  const module = { exports: {} as Record<string, unknown> };
  vm.runInNewContext(committed, { module, setTimeout, clearTimeout, console });
  assert.deepEqual(Object.keys(module.exports).sort(), ['EVENT', 'TSignaling', 'TYPES', 'VERSION', 'create']);
  assert.equal(module.exports.default, module.exports);

  const page = vm.createContext({ setTimeout, clearTimeout, console });
  vm.runInContext('self = globalThis', page);
  vm.runInContext(committed, page);
  assert.deepEqual(Object.keys(page.TIM).sort(), ['EVENT', 'TSignaling', 'TYPES', 'VERSION', 'create']);
});
