/** What the app's own server does to messages: it refuses some, rewrites others, and brings along an older history. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatError, Message } from '../src/index.js';
import { same, textOf, until, type User } from './harness/user.js';
import { withTwin } from './harness/users.js';

const users = withTwin();
const { two } = users;

type Frame = Record<string, any>;

/** Changes what comes of an action. */
function answers({ device }: User, action: string, change: (frame: Frame) => Frame): void {
  device.replaces = (frame) => (frame['action'] === action && frame['requestID'] ? change(structuredClone(frame)) : frame);
}

test('a message that was rewritten is what the server says, here too, and that is told once', async () => {
  const [alice, bob] = await two();
  answers(alice, 'sendMessage', (frame) => {
    Object.assign(frame['data'].message, { type: 'TIMCustomElem', payload: { data: '{"n":3}' }, cloudCustomData: 'checked', isModified: true });
    return frame;
  });
  const message = alice.text(bob.userID, '骂人的话');
  const { data } = await alice.tim.sendMessage(message);
  assert.equal(data.message, message);
  same([message.type, message.payload, message.cloudCustomData, message.isModified, message.status],
    ['TIMCustomElem', { data: '{"n":3}' }, 'checked', true, 'success']);
  const told = alice.told<Message[]>('onMessageModified').flat();
  assert.deepEqual([told.length, told[0] === message], [1, true]);
  assert.equal((await alice.conversation(bob.userID))?.lastMessage.messageForShow, '[自定义消息]');
  // What is nobody's business is not told.
  assert.equal(bob.told('onMessageModified').length, 0);
});

test('what the app\'s server says when it refuses comes as it is, code and text', async () => {
  const [alice, bob] = await two();
  for (const [code, text] of [[120001, '今天休息'], [130000, 'closed']] as const) {
    answers(alice, 'sendMessage', (frame) => ({ ...frame, code, message: text, data: undefined }));
    const message = alice.text(bob.userID, '你好');
    await assert.rejects(alice.tim.sendMessage(message), (error: ChatError) => {
      assert.deepEqual([error.code, error.message, (error.data as { message: Message }).message === message], [code, text, true]);
      return true;
    });
    assert.equal(message.status, 'fail');
  }
  for (const code of [20006, 20012]) {
    answers(alice, 'sendMessage', (frame) => ({ ...frame, code, message: 'not now', data: undefined }));
    await assert.rejects(alice.send(bob.userID, '你好'), { code, message: 'sendMessage: not now' });
  }
});

test('what a notification is to be like goes along', async () => {
  const [alice, bob] = await two();
  alice.device.takeFrames();
  await alice.tim.sendMessage(alice.text(bob.userID, '1'), { offlinePushInfo: { title: '新消息' } });
  const [{ data }] = alice.device.takeFrames().filter(({ action }) => action === 'sendMessage') as [Frame];
  same(data.offlinePushInfo, { title: '新消息' });
});

/** A message of the time before, as the server hands it out. */
function imported(user: User, peer: string, at: number): Frame {
  const time = 1_600_000_000 + at;
  return {
    from: at % 2 ? peer : user.userID, to: at % 2 ? user.userID : peer, conversationType: 'C2C', clientID: `7-${time}-${at}`,
    sequence: 0, time, type: 'TIMTextElem', payload: { text: `旧${at}` },
  };
}

test('imported history comes behind the messages that have numbers, is read, and is never news', async () => {
  const [alice, bob] = await two();
  for (const text of ['1', '2']) await bob.send(alice.userID, text);
  await until(() => alice.received.length === 2);
  const old = [1, 2, 3, 4].map((at) => imported(alice, bob.userID, at));
  answers(alice, 'getMessageList', (frame) => {
    const isFirst = frame['data'].messageList?.length > 0;
    frame['data'] = isFirst
      ? { messageList: [...old.slice(2), ...frame['data'].messageList], nextReqMessageID: 'h1600000002-2-2', isCompleted: false }
      : { messageList: old.slice(0, 2), nextReqMessageID: '', isCompleted: true };
    return frame;
  });
  const conversationID = `C2C${bob.userID}`;
  const { data: newer } = await alice.tim.getMessageList({ conversationID });
  same(newer.messageList.map(textOf), ['旧3', '旧4', '1', '2']);
  answers(alice, 'getMessageList', (frame) => ({ ...frame, code: 0, data: { messageList: old.slice(0, 2), nextReqMessageID: '', isCompleted: true } }));
  const { data: older } = await alice.tim.getMessageList({ conversationID, nextReqMessageID: newer.nextReqMessageID });
  same([older.messageList.map(textOf), older.isCompleted], [['旧1', '旧2'], true]);
  same(older.messageList.map(({ flow, isRead, status }) => [flow, isRead, status]), [['in', true, 'success'], ['out', true, 'success']]);
  same(alice.texts, ['1', '2']);
  assert.equal((await alice.conversation(bob.userID))?.unreadCount, 2);
  // The same again is the same objects, and a recall finds one of them by its name.
  const { data: again } = await alice.tim.getMessageList({ conversationID });
  assert.equal(again.messageList[0], older.messageList[0]);
  alice.device.replaces = (frame) => (frame['event'] === 'onMessageReceived' ? { event: 'onMessageRevoked', data: [{ ...old[0], payload: {}, isRevoked: true }] } : frame);
  await bob.send(alice.userID, '3');
  await until(() => alice.told('onMessageRevoked').length === 1);
  assert.equal(older.messageList[0]?.isRevoked, true);
  assert.equal(again.messageList[1]?.isRevoked, false);
});

test('a conversation of imported history alone is in the list until it is deleted', async () => {
  const [alice, bob] = await two();
  const conversationID = `C2C${bob.userID}`;
  const lastMessage = imported(alice, bob.userID, 2);
  answers(alice, 'getConversationList', (frame) => ({
    ...frame, data: { ...frame['data'], conversationList: [{
      conversationID, type: 'C2C', unreadCount: 0, lastMessage, lastSequence: 0, readSequence: 0, peerReadSequence: 0, peerReadTime: 0,
      clearedSequence: 0, isPinned: false,
    }] },
  }));
  alice.device.loses = (frame) => frame['action'] === 'getMessageList' && (frame['data'] as Frame)['rangeList'] !== undefined;
  await alice.tim.getMessageList({ conversationID });
  assert.equal((await alice.conversation(bob.userID))?.lastMessage.messageForShow, '旧2');
  answers(alice, 'deleteConversation', (frame) => ({ ...frame, code: 0, message: '', data: { conversationID, clearedSequence: 0 } }));
  await alice.tim.deleteConversation(conversationID);
  assert.equal(await alice.conversation(bob.userID), undefined);
  // The first message with a number is number 1, and news.
  alice.device.replaces = (frame) => frame;
  await bob.send(alice.userID, '你好');
  await until(() => alice.texts.length === 1);
  assert.equal((await alice.conversation(bob.userID))?.unreadCount, 1);
});
