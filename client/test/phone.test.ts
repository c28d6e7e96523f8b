/** A phone that sleeps, changes networks, loses frames, is kicked out, and whose UserSig expires. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../src/index.js';
import { startTwin } from './harness/twin.js';
import { User, codeOf, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const HOUR = 3_600_000;

const users = withTwin();
const { two } = users;

/** Lets time pass for the server and for everybody's device. */
async function pass(ms: number): Promise<void> {
  await users.twin.advance(ms);
  await Promise.all(users.present.map((user) => user.device.pass(ms)));
}

function states(user: User): string[] {
  return user.told<{ state: string }>('netStateChange').map((data) => data.state);
}

test('what was sent while the network was gone arrives afterwards, once and in order', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, '0');
  await until(() => bob.texts.length === 1);
  bob.device.goOffline();
  assert.equal(states(bob).includes('disconnected'), true);
  for (const text of ['1', '2', '3']) await alice.send(bob.userID, text);
  const mine = bob.send(alice.userID, '离线时写的');
  bob.device.goOnline();
  await mine;
  await until(() => bob.texts.length === 4);
  same(bob.texts, ['0', '1', '2', '3']);
  assert.equal(states(bob).at(-1), 'connected');
  await until(() => alice.texts.length === 1);
  assert.equal(bob.tim.getTotalUnreadMessageCount(), 4);
  // Coming back is not logging in anew: the app hears nothing of it.
  assert.equal(bob.told('sdkStateReady').length, 1);
  assert.equal(bob.told('sdkStateNotReady').length, 0);
});

test('a push that is lost is noticed by the next one, and made up for before it', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, '1');
  await until(() => bob.texts.length === 1);
  let lost = 0;
  bob.device.loses = (frame) => frame['event'] === 'onMessageReceived' && ++lost <= 3;
  for (const text of ['2', '3', '4', '5']) await alice.send(bob.userID, text);
  await until(() => bob.texts.length === 5);
  same(bob.texts, ['1', '2', '3', '4', '5']);
  assert.equal(bob.tim.getTotalUnreadMessageCount(), 5);
});

test('when every push is lost, coming back to the app finds everything', async () => {
  const [alice, bob] = await two();
  bob.device.loses = (frame) => frame['event'] !== undefined;
  await alice.send(bob.userID, '1');
  await alice.send(bob.userID, '2');
  bob.device.wake();
  await until(() => bob.texts.length === 2);
  same(bob.texts, ['1', '2']);
});

test('a message whose acknowledgement is lost is sent again, and is there once', async () => {
  const [alice, bob] = await two();
  let lost = 0;
  alice.device.loses = (frame) => frame['action'] === 'sendMessage' && ++lost === 1;
  const message = alice.text(bob.userID, '只有一次');
  const sending = alice.tim.sendMessage(message);
  await until(() => lost === 1);
  alice.device.clock.advance(10_000);
  await sending;
  same([message.status, message.sequence], ['success', 1]);
  const attempts = alice.device.takeFrames().filter((frame) => frame['action'] === 'sendMessage');
  assert.equal(attempts.length, 2);
  same(attempts[0], attempts[1]);
  same((await bob.history(alice.userID)).map(textOf), ['只有一次']);
});

test('a socket that leads nowhere is replaced when two frames had no answer', async () => {
  const [alice, bob] = await two();
  const connections = alice.device.connections;
  alice.device.loses = () => alice.device.connections === connections;
  const sending = alice.send(bob.userID, '总会到');
  await until(() => alice.device.frames.some((frame) => frame['action'] === 'sendMessage'));
  alice.device.clock.advance(10_000);
  alice.device.clock.advance(10_000);
  await sending;
  assert.equal(alice.device.connections, connections + 1);
  same((await bob.history(alice.userID)).map(textOf), ['总会到']);
});

test('a phone that has slept notices it when it wakes up', async () => {
  const [alice, bob] = await two();
  bob.device.sleep();
  await alice.send(bob.userID, '早上好');
  bob.device.clock.ahead += HOUR;
  bob.device.wake();
  bob.device.clock.advance(5_000);
  await until(() => bob.texts.length === 1);
  same(bob.texts, ['早上好']);
});

test('another network means another socket, at once and without being kicked out', async () => {
  const [alice, bob] = await two();
  const connections = bob.device.connections;
  bob.device.changeNetwork();
  assert.equal(bob.device.connections, connections + 1);
  await alice.send(bob.userID, '还在吗');
  await until(() => bob.texts.length === 1);
  assert.equal(bob.told('kickedOut').length, 0);
});

test('while there is no connection it goes on trying, further and further apart', async () => {
  const [, bob] = await two();
  bob.device.goOffline();
  const attemptsWithin = async (ms: number): Promise<number> => {
    const before = bob.device.connections;
    for (let passed = 0; passed < ms; passed += 100) {
      bob.device.clock.advance(100);
      await new Promise(setImmediate);
    }
    return bob.device.connections - before;
  };
  const [soon, later] = [await attemptsWithin(10_000), await attemptsWithin(100_000)];
  assert.ok(soon >= 3 && soon <= 7, `${soon} attempts within 10 s`);
  assert.ok(later >= 3 && later <= 7, `${later} attempts within the next 100 s`);
  bob.device.goOnline();
  await until(() => states(bob).at(-1) === 'connected');
});

test('a heartbeat every four minutes, and a new connection before the old one is cut', async () => {
  const [alice, bob] = await two();
  const connections = bob.device.connections;
  bob.device.takeFrames();
  for (let minutes = 0; minutes < 100; minutes += 4) await pass(240_000);
  const pings = bob.device.takeFrames().filter((frame) => frame['action'] === 'ping').length;
  assert.ok(pings >= 24, `${pings} pings`);
  assert.equal(bob.device.connections, connections);
  for (let minutes = 100; minutes < 116; minutes += 4) await pass(240_000);
  assert.equal(bob.device.connections, connections + 1);
  await until(async () => (await bob.tim.getUserStatus({ userIDList: [bob.userID] })).data.successUserList[0]?.statusType === 1);
  await alice.send(bob.userID, '两小时以后');
  await until(() => bob.texts.length === 1);
  // Nobody has to hear of it.
  same(states(bob), ['connected']);
  assert.equal(bob.told('kickedOut').length, 0);
});

test('a recall that happened while the phone was away is seen when it is back', async () => {
  const [alice, bob] = await two();
  const message = await alice.send(bob.userID, '撤回的');
  await until(() => bob.texts.length === 1);
  bob.device.goOffline();
  await alice.tim.revokeMessage(message);
  bob.device.goOnline();
  await until(() => bob.told('onMessageRevoked').length === 1);
  assert.equal(bob.received[0]?.isRevoked, true);
  assert.equal(bob.texts.length, 1);
});

test('a read mark that was lost is made again', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, '1');
  await until(() => bob.texts.length === 1);
  bob.device.goOffline();
  await bob.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
  assert.equal(bob.tim.getTotalUnreadMessageCount(), 0);
  bob.device.goOnline();
  await until(() => alice.told('onMessageReadByPeer').length === 1);
  await bob.tim.logout();
  bob.events.length = 0;
  await bob.login();
  assert.equal(bob.tim.getTotalUnreadMessageCount(), 0);
  same(bob.texts, []);
});

test('the same account on a second phone kicks out the first', async () => {
  const [alice] = await two();
  const second = await users.another(alice);
  await until(() => alice.told('kickedOut').length === 1);
  same(alice.told('kickedOut'), [{ type: alice.device.TIM.TYPES.KICKED_OUT_MULT_ACCOUNT }]);
  same(alice.told('sdkStateNotReady').length, 1);
  assert.equal(await codeOf(alice.tim.getConversationList()), 3003);
  // It does not fight: a user who wants to be here logs in again.
  alice.device.clock.advance(HOUR);
  assert.equal(second.told('kickedOut').length, 0);
  assert.equal(second.tim.isReady(), true);
});

test('an expired UserSig ends the session with the reason, and a new one begins it again', async () => {
  const [alice, bob] = await two();
  await alice.tim.logout();
  await alice.login(60);
  await users.twin.advance(61_000);
  const message = alice.text(bob.userID, '过期了');
  assert.equal(await codeOf(alice.tim.sendMessage(message)), 70001);
  assert.equal(message.status, 'fail');
  same(alice.told('kickedOut'), [{ type: alice.device.TIM.TYPES.KICKED_OUT_USERSIG_EXPIRED }]);
  assert.equal(await codeOf(alice.tim.getConversationList()), 3004);
  await alice.login();
  await alice.tim.resendMessage(message);
  same((await bob.history(alice.userID)).map(textOf), ['过期了']);
});

for (const isTold of [true, false]) {
  test(`who was kicked by the operator is told so once and does not come back, ${isTold ? 'with' : 'without'} a last push`, async () => {
    const [alice, bob] = await two();
    const [connection] = await users.twin.kick(alice.userID);
    await users.twin.end(connection!, isTold && { event: 'kickedOut', data: { type: 'REST_API_Kick' } });
    if (!isTold) {
      // It takes it for a lost network, tries again, and is told 70052.
      await until(() => states(alice).includes('connecting'));
      await alice.device.pass(10_000);
    }
    await until(() => alice.told('kickedOut').length === 1);
    same(alice.told('kickedOut'), [{ type: alice.device.TIM.TYPES.KICKED_OUT_REST_API }]);
    same(alice.told('sdkStateNotReady').length, 1);
    assert.equal(await codeOf(alice.tim.getConversationList()), 3006);

    const before = states(alice).length;
    await alice.device.pass(HOUR);
    await bob.send(alice.userID, '还在吗');
    assert.deepEqual([states(alice).length, alice.texts, alice.told('kickedOut').length], [before, [], 1]);
    assert.equal(await codeOf(alice.tim.login({ userID: alice.userID, userSig: alice.sig })), 70052);
    assert.equal(alice.tim.isReady(), false);
  });
}

test('a login with an expired UserSig says so, and so does one with a wrong one', async () => {
  const user = users.add(new User(users.twin, 'erin'));
  const expired = users.twin.userSig('erin', -1);
  assert.equal(await codeOf(user.tim.login({ userID: 'erin', userSig: expired })), 70001);
  assert.equal(await codeOf(user.tim.login({ userID: 'erin', userSig: users.twin.userSig('frank') })), 70003);
  assert.equal(user.tim.isReady(), false);
  await user.login();
  assert.equal(user.tim.isReady(), true);
});

test('a login without a network gives up after a while and says what to look at', async () => {
  const user = users.add(new User(users.twin, 'grace'));
  user.device.goOffline();
  const login = user.login();
  user.device.clock.advance(16_000);
  await assert.rejects(login, (error: { code: number; message: string }) => {
    assert.equal(error.code, 2801);
    assert.match(error.message, /whitelist/);
    return true;
  });
});

test('login is one at a time, twice is no error, and other methods wait for it', async () => {
  const user = users.add(new User(users.twin, 'heidi'));
  assert.equal(await codeOf(user.tim.getConversationList()), 2024);
  const login = user.login();
  assert.equal(await codeOf(user.login()), 2025);
  assert.equal(await codeOf(user.tim.getConversationList()), 2999);
  const message: Message = user.text('ivan', '可以先写好');
  await login;
  const { data } = await user.tim.login({ userID: 'heidi', userSig: users.twin.userSig('heidi') });
  assert.equal(data.repeatLogin, true);
  await user.tim.sendMessage(message);
  assert.equal(message.from, 'heidi');
  await assert.rejects(user.tim.login({ userID: '', userSig: '' }), { code: 70402, message: /^Params validate failed\./ });
  await user.tim.logout();
  assert.equal(await codeOf(user.tim.logout()), 2024);
});

test('a login goes through although the app is shown meanwhile, and again if it is hidden in between', async () => {
  const user = users.add(new User(users.twin, 'judy'));
  const login = user.login();
  await until(() => user.device.frames.some((frame) => frame['action'] === 'login'));
  user.device.wake();
  user.device.wake();
  await login;
  assert.equal(user.tim.isReady(), true);
});

test('logging out and in at once leaves somebody logged in, and twice out is once out', async () => {
  const [alice] = await two();
  const out = alice.tim.logout();
  await alice.login();
  await out;
  assert.equal(alice.tim.isReady(), true);
  const twice = [alice.tim.logout(), alice.tim.logout()];
  await Promise.all(twice);
  assert.equal(alice.told('sdkStateNotReady').length, 2);
  await alice.login();
  assert.equal(alice.tim.isReady(), true);
});

test('an app that logs in again while it hears that it was kicked out is in', async () => {
  const [alice] = await two();
  let again: Promise<void> | undefined;
  alice.tim.on('kickedOut', () => { again = alice.login(); });
  const second = users.add(new User(users.twin, alice.userID));
  // It may be kicked out itself before it is in.
  void codeOf(second.login());
  await until(() => again !== undefined);
  await again;
  assert.equal(alice.tim.isReady(), true);
});

test('what is too large for a frame is refused, and does not end the connection', async () => {
  const [alice, bob] = await two();
  const connections = alice.device.connections;
  assert.equal(await codeOf(alice.tim.sendMessage(alice.text(bob.userID, '大'.repeat(11_000)))), 80002);
  assert.equal(await codeOf(alice.tim.sendMessage(alice.text(bob.userID, '大'.repeat(5_000)))), 80002);
  await alice.send(bob.userID, '小');
  assert.equal(alice.device.connections, connections);
});

test('a deletion that is repeated spares what came in between', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '旧');
  await until(() => alice.texts.length === 1);
  let lost = 0;
  alice.device.loses = (frame) => frame['action'] === 'deleteConversation' && ++lost === 1;
  const deleting = alice.tim.deleteConversation(`C2C${bob.userID}`);
  await until(() => lost === 1);
  await bob.send(alice.userID, '新');
  alice.device.clock.advance(10_000);
  await deleting;
  await until(async () => (await alice.conversation(bob.userID))?.lastMessage.messageForShow === '新');
  same((await alice.history(bob.userID)).map(textOf), ['新']);
});

test('a list that the server fails to give is asked for again', async () => {
  const [alice, bob] = await two();
  bob.device.goOffline();
  await alice.send(bob.userID, '1');
  let refused = 0;
  bob.device.replaces = (frame) => {
    // It was too much for the login.
    if (frame['action'] === 'login') return { ...frame, data: { ...frame['data'] as object, conversationPage: undefined } };
    return frame['action'] === 'getConversationList' && ++refused <= 3 ? { ...frame, code: 60007, message: 'busy', data: {} } : frame;
  };
  bob.device.goOnline();
  await until(() => refused > 0);
  for (let second = 0; second < 60 && bob.texts.length === 0; second++) await bob.device.pass(1_000);
  same(bob.texts, ['1']);
});

test('a recall that overtakes its message is one all the same', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, '1');
  await until(() => bob.texts.length === 1);
  bob.device.loses = (frame) => frame['event'] === 'onMessageReceived';
  const message = await alice.send(bob.userID, '2');
  await alice.tim.revokeMessage(message);
  await until(() => bob.received.length === 2);
  assert.equal(bob.received[1]?.isRevoked, true);
});

test('a conversation that was deleted on another device meanwhile is not announced', async () => {
  const many = await startTwin('--multi-device', 'many');
  const [alice, tablet, bob] = await Promise.all(['alice', 'alice', 'bob'].map((name) => User.loggedIn(many, name)));
  assert.ok(alice && tablet && bob);
  for (const user of [alice, tablet, bob]) users.add(user);
  await bob.send('alice', '1');
  await until(() => alice.texts.length === 1 && tablet.texts.length === 1);
  alice.device.goOffline();
  await bob.send('alice', '2');
  await until(() => tablet.texts.length === 2);
  await tablet.tim.deleteConversation('C2Cbob');
  await bob.send('alice', '3');
  alice.device.goOnline();
  await until(() => alice.texts.includes('3'));
  same(alice.texts, ['1', '3']);
  await many.stop();
});

test('two messages under one ID are two messages', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, 'A');
  await until(() => bob.texts.length === 1);
  const [first] = bob.received;
  bob.device.replaces = (frame) => {
    if (frame['event'] !== 'onMessageReceived') return frame;
    const [message] = frame['data'] as object[];
    return { ...frame, data: [{ ...message, clientID: first?.ID }] };
  };
  await alice.send(bob.userID, 'B');
  await until(() => bob.texts.length === 2);
  same(bob.texts, ['A', 'B']);
  assert.notEqual(bob.received[0]?.ID, bob.received[1]?.ID);
});
