/** Servers that do not answer a message, or not so that anybody could read it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../src/index.js';
import { toJSON } from '../src/json.js';
import { User, codeOf, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

type Frame = Record<string, unknown>;

const users = withTwin();
const { two } = users;

/** The replies to the first message that is sent from now on, again and again. */
function toTheFirst(user: User): (frame: Frame) => boolean {
  let first: unknown;
  return (frame) => {
    if (frame['action'] !== 'sendMessage') return false;
    first ??= user.device.frames.find((sent) => sent['action'] === 'sendMessage')?.['requestID'];
    return frame['requestID'] === first;
  };
}

/** What a promise comes to, without waiting for it. */
function outcome(promise: Promise<unknown>): { code?: number } {
  const said: { code?: number } = {};
  void codeOf(promise).then((code) => { if (code !== undefined) said.code = code; });
  return said;
}

test('half an emoji is sent as the sign for what cannot be shown, and what is behind it follows', async () => {
  const [alice, bob] = await two();
  const [cut] = '😀'.split('');
  const half = alice.text(bob.userID, `半${cut}个`);
  assert.equal(textOf(half), '半\ufffd个');
  await Promise.all([alice.tim.sendMessage(half), alice.send(bob.userID, '😀 \\ud83d 整个')]);
  await until(() => bob.texts.length === 2);
  same(bob.texts, ['半\ufffd个', '😀 \\ud83d 整个']);

  // Also where an app has put it itself, and in every other frame.
  const message = alice.text(bob.userID, 'x');
  Object.assign(message, { payload: { text: cut }, cloudCustomData: cut });
  await alice.tim.sendMessage(message);
  const { data } = await alice.tim.updateMyProfile({ nick: `A${cut}`, selfSignature: `${cut}` });
  assert.equal(data.nick, 'A\ufffd');
  assert.equal(await codeOf(alice.tim.getUserProfile({ userIDList: [`bob${cut}`] })), 7003);
  assert.equal(await codeOf(alice.send(`bob${cut}`, 'x')), 7003);
});

/** As UTF-8 has it. */
const mended = (text: string): string => Buffer.from(text).toString();

test('no half of a pair is left in a frame, whatever is around it', () => {
  const units = ['\ud83d', '\ude00', '\\', 'u', 'd83d', '"', 'x', '\n', '\u0007', '\u2028'];
  let state = 1;
  for (let round = 0; round < 3_000; round++) {
    let text = '';
    for (let length = 0; length < 6; length++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      text += units[(state >>> 8) % units.length];
    }
    const frame = toJSON({ [text]: text });
    assert.ok(mended(frame) === frame && !/(?<!\\)(\\\\)*\\ud[89a-f]/i.test(frame), frame);
    assert.deepEqual(JSON.parse(frame), { [mended(text)]: mended(text) });
  }
});

test('what cannot be written as a frame is refused with a code', async () => {
  const [alice, bob] = await two();
  const message = alice.text(bob.userID, 'x');
  Object.assign(message.payload, { self: message.payload });
  assert.equal(await codeOf(alice.tim.sendMessage(message)), 70402);
  await alice.send(bob.userID, '后面的');
});

const silences: [string, (frame: Frame) => Frame | undefined][] = [
  ['is never answered', () => undefined],
  ['is answered with nonsense', () => ({ nonsense: [1, 'two', null] })],
  ['is answered with API Gateway\'s own error', () => ({ message: 'Internal server error', connectionId: 'x', requestId: 'y' })],
];

for (const [what, instead] of silences) {
  test(`a message that ${what} holds up those behind it for 30 s, and is there once when it is sent again`, async () => {
    const [alice, bob] = await two();
    alice.device.takeFrames();
    const isIts = toTheFirst(alice);
    alice.device.loses = (frame) => isIts(frame) && instead(frame) === undefined;
    alice.device.replaces = (frame) => (isIts(frame) ? instead(frame) ?? frame : frame);
    const first = alice.text(bob.userID, '1');
    const sending = outcome(alice.tim.sendMessage(first));
    const behind = ['2', '3'].map((text) => alice.send(bob.userID, text));
    await alice.device.pass(29_000);
    same([sending.code, bob.texts], [undefined, ['1']]);
    await alice.device.pass(1_500);
    await until(() => sending.code !== undefined);
    same([sending.code, alice.told('onMessageReceived')], [2801, []]);
    await Promise.all(behind);
    await until(() => bob.texts.length === 3);
    same(bob.texts, ['1', '2', '3']);

    const { data } = await alice.tim.resendMessage(first);
    same([data.message.status, data.message.sequence], ['success', 1]);
    same((await bob.history(alice.userID)).map(textOf), ['1', '2', '3']);
    // It is this client's own message, however late it is seen.
    await until(async () => (await alice.conversation(bob.userID))?.lastMessage.messageForShow === '3');
    same(alice.received, []);
  });
}

test('a message that is answered with half an answer fails with a code', async () => {
  const [alice, bob] = await two();
  alice.device.replaces = (frame) => (frame['action'] === 'sendMessage' ? { ...frame, data: null } : frame);
  assert.equal(await codeOf(alice.send(bob.userID, '1')), 20005);
});

test('an error without a requestID is the error of what was just sent, and it fails at once', async () => {
  const [alice, bob] = await two();
  const refusal = { action: '', requestID: '', code: 60003, message: 'it is not valid JSON', data: {} };
  let refused = 0;
  alice.device.replaces = (frame) => (frame['action'] === 'sendMessage' && refused++ === 0 ? refusal : frame);
  const first = outcome(alice.send(bob.userID, '1'));
  const second = alice.send(bob.userID, '2');
  await second;
  assert.equal(first.code, 60003);
});

test('the time without a connection does not count: what was written offline is sent an hour later', async () => {
  const [alice, bob] = await two();
  alice.device.goOffline();
  const sending = alice.send(bob.userID, '隧道里写的');
  alice.device.clock.advance(3_600_000);
  alice.device.goOnline();
  const message: Message = await sending;
  assert.equal(message.status, 'success');
});

test('a message with which every connection ends is given up, and the next one goes out', async () => {
  const [alice, bob] = await two();
  alice.device.takeFrames();
  const isIts = toTheFirst(alice);
  alice.device.loses = (frame) => {
    if (!isIts(frame)) return false;
    alice.device.cut();
    return true;
  };
  const begun = alice.device.clock.now();
  const first = outcome(alice.send(bob.userID, '1'));
  const second = alice.send(bob.userID, '2');
  for (let turn = 0; turn < 300 && first.code === undefined; turn++) await alice.device.pass(100);
  assert.equal(first.code, 2800);
  await second;
  assert.ok(alice.device.clock.now() - begun <= 30_000);
  same((await bob.history(alice.userID)).map(textOf), ['1', '2']);
});
