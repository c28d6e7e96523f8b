/** The bridge and the groups of docs/migrate.md, between two twins, one of which is Tencent: both are called as Tencent calls, and call so. */

import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { connect, type Bare } from './harness/bare.js';
import { SDK_APP_ID, startTwin, type Twin } from './harness/twin.js';

type Body = Record<string, any>;
type Side = 'tencent' | 'hongyan';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const HONGYAN = process.env['HONGYAN'] ?? path('target/debug/hongyan');
const KEY = 'the key';
const TOKENS: Record<Side, string> = { tencent: 'xxxxyyyy', hongyan: 'yyyyxxxx' };
/** From when on it hands on. Calls are good for a minute. */
const SINCE = Math.floor(Date.now() / 1000) + 20;
const run = promisify(execFile);

const folder = await mkdtemp(join(tmpdir(), 'bridge-'));
/** What the bridge has asked of whom, and how often the next one is busy, as Tencent says it. */
const asked: { side: Side; command: string; body: Body }[] = [];
let busy = 0;
let [there, here, proxy, bridge]: [Twin?, Twin?, Server?, ChildProcess?] = [];
let [url, environment]: [string, NodeJS.ProcessEnv] = ['', {}];
const twins = (): Record<Side, Twin> => ({ tencent: there as Twin, hongyan: here as Twin });

const port = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

async function startBridge(): Promise<void> {
  bridge = spawn('node', [path('examples/migration/bridge.mjs')], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(bridge.stdout as NonNullable<typeof bridge.stdout>, 'data') as [Buffer];
  url = String(line).trim();
}

async function stopBridge(): Promise<void> {
  bridge?.kill('SIGKILL');
  await once(bridge as ChildProcess, 'exit');
}

before(async () => {
  const free = createServer();
  const PORT = await port(free);
  free.close();
  const start = (side: Side): Promise<Twin> => startTwin('--key', KEY, '--callback-url', `http://127.0.0.1:${PORT}/${side}`, '--callback-token', TOKENS[side]);
  [there, here] = [await start('tencent'), await start('hongyan')];
  proxy = createServer(async (request, response) => {
    const [, side, path = ''] = /^\/(\w+)(.*)/.exec(request.url ?? '') as unknown as [string, Side, string];
    let body = '';
    for await (const part of request) body += String(part);
    if (busy > 0) {
      busy--;
      response.end('{"ActionStatus":"FAIL","ErrorCode":60007,"ErrorInfo":"slower"}');
      return;
    }
    asked.push({ side, command: /(\w+)\?/.exec(path)?.[1] ?? '', body: JSON.parse(body) as Body });
    const answer = await fetch(twins()[side].url + path, { method: 'POST', body });
    response.writeHead(answer.status).end(await answer.text());
  });
  const base = `http://127.0.0.1:${await port(proxy)}`;
  environment = {
    ...process.env, PORT: String(PORT), SDK_APP_ID: String(SDK_APP_ID), USERSIG_KEY: KEY, SINCE: String(SINCE), FILE: join(folder, 'bridge.jsonl'),
    TENCENT_URL: `${base}/tencent/v4`, HONGYAN_URL: `${base}/hongyan/v4`, TENCENT_TOKEN: TOKENS.tencent, HONGYAN_TOKEN: TOKENS.hongyan,
  };
  await startBridge();
});

after(async () => {
  await Promise.all([there?.stop(), here?.stop(), stopBridge()]);
  proxy?.close();
  await rm(folder, { recursive: true });
});

afterEach(() => { asked.length = 0; });

const said = (): string[] => asked.map(({ side, command }) => `${side} ${command}`);
const pass = (seconds: number): Promise<unknown> => Promise.all([there?.advance(seconds * 1000), here?.advance(seconds * 1000)]);

async function eventually<T>(now: () => Promise<T>, expected: T): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (JSON.stringify(await now()) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.deepEqual(await now(), expected);
}

let sent = 0;
const say = (from: Bare, to: string, text: string, conversationType = 'C2C'): Promise<Body> => from.ask('sendMessage', {
  to, conversationType, clientID: `c-${++sent}`, base: 0, type: 'TIMTextElem', payload: { text },
});

async function messages(user: Bare, conversationID: string): Promise<Body[]> {
  const { messageList } = await user.ask('getMessageList', { conversationID });
  return (messageList as Body[]).filter(({ type }) => type === 'TIMTextElem');
}

const texts = async (user: Bare, conversationID: string): Promise<string[]> =>
  (await messages(user, conversationID)).map(({ from, payload, isRevoked }) => `${from}: ${isRevoked ? 'recalled' : payload.text}`);

async function ask(side: Side, command: string, body: Body): Promise<Body> {
  const twin = twins()[side];
  const query = new URLSearchParams({ sdkappid: String(SDK_APP_ID), identifier: 'administrator', usersig: twin.userSig('administrator'), random: '1', contenttype: 'json' });
  const answer = await (await fetch(`${twin.url}/v4/${command}?${query}`, { method: 'POST', body: JSON.stringify(body) })).json() as Body;
  assert.equal(answer['ErrorCode'], 0, JSON.stringify(answer));
  return answer;
}

const unread = async (side: Side, To_Account: string, peer: string): Promise<number> =>
  (await ask(side, 'openim/get_c2c_unread_msg_num', { To_Account, Peer_Account: [peer] }))['C2CUnreadMsgNumList'][0].C2CUnreadMsgNum;

/** A callback of this side, made by hand. */
async function callback(side: string, body: Body, { token = TOKENS[side as Side], at = Math.floor(Date.now() / 1000), sign = '' } = {}): Promise<number> {
  const Sign = sign || createHash('sha256').update(`${token}${at}`).digest('hex');
  const query = new URLSearchParams({ SdkAppid: String(SDK_APP_ID), CallbackCommand: body['CallbackCommand'], contenttype: 'json', Sign, RequestTime: String(at) });
  return (await fetch(`${url}/${side}?${query}`, { method: 'POST', body: JSON.stringify(body) })).status;
}

const element = (Text: string): Body => ({ MsgType: 'TIMTextElem', MsgContent: { Text } });
const sending = (from: string, to: string, seq: number, MsgBody: Body[], more: Body = {}): Body => ({
  CallbackCommand: 'C2C.CallbackAfterSendMsg', From_Account: from, To_Account: to, MsgSeq: seq, MsgRandom: 4_294_967_295, MsgTime: SINCE,
  MsgKey: `${seq}_4294967295_${SINCE}`, OnlineOnlyFlag: 0, MsgBody, CloudCustomData: '', SendMsgResult: 0, ...more,
});

test('what is said, recalled and read on either side is so on both, once, with the history of before, and comes back from neither', async () => {
  const alice = await connect(there as Twin, 'alice');
  const oldBob = await connect(there as Twin, 'bob');
  await say(alice, 'bob', 'long ago');
  await say(oldBob, 'alice', 'and then');
  oldBob.close();
  await pass(20);

  const bob = await connect(here as Twin, 'bob');
  await say(alice, 'bob', '1');
  await eventually(() => texts(bob, 'C2Calice'), ['alice: 1']);
  await say(bob, 'alice', '2');
  const all = ['alice: long ago', 'bob: and then', 'alice: 1', 'bob: 2'];
  await eventually(() => texts(alice, 'C2Cbob'), all);

  const [users, roamed] = [join(folder, 'users.txt'), join(folder, 'roamed.jsonl')];
  await writeFile(users, 'alice\n');
  const env = { ...environment, REST_URL: `${(there as Twin).url}/v4` };
  await run('node', [path('examples/migration/roam.mjs'), users, roamed], { env });
  const options = ['--url', `${(here as Twin).url}/v4`, '--key', KEY, '--journal', join(folder, 'journal.json'), '--until', String(SINCE), '--json', roamed];
  const { messages: imported, outside } = JSON.parse((await run(HONGYAN, ['import', ...options])).stdout) as Body;
  assert.deepEqual([imported, outside], [2, 2]);
  assert.deepEqual(await texts(bob, 'C2Calice'), all);

  await alice.ask('revokeMessage', { conversationID: 'C2Cbob', sequence: 3 });
  await eventually(() => texts(bob, 'C2Calice'), [...all.slice(0, 2), 'alice: recalled', 'bob: 2']);
  await bob.ask('revokeMessage', { conversationID: 'C2Calice', sequence: 2 });
  const recalled = [...all.slice(0, 2), 'alice: recalled', 'bob: recalled'];
  await eventually(() => texts(alice, 'C2Cbob'), recalled);

  await say(alice, 'bob', '3');
  await eventually(() => texts(bob, 'C2Calice'), [...recalled, 'alice: 3']);
  await bob.ask('setMessageRead', { conversationID: 'C2Calice', sequence: 3 });
  await eventually(() => unread('tencent', 'bob', 'alice'), 0);
  await pass(2);
  await say(alice, 'bob', '4');
  await say(bob, 'alice', '5');
  await eventually(() => texts(alice, 'C2Cbob'), [...recalled, 'alice: 3', 'alice: 4', 'bob: 5']);
  await alice.ask('setMessageRead', { conversationID: 'C2Cbob', sequence: 7 });
  await eventually(() => unread('hongyan', 'alice', 'bob'), 0);

  // Who has changed to the new version takes back there what they have said in the old one.
  const page = await ask('hongyan', 'openim/admin_getroammsg', { Operator_Account: 'bob', Peer_Account: 'alice', MaxCnt: 100, MinTime: 0, MaxTime: 4_000_000_000 });
  const third = (page['MsgList'] as Body[]).find(({ MsgBody }) => MsgBody[0]?.MsgContent.Text === '3');
  const withdrawal = { CallbackCommand: 'C2C.CallbackAfterMsgWithDraw', From_Account: 'alice', To_Account: 'bob', MsgKey: third?.['MsgKey'] };
  assert.equal(await callback('hongyan', withdrawal), 200);
  await eventually(() => texts(alice, 'C2Cbob'), [...recalled, 'alice: recalled', 'alice: 4', 'bob: 5']);

  // Callbacks of one conversation come in their order: when these are there, what came before is done.
  await say(alice, 'bob', 'the end there');
  await say(bob, 'alice', 'the end here');
  for (const [user, peer] of [[alice, 'bob'], [bob, 'alice']] as const) {
    await eventually(async () => (await texts(user, `C2C${peer}`)).filter((text) => text.includes('the end')).sort(), ['alice: the end there', 'bob: the end here']);
  }
  assert.deepEqual(await Promise.all((['tencent', 'hongyan'] as const).map((side) => unread(side, 'bob', 'alice'))), [2, 2], 'what was not read is unread');
  // Two are in any order where both have said something.
  assert.deepEqual([...said().slice(0, 6), ...said().slice(6, 8).sort(), ...said().slice(8, 10), ...said().slice(10).sort()], [
    'hongyan sendmsg', 'tencent sendmsg', 'hongyan admin_msgwithdraw', 'tencent admin_msgwithdraw', 'hongyan sendmsg', 'tencent admin_set_msg_read',
    'hongyan sendmsg', 'tencent sendmsg', 'hongyan admin_set_msg_read', 'tencent admin_msgwithdraw', 'hongyan sendmsg', 'tencent sendmsg',
  ]);
  for (const user of [alice, bob]) user.close();
});

test('a message with several elements is one for each, is sent once however often it is told, also by a program begun anew, and taken back as a whole', async () => {
  const dave = await connect(here as Twin, 'dave');
  const call = sending('carol', 'dave', 9, [element('a'), element('b')]);
  assert.deepEqual(await Promise.all([callback('tencent', call), callback('tencent', call)]), [200, 200]);
  assert.deepEqual(await texts(dave, 'C2Ccarol'), ['carol: a', 'carol: b']);
  await stopBridge();
  await startBridge();
  assert.equal(await callback('tencent', call), 200);
  assert.deepEqual(said(), ['hongyan sendmsg', 'hongyan sendmsg']);
  for (const { body } of asked) assert.deepEqual(body['ForbidCallbackControl'], ['ForbidBeforeSendMsgCallback', 'ForbidAfterSendMsgCallback']);
  assert.deepEqual(asked.map(({ body }) => body['MsgRandom'] as number), [4_294_967_295, 0]);
  const { CallbackCommand: _, ...of } = call;
  for (let time = 0; time < 2; time++) assert.equal(await callback('tencent', { ...of, CallbackCommand: 'C2C.CallbackAfterMsgWithDraw' }), 200);
  assert.deepEqual(await texts(dave, 'C2Ccarol'), ['carol: recalled', 'carol: recalled']);
  assert.equal(said().filter((command) => command === 'hongyan admin_msgwithdraw').length, 2);
  dave.close();
});

test('of what is read the time is that of the same message at the other side, and it never goes back', async () => {
  for (const [seq, MsgTime] of [[1, SINCE + 500], [2, SINCE + 900]] as const) {
    await callback('tencent', sending('judy', 'kim', seq, [element(String(seq))], { MsgTime, MsgKey: `${seq}_1_${MsgTime}` }));
  }
  const keys = asked.length;
  const { MsgList } = await ask('hongyan', 'openim/admin_getroammsg', { Operator_Account: 'kim', Peer_Account: 'judy', MaxCnt: 10, MinTime: 0, MaxTime: 4_000_000_000 });
  const times = (MsgList as Body[]).map(({ MsgTimeStamp }) => MsgTimeStamp as number);
  const report = (LastReadTime: number): Promise<number> => callback('tencent', { CallbackCommand: 'C2C.CallbackAfterMsgReport', Report_Account: 'kim', Peer_Account: 'judy', LastReadTime });
  await report(SINCE + 500);
  await report(SINCE + 500);
  await report(SINCE + 1);
  assert.deepEqual(asked.slice(keys).map(({ body }) => body['MsgReadTime'] as number), [Math.max(...times)]);
});

test('what was said before, what was refused there and what is refused here is not handed on, and who is busy is asked again', async () => {
  const erin = await connect(here as Twin, 'erin');
  const calls = [
    sending('carol', 'erin', 1, [element('before')], { MsgTime: SINCE - 1 }), sending('carol', 'erin', 2, [element('refused')], { SendMsgResult: 120004 }),
    { CallbackCommand: 'C2C.CallbackBeforeSendMsg' }, { CallbackCommand: 'constructor' },
  ];
  for (const call of calls) assert.equal(await callback('tencent', call), 200);
  assert.deepEqual(said(), []);
  assert.equal(await callback('tencent', sending('carol', '名字', 3, [element('to nobody')])), 200);
  busy = 2;
  assert.equal(await callback('tencent', sending('carol', 'erin', 4, [element('later')])), 200);
  assert.deepEqual(await texts(erin, 'C2Ccarol'), ['carol: later']);
  erin.close();
});

test('a callback is taken with the signature of its side only, for a minute', async () => {
  const now = Math.floor(Date.now() / 1000);
  const call = sending('carol', 'fred', 1, [element('x')]);
  for (const [side, options, status] of [
    ['tencent', { token: TOKENS.hongyan }, 403], ['tencent', { sign: 'é'.repeat(64) }, 403], ['tencent', { sign: 'short' }, 403],
    ['tencent', { at: now - 65 }, 403], ['tencent', { at: now + 65 }, 403], ['constructor', {}, 404], ['', {}, 404],
  ] as const) assert.equal(await callback(side, call, options), status, side);
  assert.equal(await callback('tencent', sending('carol', 'fred', 1, [element('x'.repeat(1 << 20))])), 413);
  assert.deepEqual(said(), []);
});

test('what it needs to know and is not told, it says', async () => {
  for (const [name, value] of [['TENCENT_TOKEN', ''], ['SINCE', 'today'], ['USERSIG_KEY', '']] as const) {
    const started = run('node', [path('examples/migration/bridge.mjs')], { env: { ...environment, [name]: value }, timeout: 10_000 });
    await assert.rejects(started, (error: Error) => error.message.includes(name));
  }
});

test('groups are brought over with their members, and what is said in them is handed on', async () => {
  const members = ['gina', 'hugo', ...Array.from({ length: 50 }, (_, number) => `member-${number}`)];
  await ask('tencent', 'group_open_http_svc/create_group', {
    GroupId: 'team', Type: 'Public', Name: '团队', Owner_Account: 'gina', ApplyJoinOption: 'FreeAccess', Notification: '周五聚餐',
    MemberList: members.slice(1).map((Member_Account) => ({ Member_Account })),
  });
  await ask('tencent', 'group_open_http_svc/modify_group_member_info', { GroupId: 'team', Member_Account: 'member-49', Role: 'Admin', NameCard: '四十九' });
  await ask('tencent', 'group_open_http_svc/create_group', { GroupId: 'empty', Type: 'ChatRoom', Name: '没人' , Owner_Account: 'gina' });
  for (let time = 0; time < 2; time++) {
    const { stderr } = await run('node', [path('examples/migration/groups.mjs')], { env: environment });
    assert.match(stderr, /2 groups, 0 refused/);
  }
  const of = async (side: Side): Promise<unknown[]> => {
    const { GroupInfo: [{ Type, Name, Notification, ApplyJoinOption, Owner_Account }] } = await ask(side, 'group_open_http_svc/get_group_info', { GroupIdList: ['team'] });
    const { MemberList } = await ask(side, 'group_open_http_svc/get_group_member_info', { GroupId: 'team', Limit: 200 });
    return [Type, Name, Notification, ApplyJoinOption, Owner_Account, (MemberList as Body[]).map(({ Member_Account, Role, NameCard }) => `${Member_Account} ${Role} ${NameCard}`)];
  };
  const [ofTencent, ofHongyan] = [await of('tencent'), await of('hongyan')];
  assert.deepEqual(ofHongyan, ofTencent);
  assert.ok((ofHongyan[5] as string[]).includes('member-49 Admin 四十九') && (ofHongyan[5] as string[]).length === 52);

  asked.length = 0;
  const [gina, hugo] = [await connect(there as Twin, 'gina'), await connect(here as Twin, 'hugo')];
  await say(gina, 'team', '1', 'GROUP');
  await eventually(() => texts(hugo, 'GROUPteam'), ['gina: 1']);
  await say(hugo, 'team', '2', 'GROUP');
  await eventually(() => texts(gina, 'GROUPteam'), ['gina: 1', 'hugo: 2']);
  const [{ sequence }] = await messages(gina, 'GROUPteam') as [Body];
  await gina.ask('revokeMessage', { conversationID: 'GROUPteam', sequence });
  await eventually(() => texts(hugo, 'GROUPteam'), ['gina: recalled', 'hugo: 2']);
  await say(gina, 'team', 'the end there', 'GROUP');
  await say(hugo, 'team', 'the end here', 'GROUP');
  for (const user of [gina, hugo]) {
    await eventually(async () => (await texts(user, 'GROUPteam')).slice(2).sort(), ['gina: the end there', 'hugo: the end here']);
  }
  assert.deepEqual([...said().slice(0, 3), ...said().slice(3).sort()], [
    'hongyan send_group_msg', 'tencent send_group_msg', 'hongyan group_msg_recall', 'hongyan send_group_msg', 'tencent send_group_msg',
  ]);
  for (const user of [gina, hugo]) user.close();
});
