/** What roams is fetched from one server and imported into another one, with the programs of docs/migrate.md. */

import assert from 'node:assert/strict';
import { execFile, type PromiseWithChild } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** The program, with this server. */
const roam = (url: string, ...files: string[]): PromiseWithChild<{ stderr: string }> =>
  run('node', [path('examples/migration/roam.mjs'), ...files], { env: { ...process.env, REST_URL: `${url}/v4`, SDK_APP_ID: String(SDK_APP_ID), USERSIG_KEY: KEY } });

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
  // What one of them has deleted the other one has still, and this is not among what its sender has.
  const query = new URLSearchParams({ sdkappid: String(SDK_APP_ID), identifier: 'administrator', usersig: here.userSig('administrator'), random: '1', contenttype: 'json' });
  const notice = { SyncOtherMachine: 2, From_Account: 'alice', To_Account: 'bob', MsgRandom: 1, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'notice' } }] };
  assert.equal((await (await fetch(`${here.url}/v4/openim/sendmsg?${query}`, { method: 'POST', body: JSON.stringify(notice) })).json() as { ErrorCode: number }).ErrorCode, 0);
  said.push(['alice', 'notice']);
  await alice.ask('deleteMessage', { conversationID: 'C2Cbob', messages: [3, 4] });
  await bob.ask('deleteMessage', { conversationID: 'C2Calice', messages: [5] });
  await alice.ask('deleteConversation', { conversationID: 'C2Ccarol' });

  const [users, roamed, journal] = ['users.txt', 'roamed.jsonl', 'journal.json'].map((name) => join(folder, name)) as [string, string, string];
  await writeFile(users, 'alice\nbob\n名字\ncarol\n');
  const { stderr } = await roam(here.url, users, roamed);
  assert.match(stderr, /4 of 4 users, 2 conversations, 122 messages, 1 refused/);
  assert.match(stderr, /名字: recentcontact\/get_list: .* \(50002\)/);
  const options = ['import', '--url', `${there.url}/v4`, '--key', KEY, '--journal', journal, '--json', roamed];
  assert.deepEqual(JSON.parse((await run(HONGYAN, options)).stdout), { messages: 121, users: 3, refused: 0, recalled: 1, group: 0, outside: 0, unknown: 1 });

  const moved = await connect(there, 'bob');
  assert.deepEqual(await texts(moved, 'alice'), said.filter(([, text]) => text !== 'recalled'));
  const { profileList: [profile] } = await moved.ask('getUserProfile', { userIDList: ['alice'] });
  assert.equal(profile.nick, '爱丽丝');
  for (const user of [alice, bob, carol, moved]) user.close();
});

test('who is ended goes on where it was, and what is refused is said and left out', async () => {
  let [isForbidden, asked]: [boolean, string[]] = [false, []];
  let kill = (): void => undefined;
  // Answers as Tencent does: with status 200 whatever it says.
  const answer = (command: string, body: Record<string, any>): object => {
    if (isForbidden) return { ErrorCode: 60010, ErrorInfo: 'no administrator' };
    if (command === 'portrait_get') return { ErrorCode: 0, UserProfileItem: [] };
    if (command === 'get_list') {
      if (body['From_Account'] === 'nobody') return { ErrorCode: 50001, ErrorInfo: 'no such account' };
      return { ErrorCode: 0, CompleteFlag: 1, SessionItem: ['bob', 'carol'].map((To_Account) => ({ Type: 1, To_Account })) };
    }
    if (body['LastMsgKey']) return { ErrorCode: 90054, ErrorInfo: 'expired' };
    const from = `${body['Operator_Account']} ${body['Peer_Account']}`;
    if (from === 'carol alice') kill();
    const MsgList = from === 'bob alice' ? null : [{ MsgKey: from }];
    return { ErrorCode: 0, Complete: from === 'alice bob' ? 0 : 1, LastMsgKey: 'key', LastMsgTime: 1, MsgList };
  };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    const body = JSON.parse(text) as Record<string, any>;
    const command = /(\w+)\?/.exec(request.url ?? '')?.[1] ?? '';
    if (command === 'admin_getroammsg') asked.push(`${body['Operator_Account']} ${body['Peer_Account']}`);
    response.end(JSON.stringify(answer(command, body)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [users, roamed] = [join(folder, 'some.txt'), join(folder, 'some.jsonl')];
  await writeFile(users, 'nobody alice');
  const killed = roam(url, users, roamed);
  kill = () => killed.child.kill('SIGKILL');
  await assert.rejects(killed, { signal: 'SIGKILL' });
  await appendFile(roamed, '{"MsgList":[{"cut o');
  assert.deepEqual(asked, ['alice bob', 'alice bob', 'bob alice', 'alice carol', 'carol alice']);

  [asked, kill] = [[], () => undefined];
  assert.match((await roam(url, users, roamed)).stderr, /2 of 2 users, 1 conversations, 2 messages, 0 refused/);
  assert.deepEqual(asked, ['alice carol', 'carol alice'], 'what is done is not asked for again');
  const lines = (await readFile(roamed, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { MsgList?: { MsgKey: string }[] });
  assert.deepEqual(lines.flatMap(({ MsgList }) => MsgList ?? []).map(({ MsgKey }) => MsgKey), ['alice bob', 'alice carol', 'carol alice']);

  isForbidden = true;
  await assert.rejects(roam(url, users, join(folder, 'other.jsonl')), /no administrator \(60010\)/);
  await assert.rejects(roam(url, users, users), /EEXIST/);
  server.close();
});
