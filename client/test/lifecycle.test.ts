import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOUNCED, CLOSED, COMPARING, GROWING, IDLE, LISTING, Lifecycle, READY, STARTING, WAITING } from '../src/sync/lifecycle.js';

/** A session whose first run has got everything. */
function started(): Lifecycle {
  const lifecycle = new Lifecycle();
  lifecycle.connected();
  lifecycle.listed();
  lifecycle.compared();
  lifecycle.grown();
  return lifecycle;
}

test('a phase follows the one before it, once, and nothing follows the end', () => {
  const lifecycle = new Lifecycle();
  assert.equal(lifecycle.phase, STARTING);
  assert.equal(lifecycle.announced(), false);
  assert.equal(lifecycle.isReady, false);
  lifecycle.opened();
  assert.equal(lifecycle.phase, READY);
  assert.equal(lifecycle.isReady, true);
  assert.deepEqual([lifecycle.announced(), lifecycle.announced()], [true, false]);
  lifecycle.opened();
  assert.equal(lifecycle.phase, ANNOUNCED);
  assert.equal(lifecycle.isReady, true);
  lifecycle.closed();
  lifecycle.opened();
  assert.deepEqual([lifecycle.announced(), lifecycle.phase, lifecycle.isReady], [false, CLOSED, false]);
});

test('with each login of a socket pushes wait for the page, and one look is enough', () => {
  const lifecycle = new Lifecycle();
  for (let login = 0; login < 2; login++) {
    lifecycle.connected();
    assert.deepEqual([lifecycle.step, lifecycle.isBuffering], [LISTING, true]);
    lifecycle.listed();
    assert.deepEqual([lifecycle.step, lifecycle.isBuffering], [COMPARING, false]);
    lifecycle.compared();
    assert.equal(lifecycle.step, GROWING);
    lifecycle.grown();
    assert.equal(lifecycle.step, IDLE);
  }
  // On a socket that is logged in already none wait.
  lifecycle.outdated();
  assert.deepEqual([lifecycle.step, lifecycle.isBuffering], [LISTING, false]);
});

test('a new run takes the place of one that is under way, and the end of every one', () => {
  const lifecycle = new Lifecycle();
  const first = lifecycle.connected();
  assert.ok(lifecycle.isCurrent(first));
  const second = lifecycle.outdated();
  assert.deepEqual([lifecycle.isCurrent(first), lifecycle.isCurrent(second)], [false, true]);
  lifecycle.closed();
  assert.deepEqual([lifecycle.isCurrent(second), lifecycle.step], [false, IDLE]);
  assert.equal(lifecycle.isCurrent(lifecycle.outdated()), false);
});

test('what has failed is done again, later each time and a minute later at the most, until it comes', () => {
  const lifecycle = started();
  const delays = Array.from({ length: 6 }, () => {
    lifecycle.outdated();
    const delay = lifecycle.failed();
    assert.equal(lifecycle.step, WAITING);
    return delay;
  });
  assert.deepEqual(delays, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  lifecycle.outdated();
  lifecycle.compared();
  // Older conversations that fail to come count anew.
  assert.equal(lifecycle.failed(), 5_000);
});

test('recalls are looked for from the earliest contact that is not compared yet', () => {
  const lifecycle = started();
  lifecycle.lost(3_000);
  lifecycle.outdated();
  lifecycle.failed();
  lifecycle.lost(2_000);
  lifecycle.connected();
  lifecycle.lost(4_000);
  assert.equal(lifecycle.contact, 2_000);
  lifecycle.compared();
  assert.equal(lifecycle.contact, Infinity);
  lifecycle.lost(5_000);
  assert.equal(lifecycle.contact, 5_000);
});

test('a list that fails holds no push back', () => {
  const lifecycle = new Lifecycle();
  lifecycle.connected();
  lifecycle.failed();
  assert.equal(lifecycle.isBuffering, false);
});
