import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../src/sync/timeline.js';

interface Numbered { sequence: number }

/** Numbers that look random and are the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

test('whatever is lost, doubled or overtaken, everything is shown once and in order', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomNumbers(seed);
    const timeline = new Timeline<Numbered>(0);
    const shown: number[] = [];
    const show = (ready: Numbered[]): void => { for (const { sequence } of ready) shown.push(sequence); };
    const all = Array.from({ length: 40 }, (_, index) => ({ sequence: index + 1 }));
    for (let step = 0; step < 80; step++) {
      show(timeline.take({ sequence: 1 + random(40) }));
      const { hole } = timeline;
      if (hole && random(3) === 0) {
        show(timeline.fill(all.slice(hole.from - 1, hole.to), hole.to));
        assert.ok(!timeline.hole || timeline.hole.from > hole.to);
      }
    }
    show(timeline.fill(all.slice(timeline.top), 40));
    assert.deepEqual(shown, all.map(({ sequence }) => sequence), `seed ${seed}`);
    assert.equal(timeline.hole, undefined);
  }
});

test('what does not exist any more is passed over', () => {
  const timeline = new Timeline<Numbered>(3);
  assert.deepEqual(timeline.take({ sequence: 9 }), []);
  assert.deepEqual(timeline.hole, { from: 4, to: 8 });
  assert.deepEqual(timeline.fill([{ sequence: 6 }], 8), [{ sequence: 6 }, { sequence: 9 }]);
  assert.equal(timeline.top, 9);
});

test('what is known already is not shown again', () => {
  const timeline = new Timeline<Numbered>(5);
  assert.deepEqual(timeline.take({ sequence: 5 }), []);
  assert.deepEqual(timeline.fill([{ sequence: 4 }, { sequence: 6 }], 6), [{ sequence: 6 }]);
});
