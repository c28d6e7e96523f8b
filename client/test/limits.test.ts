/** A server that lets a user send 20 frames per second, and an app that has more to say. */

import { test } from 'node:test';
import { same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const users = withTwin('--frames-per-second', '20');

test('what is refused as too much is sent again by itself: all of it, once, in order', async (context) => {
  const [alice, bob] = await users.two();
  // The server's time stands until it has refused something, however slow this machine is, and then goes by as ours does.
  let refused = 0;
  alice.device.replaces = (frame) => {
    if (frame['code'] === 60007 && ++refused === 1) {
      const passing = setInterval(() => { void users.twin.advance(50); }, 50);
      context.after(() => clearInterval(passing));
    }
    return frame;
  };
  const written = Array.from({ length: 60 }, (_, index) => String(index));
  const strangers = Array.from({ length: 40 }, (_, index) => users.named(`stranger${index}-`));
  await Promise.all([
    ...written.map((words) => alice.send(bob.userID, words)),
    ...strangers.map((stranger) => alice.send(stranger, '你好')),
  ]);
  same(refused > 0, true);
  await until(() => bob.texts.length === written.length);
  same(bob.texts, written);
  same((await bob.history(alice.userID)).map(textOf), written);
});
