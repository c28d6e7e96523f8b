/** What users are called, and when that is known. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation, Message, Profile } from '../src/index.js';
import { User, same, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

type Frame = Record<string, unknown>;

const users = withTwin('--multi-device', 'many');

/** Two users; bob has a name and a picture. */
async function two(): Promise<[User, User]> {
  const pair = await users.two();
  await pair[1].tim.updateMyProfile({ nick: '鲍勃', avatar: 'https://example.com/bob.png' });
  return pair;
}

const called = ({ nick, avatar }: Message): unknown => [nick, avatar];
const BOB = ['鲍勃', 'https://example.com/bob.png'];

function asked(user: User): Frame[] {
  return user.device.frames.filter((frame) => frame['action'] === 'getUserProfile');
}

/** How the message said to be received was called at that moment. */
function watch(user: User): unknown[] {
  const seen: unknown[] = [];
  user.tim.on('onMessageReceived', ({ data }) => { for (const message of data) seen.push(called(message)); });
  return seen;
}

test('the first message of a stranger has their name, also when the push does not say it', async () => {
  for (const isSilent of [false, true]) {
    const [alice, bob] = await two();
    const seen = watch(alice);
    if (isSilent) {
      alice.device.replaces = (frame) => {
        if (frame['event'] !== 'onMessageReceived') return frame;
        return { ...frame, data: (frame['data'] as Frame[]).map(({ nick, avatar, ...rest }) => rest) };
      };
    }
    for (const text of ['1', '2', '3']) await bob.send(alice.userID, text);
    await until(() => seen.length === 3);
    same(seen, [BOB, BOB, BOB]);
    same(alice.texts, ['1', '2', '3']);
    await until(async () => (await alice.conversation(bob.userID))?.userProfile.nick === BOB[0]);
    assert.equal((await alice.conversation(bob.userID))?.lastMessage.nick, BOB[0]);
  }
});

test('the first message of a stranger has their name when it is fetched, not pushed', async () => {
  const [alice, bob] = await two();
  const seen = watch(alice);
  alice.device.goOffline();
  await bob.send(alice.userID, '1');
  alice.device.goOnline();
  await until(() => seen.length === 1);
  same(seen, [BOB]);
});

for (const [what, fails] of [
  ['fails', (frame: Frame) => ({ ...frame, code: 20005, message: 'it failed', data: {} })],
  ['is not answered', () => undefined],
] as const) {
  test(`a profile that ${what} holds a message for 3 s, and the order stays`, async () => {
    const [alice, bob] = await two();
    alice.device.loses = (frame) => frame['event'] === 'onMessageReceived' || frame['action'] === 'getUserProfile' && !fails(frame);
    alice.device.replaces = (frame) => (frame['action'] === 'getUserProfile' ? fails(frame) ?? frame : frame);
    await bob.send(alice.userID, '1');
    await bob.send(alice.userID, '2');
    alice.device.wake();
    const begun = alice.device.clock.now();
    for (let turn = 0; turn < 200 && alice.texts.length < 2; turn++) await alice.device.pass(50);
    assert.ok(alice.device.clock.now() - begun <= 3_500, `${alice.device.clock.now() - begun} ms`);
    same(alice.texts, ['1', '2']);
    assert.equal(alice.tim.getTotalUnreadMessageCount(), 2);
    // Deleted while it waits, it is not announced any more.
    if (what !== 'is not answered') return;
    alice.device.loses = (frame) => frame['action'] === 'getUserProfile';
    const carol = await users.join(users.named('carol'));
    await carol.send(alice.userID, '3');
    await until(async () => (await alice.conversation(carol.userID)) !== undefined);
    await alice.tim.deleteConversation(`C2C${carol.userID}`);
    await alice.device.pass(3_500);
    same(alice.texts, ['1', '2']);
  });
}

test('names come with the login: it asks for none', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  await until(() => alice.texts.length === 1);
  const nobody = users.named('nobody');
  await alice.send(nobody, '在吗');
  await alice.tim.logout();
  alice.device.takeFrames();
  await alice.login();
  same([(await alice.conversation(bob.userID))?.userProfile.nick, (await alice.conversation(nobody))?.userProfile.nick], [BOB[0], '']);
  await alice.tim.getConversationProfile(`C2C${nobody}`);
  same(asked(alice), []);
});

test('a peer who is renamed is called so from their next message on', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  await until(() => alice.texts.length === 1);
  await bob.tim.updateMyProfile({ nick: '新名字' });
  const seen = watch(alice);
  await bob.send(alice.userID, '2');
  await until(() => seen.length === 1);
  same(seen, [['新名字', BOB[1]]]);
  same(alice.told<Profile[]>('onProfileUpdated').flat().map(({ userID, nick }) => [userID, nick]), [[bob.userID, '新名字']]);
  await until(() => alice.told<Conversation[]>('onConversationListUpdated').at(-1)?.[0]?.userProfile.nick === '新名字');
  // What came before is theirs, too.
  assert.equal(alice.received[0]?.nick, '新名字');
  const before = asked(alice).length;
  await bob.send(alice.userID, '3');
  await until(() => alice.texts.length === 3);
  assert.equal(asked(alice).length, before);
});
test('a peer who was renamed while nobody was connected is looked up, and the others are not', async () => {
  const [alice, bob] = await two();
  const carol = await users.join(users.named('carol'));
  await bob.send(alice.userID, '1');
  await carol.send(alice.userID, '1');
  await until(() => alice.texts.length === 2);
  await until(async () => (await alice.conversation(carol.userID)) !== undefined);
  // What has happened since tells the names of those who are new since.
  await users.twin.advance(60_000);
  alice.device.wake();
  await alice.device.pass(1_000);
  const seen = watch(alice);
  alice.device.goOffline();
  await bob.tim.updateMyProfile({ nick: '新名字' });
  await bob.send(alice.userID, '2');
  alice.device.takeFrames();
  alice.device.goOnline();
  await until(() => seen.length === 1);
  same(seen, [['新名字', BOB[1]]]);
  same(asked(alice).map((frame) => frame['data']), [{ userIDList: [bob.userID] }]);
  same(alice.told<Profile[]>('onProfileUpdated').flat().map(({ nick }) => nick), ['新名字']);
});

test('120 conversations have 120 names', async () => {
  const [alice] = await two();
  const crowd = Array.from({ length: 120 }, (_, index) => `crowd${index}`);
  for (let at = 0; at < crowd.length; at += 20) {
    await Promise.all(crowd.slice(at, at + 20).map(async (userID) => {
      const member = await User.loggedIn(users.twin, userID);
      await member.tim.updateMyProfile({ nick: `叫${userID}`, selfSignature: '长'.repeat(160) });
      await member.send(alice.userID, '你好');
      member.stop();
    }));
  }
  await alice.tim.logout();
  alice.events.length = 0;
  // A reply holds what fits into a frame: here half of what was asked for.
  alice.device.replaces = (frame) => {
    if (frame['action'] !== 'getUserProfile') return frame;
    const { profileList = [] } = frame['data'] as { profileList?: object[] };
    return { ...frame, data: { profileList: profileList.slice(0, Math.ceil(profileList.length / 2)) } };
  };
  await alice.login();
  await until(async () => {
    await alice.device.pass(500);
    return (await alice.tim.getConversationList()).data.isSyncCompleted;
  });
  const { data } = await alice.tim.getConversationList();
  same(data.conversationList.filter(({ userProfile, toAccount }) => userProfile.nick !== `叫${toAccount}`).map(({ toAccount }) => toAccount), []);
  assert.equal(data.conversationList.length, 120);
  await until(() => alice.received.length === 120);
  same(alice.received.filter(({ nick, from }) => nick !== `叫${from}`), []);
  assert.ok(asked(alice).every((frame) => (frame['data'] as { userIDList: string[] }).userIDList.length <= 100));
  same((await alice.tim.getUserProfile({ userIDList: crowd })).data.map(({ userID }) => userID), crowd);
});

test('history of somebody who is in no list has their name', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  const tablet = users.add(new User(users.twin, alice.userID));
  tablet.device.loses = (frame) => frame['event'] !== undefined;
  const nothing = { conversationList: [], profileList: [], nextReqConversationID: '', isCompleted: true, completeFrom: 0 };
  tablet.device.replaces = (frame) => (frame['action'] === 'login'
    ? { ...frame, data: { ...frame['data'] as object, conversationPage: nothing } } : frame);
  await tablet.login();
  const [message] = await tablet.history(bob.userID);
  assert.ok(message);
  same(called(message), BOB);
});
