/** The flow of a mini-program as it is written for tim-wx-sdk, in its order and with its calls. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Message } from '../src/index.js';
import { Device } from './harness/device.js';
import { SDK_APP_ID, startTwin, type Twin } from './harness/twin.js';
import { User, same, textOf, until } from './harness/user.js';

let twin: Twin;
before(async () => { twin = await startTwin(); });
after(() => twin.stop());

test('create, registerPlugin, login, on, send, history, read, logout', async () => {
  const bob = await User.loggedIn(twin, 'bob');
  await bob.send('alice', '在吗');
  await bob.send('alice', '有事找你');

  const device = new Device();
  const { TIM } = device;
  const tim = TIM.create({ SDKAppID: SDK_APP_ID, proxyServer: twin.proxyServer });
  tim.registerPlugin({ 'cos-wx-sdk': class COS {} });
  tim.setLogLevel(1);
  const told: string[] = [];
  for (const name of [TIM.EVENT.NET_STATE_CHANGE, TIM.EVENT.CONVERSATION_LIST_UPDATED, TIM.EVENT.SDK_READY]) {
    tim.on(name, () => told.push(name));
  }
  const response = await tim.login({ userID: 'alice', userSig: twin.userSig('alice') });
  same(response, { code: 0, data: { actionStatus: 'OK', errorCode: 0, errorInfo: '' } });
  // It is ready from here on, and says so to those who ask for that only now.
  assert.equal(tim.isReady(), true);
  same(told, ['netStateChange']);
  const later = new Promise((resolve) => { tim.once(TIM.EVENT.SDK_READY, resolve); });
  same(await later, { name: 'sdkStateReady' });
  // Of the list as often as more of what is unread has come.
  same([...new Set(told)], ['netStateChange', 'onConversationListUpdated', 'sdkStateReady']);

  // A program that begins to listen after the login has missed nothing.
  const received: Message[] = [];
  tim.on(TIM.EVENT.MESSAGE_RECEIVED, (event) => {
    assert.equal(event.name, TIM.EVENT.MESSAGE_RECEIVED);
    received.push(...event.data);
  });
  await until(() => received.length === 2);
  same(received.map(textOf), ['在吗', '有事找你']);

  const message = tim.createTextMessage({ to: 'bob', conversationType: TIM.TYPES.CONV_C2C, payload: { text: '在的' } });
  const { ID } = message;
  assert.equal(message.status, 'unSend');
  const sent = await tim.sendMessage(message);
  assert.equal(sent.code, 0);
  assert.equal(sent.data.message, message);
  same([message.ID, message.status, message.flow, message.from, message.sequence], [ID, 'success', 'out', 'alice', 3]);
  await until(() => bob.texts.length === 1);
  assert.equal(bob.received[0]?.ID, ID);

  const { data } = await tim.getMessageList({ conversationID: 'C2Cbob', count: 15 });
  same(data.messageList.map(textOf), ['在吗', '有事找你', '在的']);
  assert.equal(data.isCompleted, true);

  assert.equal(tim.getTotalUnreadMessageCount(), 2);
  same(await tim.setMessageRead({ conversationID: 'C2Cbob' }), { code: 0, data: {} });
  assert.equal(tim.getTotalUnreadMessageCount(), 0);
  await until(() => bob.told('onMessageReadByPeer').length > 0);

  same(await tim.logout(), { code: 0, data: {} });
  assert.equal(tim.isReady(), false);

  // What was read never comes again.
  received.length = 0;
  await bob.send('alice', '新消息');
  await tim.login({ userID: 'alice', userSig: twin.userSig('alice') });
  await until(() => received.length > 0);
  same(received.map(textOf), ['新消息']);
  await tim.destroy();
  device.stop();
  bob.stop();
});
