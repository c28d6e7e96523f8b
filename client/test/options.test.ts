/** What can be said about a message besides what it says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message, SendOptions } from '../src/index.js';
import { User, codeOf, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const users = withTwin('--multi-device', 'many');
const { two, another } = users;

async function send(user: User, to: string, text: string, options: SendOptions): Promise<Message> {
  return (await user.tim.sendMessage(user.text(to, text), options)).data.message;
}

const said = ({ priority, needReadReceipt, isSupportExtension, messageControlInfo }: Message): unknown =>
  ({ priority, needReadReceipt, isSupportExtension, messageControlInfo });

test('a message for those who are online arrives, and is stored, counted and listed nowhere', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  await alice.send(bob.userID, '在吗');
  await until(() => bob.texts.length === 1 && tablet.texts.length === 1);
  const typing = alice.tim.createCustomMessage({
    to: bob.userID, conversationType: 'C2C', payload: { data: '{"businessID":"user_typing_status","typingStatus":1}' },
  });
  const { data } = await alice.tim.sendMessage(typing, { onlineUserOnly: true });
  same([data.message.ID, data.message.status, data.message.sequence], [typing.ID, 'success', 0]);
  for (const [each, flow] of [[bob, 'in'], [tablet, 'out']] as const) {
    await until(() => each.received.length === 2);
    const hint = each.received[1];
    same([hint?.ID, hint?.flow, hint?.sequence, hint?.onlineOnlyFlag, hint?.payload], [typing.ID, flow, 0, true, typing.payload]);
    assert.equal(each.tim.findMessage(typing.ID), null);
    const { data: page } = await each.tim.getMessageList({ conversationID: hint?.conversationID ?? '' });
    same(page.messageList.map(textOf), ['在吗']);
  }
  const conversation = await bob.conversation(alice.userID);
  same([conversation?.unreadCount, conversation?.lastMessage.messageForShow, bob.tim.getTotalUnreadMessageCount()], [1, '在吗', 1]);
  await bob.tim.logout();
  bob.events.length = 0;
  await bob.login();
  await until(() => bob.received.length === 1);
  same(bob.texts, ['在吗']);
});

test('a message for those who are online waits for no other, and for no connection for longer than 5 s', async () => {
  const [alice, bob] = await two();
  alice.device.loses = (frame) => frame['action'] === 'sendMessage' && (frame['data'] as { message: Message }).message.sequence > 0;
  void codeOf(alice.send(bob.userID, '卡住了'));
  await send(alice, bob.userID, '提示', { onlineUserOnly: true });
  alice.device.goOffline();
  const sending = codeOf(send(alice, bob.userID, '提示', { onlineUserOnly: true }));
  alice.device.clock.advance(5_000);
  assert.equal(await sending, 2801);
  // A user who is blocked is told so here, too.
  const [carol, dave] = await two();
  await dave.tim.addToBlacklist({ userIDList: [carol.userID] });
  assert.equal(await codeOf(send(carol, dave.userID, '提示', { onlineUserOnly: true })), 20007);
});

test('a message that is excluded from the unread count raises none', async () => {
  const [alice, bob] = await two();
  await send(alice, bob.userID, '1', {});
  await send(alice, bob.userID, '2', { messageControlInfo: { excludedFromUnreadCount: true } });
  await send(alice, bob.userID, '3', {});
  await until(() => bob.texts.length === 3);
  const count = async (): Promise<unknown> => [bob.tim.getTotalUnreadMessageCount(), (await bob.conversation(alice.userID))?.unreadCount];
  same(await count(), [2, 2]);
  same(bob.told<number>('onTotalUnreadMessageCountUpdated'), [1, 2]);
  assert.equal((await bob.conversation(alice.userID))?.lastMessage.messageForShow, '3');
  await bob.tim.logout();
  await bob.login();
  same(await count(), [2, 2]);
});

test('a message that is excluded from being the last one is in the history, and in no list', async () => {
  const [alice, bob] = await two();
  await send(alice, bob.userID, '1', {});
  await send(alice, bob.userID, '2', { messageControlInfo: { excludedFromLastMessage: true } });
  await until(() => bob.texts.length === 2);
  for (const [user, peer] of [[alice, bob], [bob, alice]] as const) {
    const shown = async (): Promise<string | undefined> => (await user.conversation(peer.userID))?.lastMessage.messageForShow;
    assert.equal(await shown(), '1');
    same((await user.history(peer.userID)).map(textOf), ['1', '2']);
    assert.equal(await shown(), '1');
    await user.tim.logout();
    await user.login();
    assert.equal(await shown(), '1');
  }
  await send(alice, bob.userID, '3', {});
  await until(() => bob.texts.includes('3'));
  assert.equal((await bob.conversation(alice.userID))?.lastMessage.messageForShow, '3');
  // With the last one deleted, it is not its turn either.
  const last = (await bob.history(alice.userID)).at(-1);
  assert.ok(last);
  await bob.tim.deleteMessage([last]);
  await until(async () => (await bob.conversation(alice.userID))?.lastMessage.messageForShow === '1');
});

test('priority, receipts, extensions and control info arrive, from pushes, pages, gaps and lists', async () => {
  const [alice, bob] = await two();
  const message = alice.tim.createTextMessage({
    to: bob.userID, conversationType: 'C2C', payload: { text: '重要' }, priority: 'High', needReadReceipt: true, isSupportExtension: true,
  });
  await alice.tim.sendMessage(message, { messageControlInfo: { excludedFromUnreadCount: true } });
  const expected = said(message);
  same(expected, {
    priority: 'High', needReadReceipt: true, isSupportExtension: true,
    messageControlInfo: { excludedFromUnreadCount: true, excludedFromLastMessage: false },
  });
  await until(() => bob.received.length === 1);
  same(said(bob.received[0]!), expected);
  bob.device.goOffline();
  const again = alice.tim.createTextMessage({
    to: bob.userID, conversationType: 'C2C', payload: { text: '再次' }, priority: 'High', needReadReceipt: true, isSupportExtension: true,
  });
  await alice.tim.sendMessage(again, { messageControlInfo: { excludedFromUnreadCount: true } });
  bob.device.goOnline();
  await until(() => bob.received.length === 2);
  same(said(bob.received[1]!), expected);

  const later = await another(bob);
  for (const each of await later.history(alice.userID)) same(said(each), expected);
  const plain = await alice.send(bob.userID, '平常');
  await until(() => bob.received.length === 3);
  same([bob.received[2]?.priority, said(bob.received[2]!)], ['Normal', said(plain)]);
});

test('what fails is sent again in the way in which it was to be sent', async () => {
  const [alice, bob] = await two();
  await bob.tim.addToBlacklist({ userIDList: [alice.userID] });
  const message = alice.text(bob.userID, '不计数');
  assert.equal(await codeOf(alice.tim.sendMessage(message, { messageControlInfo: { excludedFromUnreadCount: true } })), 20007);
  await bob.tim.removeFromBlacklist({ userIDList: [alice.userID] });
  await alice.tim.resendMessage(message);
  await until(() => bob.texts.length === 1);
  assert.equal(bob.tim.getTotalUnreadMessageCount(), 0);
});
