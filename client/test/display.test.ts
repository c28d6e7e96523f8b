/** What the web demo shows of users and messages, whatever they hold. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bodyOf, countOf, firstName, graphemes, initialOf, isJumbo } from '../demo/web/display.js';
import { TEXTS } from '../demo/web/texts.js';
import { FIELDS, ODD_VALUES } from './harness/odd.js';

const texts = TEXTS['zh-CN'];
const SEGMENTERS = { 'Intl.Segmenter': Intl.Segmenter, 'the fallback': null };

test('an odd payload of any type shows its placeholder', () => {
  for (const [type, fields] of Object.entries(FIELDS)) {
    const placeholder = bodyOf({ type, payload: {} }, texts);
    assert.match(placeholder, /^\[.+\]$/, type);
    for (const odd of ODD_VALUES) {
      assert.equal(bodyOf({ type, payload: odd }, texts), placeholder, `${type}: ${JSON.stringify(odd)}`);
      for (const field of fields) {
        if (typeof odd === 'string' && odd !== '') continue;
        assert.equal(bodyOf({ type, payload: { [field]: odd } }, texts), placeholder, `${type}.${field}: ${JSON.stringify(odd)}`);
      }
    }
  }
});

test('an odd type, or no message at all, shows a placeholder too', () => {
  for (const odd of [...ODD_VALUES, 'constructor', '__proto__', 'TIMNewElem']) {
    assert.equal(bodyOf({ type: odd, payload: { text: 'x', data: 'x', description: 'x' } }, texts), '[消息]', JSON.stringify(odd));
    assert.equal(bodyOf(odd, texts), '[消息]');
  }
});

test('odd names and counts are passed over', () => {
  for (const odd of ODD_VALUES) {
    if (typeof odd === 'string' && odd.trim()) continue;
    assert.equal(firstName(odd, odd, 'bob'), 'bob');
    if (typeof odd !== 'number') assert.equal(countOf(odd), 0);
  }
  assert.equal(firstName(' ', '张三', 'bob'), '张三');
  assert.deepEqual([NaN, Infinity, -1, 2.5].map(countOf), [0, 0, 0, 2]);
});

test('both languages say the same things', () => {
  const shape = (table: object): unknown => Object.entries(table).map(([key, text]) => [key, typeof text, typeof text === 'function' ? text.length : 0]);
  assert.deepEqual(shape(TEXTS.en), shape(TEXTS['zh-CN']));
});

for (const [name, Segmenter] of Object.entries(SEGMENTERS)) {
  test(`no emoji and no letter is cut in two by ${name}`, () => {
    const characters = ['👨‍👩‍👧‍👦', '🇨🇳', '🇧🇷', '👍🏽', '👩🏿‍🚀', '❤️', '❤️‍🔥', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏳️‍🌈', 'é', '汉', 'א', 'a'];
    assert.deepEqual([...graphemes(characters.join(''), Segmenter)], characters);
    for (const character of characters) assert.equal(initialOf(`${character}rest`, Segmenter), character.toUpperCase());
    assert.equal(initialOf('', Segmenter), '?');
  });

  test(`up to three emoji are shown large, and nothing else, by ${name}`, () => {
    for (const text of ['😋', '👨‍👩‍👧‍👦🇨🇳👍🏽', '❤️', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿']) assert.ok(isJumbo(text, Segmenter), text);
    for (const text of ['', '😋😋😋😋', '12', 'ok', '😋!', '©', '#', '我😋', '🇨🇳'.repeat(4)]) assert.ok(!isJumbo(text, Segmenter), text);
  });
}
