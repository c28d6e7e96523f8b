/** The list: what a start and a reconnect cost, what is loaded, and how the rest is found. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation, CreateOptions, Message } from '../src/index.js';
import { User, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

type Frame = Record<string, any>;

const HOUR = 3_600_000;

const users = withTwin('--multi-device', 'many');
const { two, another } = users;

/** A user who is logged in and has so many conversations, as `Crowd` has them. */
async function withCrowd(crowd: Parameters<typeof users.twin.crowd>[1], options?: Partial<CreateOptions>): Promise<User> {
  const user = users.add(new User(users.twin, users.named('alice'), options));
  await users.twin.crowd(user.userID, crowd);
  await user.login();
  return user;
}

/** Lets a device's time pass until something is so. */
async function passUntil(user: User, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2_000 && !(await isSo()); turn++) await user.device.pass(250);
  assert.ok(await isSo(), `it never came to ${isSo}`);
}

/** Time passes in which nothing happens, so nothing that is known can be recalled any more. */
async function quiet(user: User, ms: number): Promise<void> {
  await users.twin.advance(ms);
  user.device.clock.ahead += ms;
  // The first answer says what time it is, and the second one that the server was heard of then.
  for (let answer = 0; answer < 2; answer++) {
    await user.tim.getBlacklist();
    await user.device.pass(100);
  }
}

async function list(user: User): Promise<Conversation[]> {
  return (await user.tim.getConversationList()).data.conversationList;
}

const isGrown = async (user: User): Promise<boolean> => (await user.tim.getConversationList()).data.isSyncCompleted;
const actions = (user: User): unknown[] => user.device.frames.map(({ action }) => action);
const peer = (number: number): string => `peer-${String(number).padStart(5, '0')}`;
const peers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => peer(from + index));
const named = (list: readonly Conversation[]): string[] => list.map(({ toAccount }) => toAccount);

test('a start is one exchange: the newest page, with names, pictures and one\'s own', async () => {
  const [alice, bob] = await two();
  await bob.tim.updateMyProfile({ nick: '鲍勃', avatar: 'https://example.com/bob.png' });
  await alice.tim.updateMyProfile({ nick: '爱丽丝' });
  const message = await alice.send(bob.userID, '你好');
  await alice.tim.logout();
  alice.events.length = 0;
  alice.device.takeFrames();
  const { frames } = alice.device.received;
  await alice.login();
  same(alice.device.frames.map(({ action, data }) => [action, data]), [['login', { count: 20 }]]);
  const [conversation] = await list(alice);
  same([conversation?.userProfile.nick, conversation?.userProfile.avatar], ['鲍勃', 'https://example.com/bob.png']);
  same([conversation?.lastMessage.nick, conversation?.lastMessage.lastSequence], ['爱丽丝', message.sequence]);
  same((await alice.tim.getConversationList()).data.isSyncCompleted, true);
  // And no second look.
  await alice.device.pass(60_000);
  same([actions(alice), alice.device.received.frames - frames], [['login'], 1]);
});

test('a reconnect with nothing new is one exchange', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  await alice.send(bob.userID, '2');
  await until(() => alice.texts.length === 1 && bob.texts.length === 1);
  await quiet(alice, HOUR);
  alice.device.goOffline();
  await users.twin.advance(3 * HOUR);
  alice.device.clock.ahead += 3 * HOUR;
  alice.device.takeFrames();
  const { frames } = alice.device.received;
  alice.device.goOnline();
  await alice.device.pass(60_000);
  same(actions(alice), ['login']);
  const [{ data }] = alice.device.frames as [Frame];
  same([data.conversationIDList, data.since > 0], [[`C2C${bob.userID}`], true]);
  assert.equal(alice.device.received.frames - frames, 1);
  same((await alice.conversation(bob.userID))?.lastMessage.messageForShow, '2');
});

test('a reconnect with something new asks for names, and for what is not in the list, of all at once', async () => {
  const [alice, bob] = await two();
  const others = await Promise.all(['carol', 'dave', 'erin'].map((name) => users.join(users.named(name))));
  for (const each of [bob, ...others]) await each.send(alice.userID, '0');
  await until(() => alice.texts.length === 4);
  await quiet(alice, HOUR);
  alice.device.goOffline();
  for (const each of others) for (const text of ['1', '2', '3']) await each.send(alice.userID, text);
  alice.device.takeFrames();
  alice.device.goOnline();
  await until(() => alice.texts.length === 13);
  await alice.device.pass(60_000);
  same(actions(alice).sort(), ['getMessageList', 'getUserProfile', 'login']);
  const ranges = alice.device.frames.find(({ action }) => action === 'getMessageList') as Frame;
  same(ranges['data'].ranges.map(({ fromSequence, toSequence }: Frame) => [fromSequence, toSequence]), [[2, 3], [2, 3], [2, 3]]);
  for (const each of others) {
    const received = alice.received.filter(({ from }) => from === each.userID);
    same(received.map(textOf), ['0', '1', '2', '3']);
    assert.equal((await alice.conversation(each.userID))?.unreadCount, 4);
  }
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 13);
});

test('after a reconnect hours later everything that has changed is here, however much', async () => {
  const alice = await withCrowd({ count: 300, read: 1, age: 3 * HOUR });
  await passUntil(alice, () => isGrown(alice));
  alice.device.goOffline();
  await users.twin.advance(6 * HOUR);
  // Behind these the crowd has written again: numbers go on, so what is there is put in the place of what was.
  const writers = await Promise.all(peers(100, 250).map((userID) => users.join(userID)));
  for (const writer of writers) await writer.send(alice.userID, `${writer.userID} 又来了`);
  alice.events.length = 0;
  alice.device.takeFrames();
  alice.device.goOnline();
  await passUntil(alice, () => alice.received.length >= 150);
  await alice.device.pass(10_000);
  same(alice.texts.sort(), peers(100, 250).map((userID) => `${userID} 又来了`));
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 150);
  same(new Set(named((await list(alice)).slice(0, 150))), new Set(peers(100, 250)));
  assert.equal((await list(alice)).length, 300);
  const asked = actions(alice);
  assert.ok(asked.length <= 8, asked.join());
});

test('the newest are here at once, older ones follow up to 500, in their order, and no more', async () => {
  const alice = await withCrowd({ count: 20_000, read: 1 });
  same(actions(alice), ['login']);
  same(named(await list(alice)), peers(0, 20));
  assert.equal(await isGrown(alice), false);
  await passUntil(alice, () => isGrown(alice));
  const { length } = await list(alice);
  assert.ok(length >= 500 && length < 600, `${length}`);
  same(named(await list(alice)), peers(0, length));
  same((await list(alice)).filter(({ userProfile }, number) => userProfile.nick !== `用户${number}`), []);
  // The app has seen each page, and nothing twice.
  const told = alice.told<Conversation[]>('onConversationListUpdated').map((list) => list.length);
  same(told, [...told].sort((a, b) => a - b));
  alice.device.takeFrames();
  await alice.device.pass(60_000);
  same(actions(alice), []);

  // On demand there are more, page by page.
  const { data } = await alice.tim.getConversationList({ loadOlder: true });
  assert.ok(data.conversationList.length > length);
  same(named(data.conversationList), peers(0, data.conversationList.length));
  same([data.isSyncCompleted, actions(alice)], [true, ['getConversationList']]);
});

test('as many are loaded as the app wants, none or all', async () => {
  for (const [conversationLimit, loaded] of [[0, 20], [150, 150], [Infinity, 200]] as const) {
    const alice = await withCrowd({ count: 200, read: 1 }, { conversationLimit });
    await passUntil(alice, () => isGrown(alice));
    const { length } = await list(alice);
    assert.ok(length >= loaded && length < loaded + 100 && length <= 200, `${conversationLimit}: ${length}`);
    if (conversationLimit === 0) same([actions(alice), length], [['login'], 20]);
  }
});

test('older conversations do not get in the way of what the user asks for', async () => {
  const alice = await withCrowd({ count: 200, read: 1 });
  const before = alice.device.frames.length;
  alice.device.loses = (frame) => frame['action'] === 'getBlacklist';
  void alice.tim.getBlacklist().catch(() => {});
  for (let passed = 0; passed < 9_000; passed += 250) {
    alice.device.clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  same(actions(alice).slice(before), ['getBlacklist']);
  alice.device.loses = () => false;
  await passUntil(alice, () => isGrown(alice));
  assert.equal((await list(alice)).length, 200);
});

test('a thousand conversations with unread messages are announced in exchanges that grow with their bytes', async () => {
  for (const messages of [1, 3]) {
    const alice = await withCrowd({ count: 1_000, messages }, { conversationLimit: Infinity });
    await passUntil(alice, async () => await isGrown(alice) && alice.received.length >= 1_000 * messages);
    await alice.device.pass(10_000);
    const { frames, bytes } = alice.device.received;
    assert.ok(frames <= 2 + bytes / 24 / 1024, `${frames} exchanges for ${bytes} bytes`);
    same(new Set(alice.received.map(({ ID }) => ID)).size, 1_000 * messages);
    for (const userID of [peer(0), peer(500), peer(999)]) {
      const received = alice.received.filter(({ from }) => from === userID);
      same(received.map(({ sequence }) => sequence), Array.from({ length: messages }, (_, index) => index + 1));
      same(received.map(({ nick }) => nick), received.map(() => `用户${Number(userID.slice(5))}`));
    }
    assert.equal(alice.tim.getTotalUnreadMessageCount(), 1_000 * messages);
    same(alice.told<number>('onTotalUnreadMessageCountUpdated').at(-1), 1_000 * messages);
  }
});

test('what is unread is counted before it has come, and what is read meanwhile is not announced', async () => {
  const alice = users.add(new User(users.twin, users.named('alice')));
  await users.twin.crowd(alice.userID, { count: 3, messages: 5, read: 2 });
  alice.device.loses = (frame) => frame['action'] === 'getMessageList';
  await alice.login();
  same((await list(alice)).map(({ unreadCount }) => unreadCount), [3, 3, 3]);
  same((await list(alice)).map(({ lastMessage }) => lastMessage.lastSequence), [5, 5, 5]);
  await alice.tim.setMessageRead({ conversationID: `C2C${peer(1)}` });
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 6);
  alice.device.loses = () => false;
  await passUntil(alice, () => alice.received.length >= 6);
  await alice.device.pass(60_000);
  same(alice.received.map(({ from, sequence }) => [from, sequence]).sort(), [0, 2].flatMap((number) => [3, 4, 5].map((at) => [peer(number), at])));
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 6);
  const reads = alice.device.frames.filter(({ action }) => action === 'setMessageRead').map(({ data }) => data);
  same(reads, [{ conversationID: `C2C${peer(1)}`, sequence: 5 }]);
});

test('a push for a conversation that is not loaded brings it in, as it is', async () => {
  const alice = await withCrowd({ count: 100, messages: 6, read: 4 }, { conversationLimit: 0 });
  await until(() => alice.received.length === 40);
  const writer = await users.join(peer(70));
  await writer.send(alice.userID, '新的');
  await writer.send(alice.userID, '更新的');
  await until(() => alice.texts.includes('更新的'));
  const [first] = await list(alice);
  same([first?.toAccount, first?.unreadCount, first?.userProfile.nick, first?.lastMessage.messageForShow], [peer(70), 4, '用户70', '更新的']);
  const received = alice.received.filter(({ from }) => from === peer(70));
  same(received.map(({ sequence }) => sequence), [5, 6, 7, 8]);
  const looked = alice.device.frames.filter(({ action }) => action === 'getConversationList').map(({ data }) => data);
  same(looked, [{ conversationIDList: [`C2C${peer(70)}`] }]);
  assert.equal((await list(alice)).length, 21);
});

test('who is not loaded is found by name: one, several, and nobody', async () => {
  const alice = await withCrowd({ count: 100, messages: 3, read: 1 }, { conversationLimit: 0 });
  alice.device.takeFrames();
  const { data } = await alice.tim.getConversationProfile(`C2C${peer(50)}`);
  same([data.conversation.unreadCount, data.conversation.lastMessage.lastSequence, data.conversation.userProfile.nick], [2, 3, '用户50']);
  const some = await alice.tim.getConversationList([`C2C${peer(60)}`, `C2C${peer(61)}`, `C2C${peer(0)}`, 'C2Cnobody', 'GROUPx']);
  same(named(some.data.conversationList), [peer(0), peer(60), peer(61)]);
  const looked = alice.device.frames.filter(({ action }) => action === 'getConversationList').map(({ data }) => data);
  same(looked, [{ conversationIDList: [`C2C${peer(50)}`] }, { conversationIDList: [`C2C${peer(60)}`, `C2C${peer(61)}`, 'C2Cnobody'] }]);
  const nobody = await alice.tim.getConversationProfile('C2Cnobody');
  same([nobody.data.conversation.unreadCount, nobody.data.conversation.lastMessage.lastTime], [0, 0]);
  assert.equal((await list(alice)).length, 23);
});

test('a chat that is not loaded is read, answered, pinned and deleted like any other', async () => {
  const alice = await withCrowd({ count: 100, messages: 3, read: 1 }, { conversationLimit: 0 });
  same((await alice.history(peer(50))).map(({ sequence, isRead }) => [sequence, isRead]), [[1, true], [2, false], [3, false]]);
  assert.equal((await alice.conversation(peer(50)))?.unreadCount, 2);
  await alice.tim.setMessageRead({ conversationID: `C2C${peer(51)}` });
  same([(await alice.conversation(peer(51)))?.unreadCount], [0]);
  await alice.tim.pinConversation({ conversationID: `C2C${peer(52)}`, isPinned: true });
  await until(async () => (await list(alice))[0]?.toAccount === peer(52));
  await alice.tim.deleteConversation(`C2C${peer(53)}`);
  same((await alice.history(peer(53))).length, 0);
  assert.equal(await alice.conversation(peer(53)), undefined);
  const message = await alice.send(peer(54), '你好');
  same([message.sequence, (await alice.conversation(peer(54)))?.unreadCount], [4, 2]);
});

test('the first message into a long conversation that is not loaded does not read its history', async () => {
  const alice = await withCrowd({ count: 21, messages: 300, read: 300 }, { conversationLimit: 0 });
  alice.device.takeFrames();
  const sent = await Promise.all(['1', '2'].map((text) => alice.send(peer(20), text)));
  same(sent.map(({ sequence }) => sequence), [301, 302]);
  same(actions(alice), ['getConversationList', 'sendMessage', 'sendMessage']);
  const bases = alice.device.frames.filter(({ action }) => action === 'sendMessage').map(({ data }) => (data as Frame)['base']);
  same(bases, [300, 300]);
});

test('a deleted conversation is out of the list of a new session, and back with the next message', async () => {
  const [alice, bob] = await two();
  for (const text of ['1', '2']) await bob.send(alice.userID, text);
  await until(() => alice.texts.length === 2);
  await alice.tim.deleteConversation(`C2C${bob.userID}`);
  for (let start = 0; start < 2; start++) {
    await alice.tim.logout();
    await users.twin.advance(90_000);
    await alice.login();
    same(await list(alice), []);
  }
  alice.events.length = 0;
  await bob.send(alice.userID, '3');
  await until(() => alice.texts.length === 1);
  same([alice.texts, (await alice.conversation(bob.userID))?.unreadCount], [['3'], 1]);
  same((await alice.history(bob.userID)).map(textOf), ['3']);
});

test('what another device has changed meanwhile is seen after a reconnect', async () => {
  const [alice, bob] = await two();
  const crowd = await Promise.all(['carol', 'dave', 'erin', 'frank'].map((name) => users.join(users.named(name))));
  const [carol, dave, erin, frank] = crowd as [User, User, User, User];
  const sent = new Map<User, Message>();
  for (const each of [bob, ...crowd]) sent.set(each, await each.send(alice.userID, '1'));
  await until(() => alice.texts.length === 5);
  const mine = await alice.send(erin.userID, '在吗');
  await alice.tim.pinConversation({ conversationID: `C2C${frank.userID}`, isPinned: true });
  alice.device.goOffline();
  const tablet = await another(alice);
  await tablet.tim.setMessageRead({ conversationID: `C2C${bob.userID}` });
  await carol.tim.revokeMessage(sent.get(carol)!);
  await tablet.tim.pinConversation({ conversationID: `C2C${dave.userID}`, isPinned: true });
  await tablet.tim.pinConversation({ conversationID: `C2C${frank.userID}`, isPinned: false });
  await until(() => erin.texts.length === 1);
  await erin.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
  await until(() => tablet.told('onMessageReadByPeer').length === 1);
  await tablet.tim.deleteConversation(`C2C${frank.userID}`);
  alice.device.goOnline();
  await until(async () => (await alice.conversation(bob.userID))?.unreadCount === 0);
  await until(() => alice.told('onMessageRevoked').length === 1 && alice.told('onMessageReadByPeer').length === 1);
  assert.equal(alice.tim.findMessage(mine.ID)?.isPeerRead, true);
  same([(await alice.conversation(dave.userID))?.isPinned, await alice.conversation(frank.userID)], [true, undefined]);
});

test('of more conversations than a login can name the rest is asked for behind it', async () => {
  const alice = await withCrowd({ count: 120, messages: 2, read: 1 }, { conversationLimit: Infinity });
  await passUntil(alice, () => isGrown(alice));
  await until(() => alice.received.length === 120);
  alice.device.goOffline();
  const tablet = await another(alice);
  for (const number of [0, 60, 119]) await tablet.tim.setMessageRead({ conversationID: `C2C${peer(number)}` });
  await users.twin.advance(1_000);
  alice.device.takeFrames();
  alice.device.goOnline();
  await until(() => alice.tim.getTotalUnreadMessageCount() === 117);
  const counts = alice.device.frames.map(({ data }) => (data as Frame)['conversationIDList']?.length);
  same([counts, actions(alice)], [[50, 50, 20], ['login', 'getConversationList', 'getConversationList']]);
});

test('a login without a page is followed by the list', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  await until(() => alice.texts.length === 1);
  const bare = (frame: Frame): Frame => (frame['action'] !== 'login' ? frame : {
    ...frame, data: { ...frame['data'], conversationPage: undefined, profile: undefined },
  });
  alice.device.replaces = bare;
  alice.device.goOffline();
  await bob.send(alice.userID, '2');
  alice.device.goOnline();
  await until(() => alice.texts.length === 2);
  const tablet = users.add(new User(users.twin, alice.userID));
  tablet.device.replaces = bare;
  await tablet.login();
  assert.equal((await tablet.conversation(bob.userID))?.unreadCount, 2);
  await until(() => tablet.texts.length === 2);
});

test('a conversation that moves up while older ones are loaded is there once', async () => {
  const alice = await withCrowd({ count: 150, read: 1 });
  const writer = await users.join(peer(140));
  await writer.send(alice.userID, '我先来');
  await passUntil(alice, () => isGrown(alice));
  const names = named(await list(alice));
  same([names.length, new Set(names).size, names[0]], [150, 150, peer(140)]);
  same(alice.texts, ['我先来']);
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 1);
});

test('a reconnect while older conversations are loaded loses none', async () => {
  const alice = await withCrowd({ count: 200, read: 1 });
  await alice.device.pass(1_500);
  alice.device.cut();
  await passUntil(alice, () => isGrown(alice));
  same(named(await list(alice)), peers(0, 200));
});
