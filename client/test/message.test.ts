import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatError } from '../src/errors.js';
import {
  createMessage, createUnserved, fromWire, isMessage, isServed, lastMessageOf, messageForShow, toWire, type BuilderOptions,
} from '../src/model/message.js';
import type { Message, MessageType } from '../src/types.js';
import type { WireMessage } from '../src/wire.js';

const origin = { userID: 'alice', instance: 42, now: 1_795_400_001_999 };
const toBob = { to: 'bob', conversationType: 'C2C' } as const;
const wire: WireMessage = {
  from: 'alice', to: 'bob', conversationType: 'C2C', clientID: '42-1795400001-7', sequence: 3, time: 1_795_400_002,
  type: 'TIMTextElem', payload: { text: '你好' },
};

function text(words: string): Message {
  return createMessage('TIMTextElem', { ...toBob, payload: { text: words } }, origin);
}

test('a new message has an ID of three numbers, and all that is known', () => {
  const message = text('你好');
  assert.match(message.ID, /^42-1795400001-\d+$/);
  assert.equal(message.ID, `42-1795400001-${message.random}`);
  const { conversationID, conversationType, from, to, flow, time, status, sequence, payload, priority } = message;
  assert.deepEqual({ conversationID, conversationType, from, to, flow, time, status, sequence, payload, priority }, {
    conversationID: 'C2Cbob', conversationType: 'C2C', from: 'alice', to: 'bob', flow: 'out', time: 1_795_400_001,
    status: 'unSend', sequence: 0, payload: { text: '你好' }, priority: 'Normal',
  });
  assert.notEqual(text('你好').ID, message.ID);
});

test('a message survives JSON as it is', () => {
  for (const message of [text('hello'), fromWire(wire, 'bob'), fromWire({ ...wire, payload: {}, isRevoked: true }, 'bob')]) {
    assert.deepEqual(JSON.parse(JSON.stringify(message)), { ...message });
    assert.ok(isMessage(JSON.parse(JSON.stringify(message))));
    assert.equal(Object.values(message).includes(undefined), false);
  }
});

test('what is kept of a message says all of it but the names of its sender, which are kept with their profile', () => {
  const full: WireMessage = {
    ...wire, conversationType: 'GROUP', to: 'g1', cloudCustomData: 'c', nameCard: '小爱', atUserList: ['bob'], isModified: true, priority: 'High',
    needReadReceipt: true, isSupportExtension: true, messageControlInfo: { excludedFromUnreadCount: true },
  };
  for (const each of [wire, full, { ...full, payload: {}, isRevoked: true, revoker: 'carol' }]) {
    const message = fromWire(each, 'bob');
    assert.deepEqual(fromWire(JSON.parse(JSON.stringify(toWire(message))), 'bob'), message);
  }
});

test('elements are there, and are no field', () => {
  const message = text('hello');
  assert.deepEqual(message.elements, [{ type: 'TIMTextElem', content: { text: 'hello' } }]);
  assert.deepEqual(message.getElements(), message.elements);
  assert.equal(Object.keys(message).some((name) => /elements/i.test(name)), false);
});

test('a built message and a received one have the same fields', () => {
  assert.deepEqual(Object.keys(text('hello')).sort(), Object.keys(fromWire(wire, 'bob')).sort());
});

test('two messages share nothing', () => {
  const [first, second] = [text('1'), text('2')];
  first.readReceiptInfo.isPeerRead = true;
  first.atUserList.push('carol');
  assert.equal(second.readReceiptInfo.isPeerRead, false);
  assert.deepEqual(second.atUserList, []);
});

test('what a builder was given may change without the message', () => {
  const payload = { text: 'before' };
  const message = createMessage('TIMTextElem', { ...toBob, payload }, origin);
  payload.text = 'after';
  assert.deepEqual(message.payload, { text: 'before' });
});

test('the other builders keep their payloads, and fill what may be left out', () => {
  const custom = createMessage('TIMCustomElem', { ...toBob, payload: { data: '{"a":1}' }, cloudCustomData: 'c' }, origin);
  assert.deepEqual(custom.payload, { data: '{"a":1}', description: '', extension: '' });
  assert.equal(custom.cloudCustomData, 'c');
  const face = createMessage('TIMFaceElem', { ...toBob, payload: { index: 0, data: 'x' } }, origin);
  assert.deepEqual(face.payload, { index: 0, data: 'x' });
  const payload = { description: '西湖', longitude: 120.15, latitude: 30.25 };
  assert.deepEqual(createMessage('TIMLocationElem', { ...toBob, payload }, origin).payload, payload);
});

const wrong: [string, keyof BuilderOptions, unknown, number, RegExp][] = [
  ['nothing', 'TIMTextElem', undefined, 70402, /^`to`/],
  ['nobody to send to', 'TIMTextElem', { ...toBob, to: '', payload: { text: 'x' } }, 70402, /`to`/],
  ['a number for a user', 'TIMTextElem', { ...toBob, to: 7, payload: { text: 'x' } }, 70402, /`to`/],
  ['a conversation type that is none', 'TIMTextElem', { ...toBob, conversationType: 'ROOM', payload: { text: 'x' } }, 2106, /CONV_C2C/],
  ['no conversation type', 'TIMTextElem', { to: 'bob', payload: { text: 'x' } }, 2106, /conversationType/],
  ['no payload', 'TIMTextElem', toBob, 70402, /`payload` must be an object with text/],
  ['an empty text', 'TIMTextElem', { ...toBob, payload: { text: '' } }, 70402, /not empty/],
  ['a number for a text', 'TIMTextElem', { ...toBob, payload: { text: 1 } }, 70402, /payload\.text/],
  ['an object for custom data', 'TIMCustomElem', { ...toBob, payload: { data: {} } }, 70402, /^`payload\.data`/],
  ['an object for cloud custom data', 'TIMTextElem', { ...toBob, payload: { text: 'x' }, cloudCustomData: {} }, 70402, /JSON\.stringify/],
  ['a text for an index', 'TIMFaceElem', { ...toBob, payload: { index: '1', data: '' } }, 70402, /payload\.index/],
  ['no place', 'TIMLocationElem', { ...toBob, payload: { longitude: NaN, latitude: 0 } }, 70402, /payload\.longitude/],
];

for (const [what, kind, options, code, says] of wrong) {
  test(`a builder refuses ${what}, and says what it wants`, () => {
    assert.throws(() => createMessage(kind, options as never, origin), (error) => {
      assert.ok(error instanceof ChatError && error instanceof Error);
      assert.equal(error.code, code);
      assert.match(error.message, says);
      return true;
    });
  });
}

test('a message of the wire belongs to the same conversation on both sides', () => {
  const [sent, received] = [fromWire(wire, 'alice'), fromWire(wire, 'bob')];
  assert.deepEqual([sent.flow, sent.conversationID, sent.status], ['out', 'C2Cbob', 'success']);
  assert.deepEqual([received.flow, received.conversationID, received.isRead], ['in', 'C2Calice', false]);
  assert.equal(sent.ID, '42-1795400001-7');
  assert.equal(received.ID, sent.ID);
  assert.equal(received.random, 7);
});

test('a message that another kind of client has named gets the same ID everywhere, fit for a selector', () => {
  const named = { ...wire, clientID: 'rest: order #1' };
  const { ID } = fromWire(named, 'bob');
  assert.match(ID, /^\d+-1795400002-3$/);
  assert.equal(fromWire(named, 'alice').ID, ID);
  assert.notEqual(fromWire({ ...named, from: 'bob', to: 'alice' }, 'alice').ID, ID);
});

test('a revoked message says by whom, and shows nothing else', () => {
  const message = fromWire({ ...wire, payload: {}, isRevoked: true }, 'bob');
  assert.deepEqual([message.isRevoked, message.revoker, message.revokerInfo.userID], [true, 'alice', 'alice']);
  assert.equal(messageForShow(message), '[消息已撤回]');
  assert.equal(lastMessageOf(message).isRevoked, true);
});

test('a revoked message has the fields of its type, all of them empty', () => {
  const left = (type: string): object => fromWire({ ...wire, type, payload: {}, isRevoked: true }, 'bob').payload;
  assert.deepEqual(left('TIMTextElem'), { text: '' });
  assert.deepEqual(left('TIMCustomElem'), { data: '', description: '', extension: '' });
  assert.deepEqual(left('TIMFaceElem'), { index: 0, data: '' });
  assert.deepEqual(left('TIMLocationElem'), { description: '', longitude: 0, latitude: 0 });
  const nothing = { size: 0, width: 0, height: 0, url: '', imageUrl: '' };
  assert.deepEqual(left('TIMImageElem'), {
    uuid: '', imageFormat: 0, imageInfoArray: [{ type: 0, sizeType: 1, ...nothing }, { type: 1, sizeType: 3, ...nothing }, { type: 2, sizeType: 2, ...nothing }],
  });
  for (const type of ['TIMSoundElem', 'TIMVideoElem', 'TIMFileElem', 'TIMRelayElem']) {
    const { downloadFlag, ...fields } = left(type) as { downloadFlag?: number };
    assert.ok(Object.values(fields).every((value) => value === '' || value === 0 || Array.isArray(value) && value.length === 0), type);
    assert.notDeepEqual(left(type), {}, type);
  }
});

test('a message that cannot be sent yet is built all the same, for a program that shows it meanwhile', () => {
  const build = (type: MessageType, payload: object, conversationType = 'C2C'): Message =>
    createUnserved(type, { to: 'bob', conversationType, payload }, origin);
  const forGroup = createMessage('TIMTextElem', { ...toBob, conversationType: 'GROUP', payload: { text: 'x' } }, origin);
  assert.equal(forGroup.conversationID, 'GROUPbob');
  const merged = build('TIMRelayElem', { title: 'talk', abstractList: ['a: b'], messageList: [forGroup] });
  assert.equal(merged.type === 'TIMRelayElem' && merged.payload.messageList[0]?.ID, forGroup.ID);
  assert.equal(isServed(merged), false);
  assert.equal(isMessage(merged), true);
  assert.deepEqual(Object.keys(merged).sort(), Object.keys(text('x')).sort());
  for (const message of [forGroup, text('x')]) assert.equal(isServed(message), true);
  assert.equal(isServed({ ...text('x'), conversationType: 'TOPIC' } as Message), false);
  for (const options of [null, {}, { to: 'bob' }, { to: 'bob', conversationType: 'C2C' }, { to: '', conversationType: 'C2C', payload: {} }]) {
    assert.throws(() => createUnserved('TIMRelayElem', options as never, origin), /^Error: `/);
  }
});

test('a video of an old client is a video', () => {
  assert.equal(fromWire({ ...wire, type: 'TIMVideoElem', payload: {} }, 'bob').type, 'TIMVideoFileElem');
});

test('a list shows every type in one word', () => {
  const shown = [
    'TIMTextElem', 'TIMCustomElem', 'TIMFaceElem', 'TIMLocationElem', 'TIMImageElem', 'TIMSoundElem',
    'TIMVideoFileElem', 'TIMFileElem', 'TIMRelayElem', 'TIMUnheardOf',
  ].map((type) => messageForShow(fromWire({ ...wire, type }, 'bob')));
  assert.deepEqual(shown, [
    '你好', '[自定义消息]', '[表情]', '[位置]', '[图片]', '[语音]', '[视频]', '[文件]', '[聊天记录]', '',
  ]);
});

test('the last message is that of the conversation, or an empty one of the same fields', () => {
  const last = lastMessageOf(fromWire(wire, 'bob'));
  assert.deepEqual([last.lastTime, last.lastSequence, last.fromAccount, last.messageForShow], [1_795_400_002, 3, 'alice', '你好']);
  const none = lastMessageOf(undefined);
  assert.deepEqual([none.lastTime, none.lastSequence, none.fromAccount, none.messageForShow], [0, 0, 0, '']);
  assert.deepEqual(Object.keys(none), Object.keys(last));
});

test('what has not the shape of a message is none', () => {
  for (const value of [null, undefined, 'text', 7, [], {}, { ID: '1-2-3' }, { ...text('x'), payload: null }]) {
    assert.equal(isMessage(value), false);
  }
});
