/** Refused handshakes, wrong arguments, apps that hang things on the object, clocks that jump, and other edges. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatSDK } from '../src/index.js';
import type { SessionEvents } from '../src/sync/events.js';
import { applyPush } from '../src/sync/pushes.js';
import { Session } from '../src/sync/session.js';
import type { Push } from '../src/wire.js';
import { User, type Server, codeOf, same, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const DAY = 86_400_000;

const users = withTwin('--multi-device', 'many');
const { two } = users;

function user(server: Server = users.twin, name = 'user'): User {
  return users.add(new User(server, users.named(name)));
}

/** How long somebody waits for the outcome of a promise, by their device's clock, and what it is. */
async function wait(who: User, promise: Promise<unknown>): Promise<{ ms: number; code: number | undefined; message: string }> {
  const begun = who.device.clock.now();
  let error: { code?: number; message: string } | undefined;
  let isOver = false;
  let ms = 0;
  void promise.catch((reason) => { error = reason; }).finally(() => {
    isOver = true;
    ms = who.device.clock.now() - begun;
  });
  for (let turn = 0; !isOver && turn < 400; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!isOver) await who.device.pass(50);
  }
  return { ms, code: isOver ? (error ? error.code ?? -1 : 0) : undefined, message: error?.message ?? '' };
}

// Not getting in

test('a refused handshake is told within 5 s, also by a device that does not say why', async () => {
  for (const [says, code] of [[(why: string) => why, 70003], [() => '', 2801], [() => 'connectSocket:fail', 2801]] as const) {
    const erin = user(users.twin, 'erin');
    erin.device.says = says;
    const refused = await wait(erin, erin.tim.login({ userID: erin.userID, userSig: users.twin.userSig('frank') }));
    assert.equal(refused.code, code);
    assert.ok(refused.ms <= 5_000, `${refused.ms} ms`);
    await erin.login();
  }
});

test('a host that cannot be reached is told within 5 s', async () => {
  const grace = user({ ...users.twin, proxyServer: 'ws://127.0.0.1:1' }, 'grace');
  const refused = await wait(grace, grace.login());
  assert.equal(refused.code, 2801);
  assert.match(refused.message, /ECONNREFUSED/);
  assert.ok(refused.ms <= 5_000, `${refused.ms} ms`);
});

test('a network that is merely slow gets in', async () => {
  const heidi = user(users.twin, 'heidi');
  let lost = 0;
  heidi.device.loses = (frame) => frame['requestID'] === 'login' && ++lost === 1;
  const entered = await wait(heidi, heidi.login());
  assert.equal(entered.code, 0);
  assert.ok(entered.ms > 5_000, `${entered.ms} ms`);
});

test('a device that cannot open a socket says so at once, and one that fails later tries again', async () => {
  const broken = user();
  broken.device.connecting = () => { throw new Error('too many sockets'); };
  const refused = await wait(broken, broken.login());
  assert.equal(refused.code, 2800);
  assert.match(refused.message, /too many sockets/);
  assert.ok(refused.ms < 100, `${refused.ms} ms`);

  const [alice, bob] = await two();
  let thrown = 0;
  alice.device.connecting = (task) => {
    if (++thrown < 3) throw new Error('too many sockets');
    return task;
  };
  alice.device.cut();
  const sending = alice.send(bob.userID, '还是到了');
  assert.equal((await wait(alice, sending)).code, 0);
  assert.equal(thrown, 3);
});

test('a task that throws when it sends or closes is a lost connection', async () => {
  const [alice, bob] = await two();
  let isBroken = false;
  alice.device.connecting = (task) => ({
    ...task,
    send: (options: never) => {
      if (isBroken) throw new Error('not open');
      (task as { send: (options: never) => void }).send(options);
    },
    close: () => { throw new Error('not open'); },
  });
  alice.device.cut();
  await until(() => alice.told<{ state: string }>('netStateChange').at(-1)?.state === 'connecting');
  assert.equal((await wait(alice, alice.send(bob.userID, '1'))).code, 0);
  isBroken = true;
  const sending = alice.send(bob.userID, '2');
  isBroken = false;
  assert.equal((await wait(alice, sending)).code, 0);
});

// Whatever an app does

test('a missing proxyServer or SDKAppID is told by login, with a code and what to do', async () => {
  const { TIM } = user().device;
  const wrong: unknown[] = [undefined, null, {}, { SDKAppID: 7 }, { SDKAppID: 7, proxyServer: null }, { proxyServer: users.twin.proxyServer },
    { SDKAppID: 8, proxyServer: 'https://example.com' }, { SDKAppID: 9, proxyServer: 'wss://' }, 5];
  for (const options of wrong) {
    const tim = TIM.create(options as never);
    await assert.rejects(tim.login({ userID: 'alice', userSig: 'x' }), (error: { code: number; message: string }) => {
      assert.equal(error.code, 70402);
      assert.match(error.message, /^login: .*TIM\.create/);
      return true;
    });
    await tim.destroy();
  }
});

const NOTHINGS: unknown[] = [
  undefined, null, 0, 7, NaN, '', 'x', 'C2C', true, [], [null], [7], {}, () => {}, Symbol('x'), 10n, new Date(),
  { conversationID: 7 }, { conversationID: null }, { userIDList: 'bob' }, { userIDList: [] }, { userIDList: [7] }, { userIDList: [Symbol('x')] },
  { conversationIDList: 'C2Cbob' }, { conversationIDList: [null] }, { conversationID: 'C2Cbob', isPinned: 'yes' },
  { conversationID: 'C2Cbob', nextReqMessageID: 7 }, { conversationID: 'C2Cbob', count: 'all' }, { nick: 7 }, { nick: 10n }, { scope: {} },
  { to: 7 }, { to: 'bob', conversationType: 'C2C', payload: 7 }, { to: 'bob', conversationType: 'C2C', payload: { text: 'x' }, priority: 7 },
  { ID: '1-2-3', type: 'TIMTextElem', to: 'bob', conversationID: 'C2Cbob', payload: {}, status: 'fail', sequence: -1 },
  { ID: '1-2-3', type: 'Nonsense', to: '\u0000', conversationID: 'C2C', payload: [] },
];

test('every method, called with anything, gives a result or an error with a code and a text', async () => {
  const [alice] = await two();
  const offline = user();
  for (const { tim } of [offline, alice]) {
    const methods = Object.getOwnPropertyNames(tim).filter((name) => name !== 'logout' && name !== 'destroy');
    assert.ok(methods.length > 100, `${methods.length} methods`);
    for (const method of methods) {
      const call = (tim as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!;
      const calls: unknown[][] = [[], ...NOTHINGS.map((each) => [each]), [7, 7, 7], [null, null]];
      await Promise.all(calls.map(async (args) => {
        try {
          await call(...args);
        } catch (error) {
          const { code, message } = error as { code?: number; message?: string };
          const what = `${method}(${args.map(describe).join()}): ${code} ${message}`;
          assert.ok(typeof code === 'number' && code !== 2903 && message, what);
          assert.doesNotMatch(message, /Cannot read|is not a function/, what);
        }
      }));
    }
  }
  assert.equal(alice.tim.isReady(), true);
});

function describe(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value, (_, each) => (typeof each === 'symbol' || typeof each === 'bigint' ? typeof each : each)) : String(value);
}

test('whatever an app hangs on the object, it collides with nothing', async () => {
  const [alice, bob] = [user(users.twin, 'alice'), user(users.twin, 'bob')];
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$_'];
  const short = letters.flatMap((a) => [a, ...[...letters, ...'0123456789'].map((b) => a + b)]);
  const likely = ['session', 'options', 'emitter', 'held', 'total', 'connection', 'messages', 'user', 'state', 'name', 'data'];
  for (const { tim } of [alice, bob]) {
    const object = tim as unknown as Record<string, unknown>;
    const served = new Set(Object.getOwnPropertyNames(object));
    assert.deepEqual([...served].filter((name) => typeof object[name] !== 'function'), []);
    for (const name of [...short, ...likely]) if (!served.has(name)) object[name] = 'mine';
    // Wrapping a method of one's own does not change what the others do.
    object['getTotalUnreadMessageCount'] = object['isReady'] = () => { throw new Error('mine'); };
  }
  await Promise.all([alice.login(), bob.login()]);
  await alice.send(bob.userID, '你好');
  await until(() => bob.texts.length === 1);
  await bob.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
  await until(() => alice.told('onMessageReadByPeer').length === 1);
  await bob.tim.logout();
  assert.equal((alice.tim as unknown as Record<string, unknown>)['n'], 'mine');
});

test('what an app does to a list that it is told of changes no total', async () => {
  const [alice, bob] = await two();
  alice.tim.on('onConversationListUpdated', ({ data }) => { for (const conversation of data) conversation.unreadCount = 7; });
  await bob.send(alice.userID, '1');
  await until(() => alice.told('onTotalUnreadMessageCountUpdated').length > 0);
  same(alice.told('onTotalUnreadMessageCountUpdated'), [1]);
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 1);
});

test('an app that logs out when it is told of a list hears of no total afterwards', async () => {
  const [alice, bob] = await two();
  alice.tim.on('onConversationListUpdated', ({ data }) => {
    if (!data.some(({ unreadCount }) => unreadCount > 0)) return;
    // Without a connection a logout is done at once.
    alice.device.goOffline();
    void alice.tim.logout();
  });
  await bob.send(alice.userID, '1');
  await until(() => alice.told('sdkStateNotReady').length > 0);
  same(alice.told('onTotalUnreadMessageCountUpdated'), []);
});

test('methods work when they are taken off the object', async () => {
  const [alice, bob] = await two();
  const { createTextMessage, sendMessage } = alice.tim as ChatSDK;
  const { data } = await sendMessage(createTextMessage({ to: bob.userID, conversationType: 'C2C', payload: { text: 'x' } }));
  assert.equal(data.message.status, 'success');
});

// Clocks

for (const days of [3, -3]) {
  test(`a clock that jumps ${days} days is noticed: server time, new messages, recalls`, async () => {
    const [alice, bob] = await two();
    const serverTime = bob.tim.getServerTime();
    const isRight = (): boolean => Math.abs(bob.tim.getServerTime() - serverTime) < 60;
    await alice.send(bob.userID, '1');
    await until(() => bob.texts.length === 1);
    const message = await alice.send(bob.userID, '2');
    await until(() => bob.texts.length === 2);

    // By a call that asks, and by nobody but a timer.
    bob.device.clock.set(days * DAY);
    bob.tim.getServerTime();
    await until(isRight);
    const { time } = bob.text(alice.userID, 'x');
    assert.ok(Math.abs(time - serverTime) < 60);
    bob.device.takeFrames();
    bob.device.clock.set(-days * DAY);
    await bob.device.pass(15_000);
    await until(() => bob.device.frames.some((frame) => frame['action'] === 'login'));
    await until(isRight);

    // It jumps while nobody is connected, and a recall is found all the same.
    bob.device.goOffline();
    bob.device.clock.set(days * DAY);
    await alice.tim.revokeMessage(message);
    bob.device.goOnline();
    await until(() => bob.told('onMessageRevoked').length === 1);
    assert.ok(isRight());
    // The connection is as good as before.
    await alice.send(bob.userID, '3');
    await until(() => bob.texts.length === 3);
  });
}

test('a page that nobody sees, whose timers are a minute late, asks nothing', async () => {
  const [alice] = await two();
  alice.device.takeFrames();
  for (let minute = 0; minute < 5; minute++) {
    alice.device.clock.ahead += 45_000;
    alice.device.clock.advance(15_000);
    alice.tim.getServerTime();
  }
  same(alice.device.takeFrames().filter((frame) => frame['action'] === 'login'), []);
});

// Going

test('a logout without a network is done in 300 ms', async () => {
  const [alice, bob] = await two();
  alice.device.goOffline();
  const gone = await wait(alice, alice.tim.logout());
  assert.ok(gone.ms <= 300 && gone.code === 0, `${gone.ms} ms`);
  // A network that is gone without a word.
  bob.device.loses = () => true;
  const lost = await wait(bob, bob.tim.logout());
  assert.ok(lost.ms <= 350 && lost.code === 0, `${lost.ms} ms`);
});

// Changes of one thing

test('two changes of one thing go in order, and of two things at the same time', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, '1');
  const id = `C2C${bob.userID}`;
  alice.device.takeFrames();
  const changes = [
    alice.tim.updateMyProfile({ nick: '1' }), alice.tim.updateMyProfile({ nick: '2' }),
    alice.tim.pinConversation({ conversationID: id, isPinned: true }), alice.tim.pinConversation({ conversationID: id, isPinned: false }),
    alice.tim.addToBlacklist({ userIDList: [bob.userID] }), alice.tim.removeFromBlacklist({ userIDList: [bob.userID] }),
  ];
  await new Promise(setImmediate);
  same(alice.device.frames.map((frame) => frame['action']).sort(), ['addToBlacklist', 'pinConversation', 'updateMyProfile']);
  await Promise.all(changes);
  for (let round = 0; round < 10; round++) {
    void alice.tim.addToBlacklist({ userIDList: [bob.userID] });
    void alice.tim.updateMyProfile({ nick: 'x' });
    void alice.tim.pinConversation({ conversationID: id, isPinned: true });
    await Promise.all([
      alice.tim.removeFromBlacklist({ userIDList: [bob.userID] }),
      alice.tim.updateMyProfile({ nick: `${round}` }),
      alice.tim.pinConversation({ conversationID: id, isPinned: false }),
    ]);
    same((await alice.tim.getBlacklist()).data, []);
    same([(await alice.tim.getMyProfile()).data.nick, (await alice.conversation(bob.userID))?.isPinned], [`${round}`, false]);
  }
  // One that is refused does not stand in the way of the next.
  const refused = codeOf(alice.tim.updateMyProfile({ nick: '长'.repeat(1000) }));
  await alice.tim.updateMyProfile({ nick: '之后' });
  assert.notEqual(await refused, 0);
});

// Memory

test('of a hundred thousand messages the newest two thousand are kept, and all of the unread ones are counted', () => {
  const events = new Proxy({} as SessionEvents, { get: () => () => {} });
  const session = new Session('alice', 'ws://127.0.0.1:1', events, () => {});
  session.announce();
  const count = 100_000;
  for (let sequence = 1; sequence <= count; sequence++) {
    const message = { from: 'bob', to: 'alice', conversationType: 'C2C', clientID: `1-2-${sequence}`, sequence, time: sequence, type: 'TIMTextElem', payload: { text: '' } };
    applyPush(session, { event: 'onMessageReceived', data: [message] } as Push);
  }
  const { conversations, messagesByID } = session;
  const state = conversations.get('C2Cbob');
  assert.equal(state?.unread, count);
  assert.equal(state.newest?.sequence, count);
  for (const map of [messagesByID, state.messagesBySequence]) assert.ok(map.size >= 2_000 && map.size <= 2_100, `${map.size}`);
  assert.ok(messagesByID.has(`1-2-${count - 1_999}`));
  state.markRead(count);
  assert.equal(state.unread, 0);
  session.close(new Error() as never);
});
