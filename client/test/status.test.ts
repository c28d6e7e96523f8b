/** Who is there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserStatus } from '../src/index.js';
import { User, codeOf, same, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const [ONLINE, OFFLINE] = [1, 2];

const users = withTwin();

let names = 0;

async function enter(name: string): Promise<User> {
  return users.join(`${name}${names}`);
}

function seen(user: User): (string | number)[][] {
  return user.told<UserStatus[]>('onUserStatusUpdated').flat().map(({ userID, statusType }) => [userID, statusType]);
}

function subscriptions(user: User, action = 'subscribeUserStatus'): string[][] {
  const frames = user.device.takeFrames().filter((frame) => frame['action'] === action);
  return frames.map((frame) => (frame['data'] as { userIDList: string[] }).userIDList);
}

test('who is watched is seen to come and go, and who is not is not', async () => {
  names += 1;
  const [alice, bob] = [await enter('alice'), await enter('bob')];
  const carol = `carol${names}`;
  for (const peer of [bob.userID, carol]) await alice.send(peer, '你好');
  const { data } = await alice.tim.subscribeUserStatus({ userIDList: [bob.userID, carol] });
  same(data, { failureUserList: [] });
  await until(() => seen(alice).length === 2);
  same(seen(alice).sort(), [[bob.userID, ONLINE], [carol, OFFLINE]]);
  alice.events.length = 0;
  await enter('carol');
  await until(() => seen(alice).length === 1);
  await enter('dave');
  await bob.tim.logout();
  await until(() => seen(alice).length === 2);
  same(seen(alice), [[carol, ONLINE], [bob.userID, OFFLINE]]);

  // Who asks again is told again.
  await alice.tim.subscribeUserStatus({ userIDList: [carol] });
  await until(() => seen(alice).length === 3);
  same(seen(alice).splice(2), [[carol, ONLINE]]);

  await alice.tim.unsubscribeUserStatus({ userIDList: [bob.userID] });
  await bob.login();
  await users.present.find(({ userID }) => userID === carol)?.tim.logout();
  await until(() => seen(alice).length === 4);
  same(seen(alice)[3], [carol, OFFLINE]);

  alice.device.takeFrames();
  await alice.tim.unsubscribeUserStatus();
  same(subscriptions(alice, 'unsubscribeUserStatus'), [[carol]]);
  assert.equal(await codeOf(alice.tim.subscribeUserStatus({ userIDList: [] })), 70402);
  assert.equal(await codeOf(alice.tim.setSelfStatus({})), 2905);
});

test('after a lost connection all are watched again, and what has changed meanwhile is told', async () => {
  names += 1;
  const [alice, bob, carol] = [await enter('alice'), await enter('bob'), await enter('carol')];
  for (const peer of [bob.userID, carol.userID]) await alice.send(peer, '你好');
  await alice.tim.subscribeUserStatus({ userIDList: [bob.userID, carol.userID] });
  await until(() => seen(alice).length === 2);
  alice.events.length = 0;
  alice.device.goOffline();
  await bob.tim.logout();
  alice.device.takeFrames();
  alice.device.goOnline();
  await until(() => seen(alice).length > 0);
  same(subscriptions(alice), [[bob.userID, carol.userID]]);
  // Of carol there is nothing new.
  await carol.tim.logout();
  await until(() => seen(alice).length === 2);
  same(seen(alice), [[bob.userID, OFFLINE], [carol.userID, OFFLINE]]);
  // What was watched in another session is not watched in this one.
  await alice.tim.logout();
  alice.device.takeFrames();
  await alice.login();
  same(subscriptions(alice), []);
});

test('a long list is split, and of more than 200 the last ones are watched', async () => {
  names += 1;
  const alice = await enter('alice');
  const crowd = Array.from({ length: 230 }, (_, index) => `crowd${index}`);
  alice.device.takeFrames();
  await alice.tim.subscribeUserStatus({ userIDList: crowd.slice(0, 100) });
  same(subscriptions(alice).map((list) => list.length), [30, 30, 30, 10]);
  await alice.tim.subscribeUserStatus({ userIDList: crowd.slice(100, 120) });
  await alice.tim.subscribeUserStatus({ userIDList: ['crowd0', ...crowd.slice(120)] });
  const frames = alice.device.frames.filter((frame) => frame['action'] === 'unsubscribeUserStatus');
  same(frames.map((frame) => frame['data']), [{ userIDList: crowd.slice(1, 31) }]);
  alice.device.takeFrames();
  alice.device.cut();
  await until(() => alice.told<{ state: string }>('netStateChange').at(-1)?.state === 'connecting');
  await alice.device.pass(1_000);
  await until(() => alice.device.frames.filter((frame) => frame['action'] === 'subscribeUserStatus').length === 7);
  same(subscriptions(alice).flat().length, 200);
});

test('a stranger and who has blocked this user are told of to nobody, and the answer says why', async () => {
  names += 1;
  const [alice, bob] = [await enter('alice'), await enter('bob')];
  const users = { userIDList: [bob.userID, 'stranger'] };
  const codes = ({ failureUserList }: { failureUserList: { userID: string; code: number }[] }): unknown[] =>
    failureUserList.map(({ userID, code }) => [userID, code]);
  await alice.send(bob.userID, '你好');
  same(codes((await alice.tim.subscribeUserStatus(users)).data), [['stranger', 2500]]);
  await bob.tim.addToBlacklist({ userIDList: [alice.userID] });
  same(codes((await alice.tim.subscribeUserStatus(users)).data), [[bob.userID, 20007], ['stranger', 2500]]);
  const { data } = await alice.tim.getUserStatus(users);
  same([data.successUserList, codes(data)], [[], [[bob.userID, 20007], ['stranger', 2500]]]);
});

test('two subscriptions at once do not overtake each other', async () => {
  names += 1;
  const alice = await enter('alice');
  alice.device.takeFrames();
  await Promise.all([
    alice.tim.subscribeUserStatus({ userIDList: ['bob'] }), alice.tim.unsubscribeUserStatus(), alice.tim.subscribeUserStatus({ userIDList: ['carol'] }),
  ]);
  const said = alice.device.takeFrames().filter((frame) => String(frame['action']).endsWith('scribeUserStatus')).map((frame) => [frame['action'], frame['data']]);
  same(said, [
    ['subscribeUserStatus', { userIDList: ['bob'] }], ['unsubscribeUserStatus', { userIDList: ['bob'] }], ['subscribeUserStatus', { userIDList: ['carol'] }],
  ]);
});
