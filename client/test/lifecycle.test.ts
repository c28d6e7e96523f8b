import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOUNCED, CLOSED, FETCHING, IDLE, LISTING, Lifecycle, READY, STARTING, WAITING } from '../src/sync/lifecycle.js';

/** A session whose first run has got everything, and which waits for its second look. */
function started(): Lifecycle {
  const lifecycle = new Lifecycle();
  lifecycle.connected(1_000);
  lifecycle.listed();
  lifecycle.completed(true);
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

test('after each login of a socket pushes wait for the list, and there is a second look', () => {
  const lifecycle = new Lifecycle();
  for (let login = 0; login < 2; login++) {
    lifecycle.connected(1_000);
    assert.deepEqual([lifecycle.step, lifecycle.isBuffering], [LISTING, true]);
    lifecycle.listed();
    assert.deepEqual([lifecycle.step, lifecycle.isBuffering], [FETCHING, false]);
    lifecycle.completed(true);
    assert.deepEqual([lifecycle.step, lifecycle.delay], [WAITING, 5_000]);
    lifecycle.outdated(2_000);
    assert.deepEqual([lifecycle.step, lifecycle.isBuffering], [LISTING, false]);
    lifecycle.listed();
    lifecycle.completed(true);
    assert.equal(lifecycle.step, IDLE);
  }
});

test('a new run takes the place of one that is under way, and the end of every one', () => {
  const lifecycle = new Lifecycle();
  const first = lifecycle.connected(1_000);
  assert.ok(lifecycle.isCurrent(first));
  const second = lifecycle.outdated(1_000);
  assert.deepEqual([lifecycle.isCurrent(first), lifecycle.isCurrent(second)], [false, true]);
  lifecycle.closed();
  assert.deepEqual([lifecycle.isCurrent(second), lifecycle.step], [false, IDLE]);
  assert.equal(lifecycle.isCurrent(lifecycle.outdated(1_000)), false);
});

test('what has failed is done again, later each time and a minute later at the most, until it comes', () => {
  const lifecycle = started();
  const delays = Array.from({ length: 6 }, (_, index) => {
    lifecycle.outdated(2_000);
    // The list has failed, or some of what is behind it.
    if (index % 2) lifecycle.failed();
    else lifecycle.completed(false);
    assert.equal(lifecycle.step, WAITING);
    return lifecycle.delay;
  });
  assert.deepEqual(delays, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  lifecycle.outdated(2_000);
  lifecycle.completed(true);
  lifecycle.outdated(2_000);
  lifecycle.failed();
  assert.equal(lifecycle.delay, 5_000);
});

test('recalls are looked for from the earliest contact that is not compared yet', () => {
  const lifecycle = started();
  lifecycle.outdated(3_000);
  lifecycle.failed();
  lifecycle.connected(2_000);
  lifecycle.completed(false);
  lifecycle.outdated(4_000);
  assert.equal(lifecycle.contact, 2_000);
  lifecycle.completed(true);
  lifecycle.outdated(5_000);
  assert.equal(lifecycle.contact, 5_000);
});

test('a list that fails holds no push back', () => {
  const lifecycle = new Lifecycle();
  lifecycle.connected(1_000);
  lifecycle.failed();
  assert.equal(lifecycle.isBuffering, false);
});
