/** What is kept on the device, in the storage of `wx` and in IndexedDB, and what becomes of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import type { ChatSDK, Conversation, CreateOptions, TIMStatic } from '../src/index.js';
import { Device } from './harness/device.js';
import { Storage } from './harness/storage.js';
import { SDK_APP_ID } from './harness/twin.js';
import { User, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

type Frame = Record<string, any>;

const HOUR = 3_600_000;
const SCRIPT = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** What the page knows. */
declare const window: { TIM: TIMStatic; tim: ChatSDK; indexedDB: any };

const users = withTwin('--multi-device', 'many');

/** How much time has passed, for the server and for the devices that begin then. */
let passed = 0;

async function advance(ms: number): Promise<void> {
  passed += ms;
  await users.twin.advance(ms);
}

/** Somebody whose app keeps its list in a storage that outlives it. `isPage`: a page, which has IndexedDB instead of `wx`. */
function keeper(userID: string, storage: Storage, isPage = false, options: Partial<CreateOptions> = {}): User {
  const device = isPage ? Device.page(storage) : new Device(undefined, undefined, storage);
  device.clock.ahead = passed;
  return users.add(new User(users.twin, userID, { cache: true, ...options }, device));
}

/** Ends the app as the system does: without a word to it. */
function kill(user: User): void {
  user.stop();
}

async function written(user: User, storage: Storage): Promise<void> {
  const { writes } = storage;
  await user.device.pass(6_000);
  await until(() => storage.writes > writes);
}

const lists = (user: User): Conversation[][] => user.told<Conversation[]>('onConversationListUpdated');

for (const isPage of [false, true]) {
  const where = isPage ? 'IndexedDB' : 'the storage of wx';

  test(`${where}: a start shows the list before there is a connection, and then what has changed since`, async () => {
    const storage = new Storage();
    const [bob, carol] = await Promise.all(['bob', 'carol'].map((name) => users.join(users.named(name)))) as [User, User];
    await bob.tim.updateMyProfile({ nick: '鲍勃' });
    const alice = keeper(users.named('alice'), storage, isPage);
    await alice.tim.login({ userID: alice.userID, userSig: users.twin.userSig(alice.userID) });
    await bob.send(alice.userID, '一');
    await carol.send(alice.userID, '二');
    await until(() => alice.texts.length === 2);
    await alice.tim.setMessageRead({ conversationID: `C2C${carol.userID}` });
    await written(alice, storage);
    kill(alice);
    await advance(2 * HOUR);
    await carol.send(alice.userID, '三');

    const again = keeper(alice.userID, storage, isPage);
    let shown: Conversation[] = [];
    let connections = -1;
    again.tim.once('onConversationListUpdated', ({ data }) => {
      shown = data;
      connections = again.device.connections;
    });
    await again.login();
    assert.equal(connections, 0);
    same(shown.map(({ toAccount, unreadCount, lastMessage, userProfile }) => [toAccount, unreadCount, lastMessage.messageForShow, userProfile.nick]), [
      [carol.userID, 0, '二', ''], [bob.userID, 1, '一', '鲍勃'],
    ].sort(([a], [b]) => shown.findIndex((each) => each.toAccount === a) - shown.findIndex((each) => each.toAccount === b)));
    await until(() => again.texts.length === 2);
    // What is unread is announced as after every start, and what was read is not.
    same(again.texts.sort(), ['一', '三']);
    same([again.tim.getTotalUnreadMessageCount(), (await again.conversation(carol.userID))?.unreadCount], [2, 1]);
    const [{ data }] = again.device.frames as [Frame];
    assert.ok(data.since > 0, JSON.stringify(data));
    same((await again.history(carol.userID)).map(textOf), ['二', '三']);
  });

  test(`${where}: a logout leaves nothing, and neither does another user`, async () => {
    const storage = new Storage();
    const bob = await users.join(users.named('bob'));
    const alice = keeper(users.named('alice'), storage, isPage);
    await alice.login();
    await bob.send(alice.userID, '秘密');
    await until(() => alice.texts.length === 1);
    await written(alice, storage);
    assert.match(String([...storage.kept.values()]), /秘密/);
    // One that is due is not written any more.
    await bob.send(alice.userID, '另一个');
    await until(() => alice.texts.length === 2);
    await alice.tim.logout();
    await alice.device.pass(20_000);
    same([...storage.kept.values()], []);

    await alice.login();
    await written(alice, storage);
    kill(alice);
    const carol = keeper(users.named('carol'), storage, isPage);
    await carol.login();
    same(lists(carol).flat(), []);
    assert.doesNotMatch(String([...storage.kept.values()]), /秘密/);
  });

  test(`${where}: a device that keeps nothing, or does not answer, is one without a cache`, async () => {
    for (const state of ['fails', 'hangs'] as const) {
      const storage = new Storage();
      storage.state = state;
      const alice = keeper(users.named('alice'), storage, isPage);
      await alice.login();
      const bob = await users.join(users.named('bob'));
      await bob.send(alice.userID, '1');
      await until(() => alice.texts.length === 1);
      await alice.device.pass(20_000);
      const begun = alice.device.clock.now();
      await alice.tim.logout();
      assert.ok(alice.device.clock.now() - begun < 400);
      same(storage.kept.size, 0);
    }
  });
}

test('what cannot be read is dropped: broken, of another format, or of another owner', async () => {
  const storage = new Storage();
  const bob = await users.join(users.named('bob'));
  const alice = keeper(users.named('alice'), storage);
  await alice.login();
  await bob.send(alice.userID, '1');
  await until(() => alice.texts.length === 1);
  await written(alice, storage);
  kill(alice);
  const [[key, good]] = [...storage.kept] as [[string, string]];
  const [format, owner, ...rest] = JSON.parse(good) as unknown[];
  const broken: unknown[] = [
    '{', 'null', '7', '[]', 7, {}, good.slice(0, -5), JSON.stringify([99, owner, ...rest]), JSON.stringify([format, 'x', ...rest]),
    JSON.stringify([format, owner, ...rest.slice(0, 4), [[{ conversationID: 'C2Cx', lastMessage: 7 }]]]),
    JSON.stringify([format, owner, ...rest.slice(0, 3), [null], []]),
  ];
  for (const text of broken) {
    storage.kept.set(key, text);
    const again = keeper(alice.userID, storage);
    await again.login();
    same([(await again.tim.getConversationList()).data.conversationList.length, again.told('error')], [1, []]);
    same((again.device.frames[0] as Frame)['data'], { count: 20 });
    await until(() => again.texts.length === 1);
    kill(again);
  }
  // Another deployment, or another app, is another owner.
  storage.kept.set(key, good);
  const other = keeper(alice.userID, storage, false, { proxyServer: `${users.twin.proxyServer}/` });
  await other.login();
  same((other.device.frames[0] as Frame)['data'], { count: 20 });
  kill(other);
});

test('it is written rarely: once for all that changes within seconds', async () => {
  const storage = new Storage();
  const bob = await users.join(users.named('bob'));
  const alice = keeper(users.named('alice'), storage);
  await alice.login();
  await alice.device.pass(10_000);
  const { writes } = storage;
  for (let number = 0; number < 30; number++) await bob.send(alice.userID, `${number}`);
  await until(() => alice.texts.length === 30);
  await alice.device.pass(10_000);
  assert.ok(storage.writes - writes <= 2, `${storage.writes - writes} writes`);
  const quiet = storage.writes;
  await alice.device.pass(600_000);
  assert.equal(storage.writes, quiet);
});

test('it has a bound, and what there was no room for is loaded from the server', async () => {
  const storage = new Storage();
  const alice = keeper(users.named('alice'), storage, false, { conversationLimit: Infinity });
  await users.twin.crowd(alice.userID, { count: 900, read: 1, bytes: 500 });
  await alice.login();
  const isGrown = async (user: User): Promise<boolean> => (await user.tim.getConversationList()).data.isSyncCompleted;
  for (let turn = 0; turn < 200 && !(await isGrown(alice)); turn++) await alice.device.pass(1_000);
  await written(alice, storage);
  const [text] = [...storage.kept.values()] as [string];
  assert.ok(text.length <= 310_000 && text.length > 250_000, `${text.length}`);
  kill(alice);
  const again = keeper(alice.userID, storage, false, { conversationLimit: Infinity });
  await again.login();
  const kept = lists(again)[0]?.length ?? 0;
  assert.ok(kept > 100 && kept < 900, `${kept}`);
  for (let turn = 0; turn < 200 && !(await isGrown(again)); turn++) await again.device.pass(1_000);
  assert.equal((await again.tim.getConversationList()).data.conversationList.length, 900);
});

test('a day later the list is taken anew, and what was deleted elsewhere is gone', async () => {
  const storage = new Storage();
  const bob = await users.join(users.named('bob'));
  const alice = keeper(users.named('alice'), storage);
  await alice.login();
  await bob.send(alice.userID, '1');
  await until(() => alice.texts.length === 1);
  await written(alice, storage);
  kill(alice);
  const tablet = await users.join(alice.userID);
  await tablet.tim.deleteConversation(`C2C${bob.userID}`);
  await advance(25 * HOUR);
  const again = keeper(alice.userID, storage);
  await again.login();
  same(lists(again)[0]?.map(({ toAccount }) => toAccount), [bob.userID]);
  same((again.device.frames[0] as Frame)['data'], { count: 20 });
  same([(await again.tim.getConversationList()).data.conversationList, again.tim.getTotalUnreadMessageCount(), again.texts], [[], 0, []]);
});

test('a mark that was made without a network and before the app ended is reported by the next one', async () => {
  const storage = new Storage();
  const bob = await users.join(users.named('bob'));
  const alice = keeper(users.named('alice'), storage);
  await alice.login();
  await bob.send(alice.userID, '1');
  await until(() => alice.texts.length === 1);
  alice.device.goOffline();
  await alice.tim.setMessageRead({ conversationID: `C2C${bob.userID}` });
  await written(alice, storage);
  kill(alice);
  const again = keeper(alice.userID, storage);
  await again.login();
  await until(() => bob.told('onMessageReadByPeer').length === 1);
  await again.device.pass(1_000);
  same([again.texts, again.tim.getTotalUnreadMessageCount()], [[], 0]);
});

test('who is kicked out by the operator leaves nothing', async () => {
  const storage = new Storage();
  const alice = keeper(users.named('alice'), storage);
  await alice.login();
  await alice.send('somebody', '1');
  await written(alice, storage);
  assert.equal(storage.kept.size, 1);
  const [connection] = await users.twin.kick(alice.userID);
  await users.twin.end(connection!, { event: 'kickedOut', data: { type: 'REST_API_Kick' } });
  await until(() => alice.told('kickedOut').length > 0);
  await alice.device.pass(20_000);
  assert.equal(storage.kept.size, 0);
});

test('without the option nothing is kept', async () => {
  const storage = new Storage();
  const alice = keeper(users.named('alice'), storage, false, { cache: false });
  await alice.login();
  await alice.send('somebody', '1');
  await alice.device.pass(60_000);
  assert.equal(storage.writes, 0);
});

test('in a browser: a page that is opened again shows the list before it is connected, and a logout empties its database', { timeout: 60_000 }, async (context) => {
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  context.after(() => browser.close());
  // One origin for all, so that the database stays: that of the twin.
  const bob = await users.join(users.named('bob'));
  const userID = users.named('alice');
  const page = await browser.newPage();
  const open = async (): Promise<string[][]> => {
    // The pages of the demo keep something there as well.
    await page.goto(`${users.twin.url}/demo/style.css`);
    await page.addScriptTag({ path: SCRIPT });
    return page.evaluate(async ([SDKAppID, proxyServer, name, userSig]) => {
      const tim = window.tim = window.TIM.create({ SDKAppID, proxyServer, cache: true });
      const told: string[][] = [];
      tim.on('onConversationListUpdated', ({ data }) => told.push([String(tim.isReady()), ...data.map((each) => each.lastMessage.messageForShow)]));
      await tim.login({ userID: name, userSig });
      return told;
    }, [SDK_APP_ID, users.twin.proxyServer, userID, users.twin.userSig(userID)] as const);
  };
  const database = (): Promise<unknown[]> => page.evaluate(() => new Promise((resolve) => {
    const opening = window.indexedDB.open('hongyan');
    opening.onsuccess = () => {
      const all = opening.result.transaction('hongyan').objectStore('hongyan').getAll();
      all.onsuccess = () => resolve(all.result);
    };
  }));
  await open();
  await bob.send(userID, '还在吗');
  await until(async () => (await database()).some((text) => String(text).includes('还在吗')));
  // A login waits for the database for half a second, which is short for a machine that has much to do.
  let first: string[] | undefined;
  await until(async () => { [first] = await open(); return first !== undefined; });
  same(first, ['false', '还在吗']);
  await page.evaluate(() => window.tim.logout());
  same(await database(), []);
  same((await open())[0]?.[0] ?? 'true', 'true');
});
