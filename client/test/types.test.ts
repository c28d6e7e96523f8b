import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

test('right calls compile and wrong calls do not', () => {
  const tsc = spawnSync(process.execPath, [path('../node_modules/typescript/bin/tsc'), '-b', path('types'), path('types/miniprogram'), path('types/browser')], {
    encoding: 'utf8',
  });
  assert.equal(tsc.stdout + tsc.stderr, '');
  assert.equal(tsc.status, 0);
});
