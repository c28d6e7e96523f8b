/** What the web demo shows of users and messages, whatever they hold. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bodyOf, boxOf, clockText, countOf, firstName, graphemes, initialOf, isJumbo, mediaOf, sizeText, splitName } from '../demo/web/display.js';
import { TEXTS } from '../demo/web/texts.js';
import { FIELDS, ODD_VALUES, SCRIPT_PAYLOADS } from './harness/odd.js';

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

/** What every kind of media is in a message of somebody else, at this address. */
const mediaAt = (url: unknown): object[] => [
  { type: 'TIMImageElem', payload: { imageInfoArray: [{ url, width: 30, height: 20 }, { url }, { url }] } },
  { type: 'TIMSoundElem', payload: { url, second: 3 } },
  { type: 'TIMVideoFileElem', payload: { videoUrl: url, videoSecond: 75, thumbUrl: url, thumbWidth: 30, thumbHeight: 20 } },
  { type: 'TIMFileElem', payload: { fileUrl: url, fileName: 'a.pdf', fileSize: 10 } },
].map((each) => ({ flow: 'in', status: 'success', ...each }));

test('a picture, a voice, a video and a file are shown from an address of http or https, and from no other', () => {
  const url = 'https://media.example.com/m/1/o';
  assert.deepEqual(mediaAt(url).map(mediaOf), [
    { kind: 'picture', url, shown: url, width: 30, height: 20 },
    { kind: 'voice', url, seconds: 3 },
    { kind: 'video', url, shown: url, seconds: 75, width: 30, height: 20 },
    { kind: 'file', url, name: 'a.pdf', size: 10 },
  ]);
  const refused = [
    'javascript:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x', 'blob:http://127.0.0.1/1', 'file:///etc/passwd',
    'ftp://example.com/', '//example.com/', '/m/1/o', 'https://', 'https://user:secret@example.com/', `https://example.com/${'x'.repeat(3_000)}`, ...ODD_VALUES,
  ];
  for (const odd of refused) assert.deepEqual(mediaAt(odd).map(mediaOf), [null, null, null, null], String(JSON.stringify(odd)));
  for (const [type, payload] of Object.entries(SCRIPT_PAYLOADS)) assert.equal(mediaOf({ type, payload }), null);
  for (const odd of ODD_VALUES) assert.equal(mediaOf({ type: 'TIMImageElem', payload: { imageInfoArray: odd } }), null);
  assert.equal(mediaOf({ type: 'TIMTextElem', payload: { url } }), null);
});

test('only what the user is sending lies on the device', () => {
  const blob = 'blob:http://127.0.0.1:8420/1';
  const [, sound] = mediaAt(blob) as [object, object];
  assert.equal(mediaOf({ ...sound, flow: 'out', status: 'unSend' })?.url, blob);
  assert.equal(mediaOf({ ...sound, flow: 'out', status: 'fail' })?.url, blob);
  assert.equal(mediaOf({ ...sound, flow: 'out', status: 'success' }), null);
});

test('numbers and names of a file are what they look like', () => {
  const url = 'https://example.com/1';
  const file = (fileName: unknown, fileSize: unknown): unknown => mediaOf({ type: 'TIMFileElem', payload: { fileUrl: url, fileName, fileSize } });
  assert.deepEqual(file(' 报价\u202efdp.exe\u0000\n ', 12), { kind: 'file', url, name: '报价fdp.exe', size: 12 });
  for (const odd of [NaN, -1, 1e308, '5', null]) {
    assert.deepEqual(file(odd, odd), { kind: 'file', url, name: odd === '5' ? '5' : '', size: 0 });
    const picture = { type: 'TIMImageElem', payload: { imageInfoArray: [{ url, width: odd, height: 20 }] } };
    assert.deepEqual(mediaOf(picture), { kind: 'picture', url, shown: url, width: 0, height: 0 });
  }
  assert.deepEqual(splitName('很长的报价单.最终版.pdf'), ['很长的报价单.最终版', '.pdf']);
  assert.deepEqual(['.profile', 'README', 'a. b', 'x.verylongword'].map((name) => splitName(name)[1]), ['', '', '', '']);
  assert.deepEqual([0, 1023, 1024, 1_500_000, 20_971_520, 5e9].map(sizeText), ['0 B', '1023 B', '1.0 KB', '1.4 MB', '20 MB', '4.7 GB']);
  assert.deepEqual([0, 9.4, 59.6, 600].map(clockText), ['0:00', '0:09', '1:00', '10:00']);
});

test('the place of a picture in the list has its shape, and is neither huge nor tiny', () => {
  assert.deepEqual(boxOf(1600, 1200), [240, 180]);
  assert.deepEqual(boxOf(1200, 1600), [210, 280]);
  assert.deepEqual(boxOf(100, 90), [100, 90]);
  assert.deepEqual(boxOf(1e11, 1), [240, 72]);
  assert.deepEqual(boxOf(1, 1e11), [72, 280]);
  assert.deepEqual(boxOf(0, 0), [160, 160]);
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
