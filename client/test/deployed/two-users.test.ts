/** The published file against a deployment: two people, one of whom loses the network. `make cloud-test` runs it. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { User, same, textOf, until } from '../harness/user.js';

const { proxyServer, userSig } = JSON.parse(process.env['HONGYAN_DEPLOYMENT'] ?? '{}') as {
  proxyServer: string;
  userSig: Record<string, string>;
};
const names = Object.keys(userSig);
const server = { proxyServer, userSig: (name: string): string => userSig[name] ?? '' };
const users: User[] = [];
after(() => { for (const user of users) user.stop(); });

async function loggedIn(name: string | undefined): Promise<User> {
  const user = await User.loggedIn(server, name ?? '');
  users.push(user);
  return user;
}

test('two people talk, one of them is away for a while, and both end up with the same', async () => {
  const [carol, dave] = await Promise.all(names.map(loggedIn)) as [User, User];

  await carol.send(dave.userID, '一');
  await until(() => dave.texts.includes('一'));
  await dave.tim.setMessageRead({ conversationID: `C2C${carol.userID}` });
  await until(() => carol.told('onMessageReadByPeer').length > 0);

  dave.device.goOffline();
  await carol.send(dave.userID, '二');
  await carol.send(dave.userID, '三');
  const written = dave.send(carol.userID, '四');
  dave.device.goOnline();
  await written;
  await until(() => dave.texts.length === 3 && carol.texts.length === 1);
  same(dave.texts, ['一', '二', '三']);
  same(carol.texts, ['四']);
  assert.equal((await dave.conversation(carol.userID))?.unreadCount, 2);

  const mine = (await carol.history(dave.userID)).at(-2);
  assert.ok(mine);
  await carol.tim.revokeMessage(mine);
  await until(() => dave.told('onMessageRevoked').length > 0);

  const [history, other] = await Promise.all([carol.history(dave.userID), dave.history(carol.userID)]);
  same(history.map((message) => [message.ID, message.isRevoked]), other.map((message) => [message.ID, message.isRevoked]));
  same(history.filter((message) => !message.isRevoked).map(textOf), ['一', '二', '四']);

  await Promise.all([carol.tim.logout(), dave.tim.logout()]);
});
