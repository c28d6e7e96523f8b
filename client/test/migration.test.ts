/** What roams is fetched from one server and imported into another one, with the programs of docs/migrate.md. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { connect, type Bare } from './harness/bare.js';
import { SDK_APP_ID, startTwin, type Twin } from './harness/twin.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const HONGYAN = process.env['HONGYAN'] ?? path('target/debug/hongyan');
const KEY = 'the key';
const run = promisify(execFile);

const folder = await mkdtemp(join(tmpdir(), 'migration-'));
const twins: Twin[] = [];
const twin = async (): Promise<Twin> => {
  const started = await startTwin('--key', KEY);
  twins.push(started);
  return started;
};

after(async () => {
  await Promise.all(twins.map((twin) => twin.stop()));
  await rm(folder, { recursive: true });
});

async function texts(user: Bare, peer: string): Promise<[from: string, text: string][]> {
  const all: [string, string][] = [];
  for (let nextReqMessageID = '', isCompleted = false; !isCompleted;) {
    const page = await user.ask('getMessageList', { conversationID: `C2C${peer}`, nextReqMessageID });
    const list = page['messageList'] as Record<string, any>[];
    all.unshift(...list.map(({ from, payload, isRevoked }): [string, string] => [from, isRevoked ? 'recalled' : payload.text]));
    ({ nextReqMessageID, isCompleted } = page as { nextReqMessageID: string; isCompleted: boolean });
  }
  return all;
}

test('what was said at one server is in the history of the other one, in its order, with the profiles', async () => {
  const [here, there] = [await twin(), await twin()];
  const [alice, bob, carol] = [await connect(here, 'alice'), await connect(here, 'bob'), await connect(here, 'carol')];
  await alice.ask('updateMyProfile', { nick: '爱丽丝' });
  let base = 0;
  const say = (from: Bare, to: string, text: string, number = base++): Promise<unknown> => from.ask('sendMessage', {
    to, conversationType: 'C2C', clientID: text, base: number, type: 'TIMTextElem', payload: { text },
  });
  // More than a page.
  for (let number = 0; number < 120; number++) await say(number % 3 === 0 ? bob : alice, number % 3 === 0 ? 'alice' : 'bob', `line ${number}`);
  await bob.ask('revokeMessage', { conversationID: 'C2Calice', sequence: 118 });
  await say(carol, 'alice', 'hello', 0);
  const said = await texts(bob, 'alice');
  assert.deepEqual([said.length, said[117]], [120, ['bob', 'recalled']]);

  const [users, roamed, journal] = ['users.txt', 'roamed.jsonl', 'journal.json'].map((name) => join(folder, name)) as [string, string, string];
  await writeFile(users, 'alice\nbob\ncarol\n');
  const env = { ...process.env, REST_URL: `${here.url}/v4`, SDK_APP_ID: String(SDK_APP_ID), USERSIG_KEY: KEY };
  const { stdout, stderr } = await run('node', [path('examples/migration/roam.mjs'), users], { env, maxBuffer: 1 << 24 });
  assert.match(stderr, /3 of 3 users, 2 conversations, 121 messages/);
  await writeFile(roamed, stdout);
  const options = ['import', '--url', `${there.url}/v4`, '--key', KEY, '--journal', journal, '--json', roamed];
  assert.deepEqual(JSON.parse((await run(HONGYAN, options)).stdout), { messages: 120, users: 3, refused: 0, recalled: 1, group: 0, unknown: 0 });

  const moved = await connect(there, 'bob');
  assert.deepEqual(await texts(moved, 'alice'), said.filter(([, text]) => text !== 'recalled'));
  const { profileList: [profile] } = await moved.ask('getUserProfile', { userIDList: ['alice'] });
  assert.equal(profile.nick, '爱丽丝');
  for (const user of [alice, bob, carol, moved]) user.close();
});
