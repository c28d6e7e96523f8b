/**
 * The example of a business server, between the twin and a stub of WeChat. `BUSINESS_SERVER` names another program that does the same: the
 * one in C# passes these tests as well.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { connect } from './harness/bare.js';
import { SDK_APP_ID, startTwin, type Twin } from './harness/twin.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const HONGYAN = process.env['HONGYAN'] ?? path('target/debug/hongyan');
const [PROGRAM = '', ...ARGUMENTS] = (process.env['BUSINESS_SERVER'] ?? `node ${path('examples/business-server/server.mjs')}`).split(' ');
const KEY = 'the key';
const TOKEN = 'xxxxyyyy';

type Body = Record<string, any>;

/** What WeChat was asked, and what it answers to each message: 0 when there is nothing here. */
const asked: { path: string; query: URLSearchParams; body: Body }[] = [];
const errcodes: number[] = [];
let tokens = 0;
let [weChat, twin, program, url]: [Server | undefined, Twin | undefined, ChildProcess | undefined, string] = [undefined, undefined, undefined, ''];
let environment: NodeJS.ProcessEnv = {};

function answer(path: string, query: URLSearchParams): Body {
  if (path === '/sns/jscode2session') {
    const code = query.get('js_code') ?? '';
    return code.startsWith('good-') ? { openid: code.slice(5), session_key: 'x' } : { errcode: 40029, errmsg: 'invalid code' };
  }
  if (path === '/cgi-bin/stable_token') return { access_token: `token-${++tokens}`, expires_in: 7200 };
  return { errcode: errcodes.shift() ?? 0, errmsg: 'so it is' };
}

const free = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

before(async () => {
  weChat = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    let text = '';
    for await (const part of request) text += String(part);
    asked.push({ path: pathname, query: searchParams, body: JSON.parse(text || '{}') as Body });
    response.end(JSON.stringify(answer(pathname, searchParams)));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => weChat?.once('listening', resolve));
  const port = await free();
  twin = await startTwin('--key', KEY, '--callback-url', `http://127.0.0.1:${port}/callback`, '--callback-token', TOKEN);
  environment = {
    ...process.env, PORT: String(port), SDK_APP_ID: String(SDK_APP_ID), USERSIG_KEY: KEY, CALLBACK_TOKEN: TOKEN,
    REST_URL: `${twin.url}/v4`, WX_APPID: 'wx1', WX_SECRET: 'secret', WX_TEMPLATE: 'template',
    WX_URL: `http://127.0.0.1:${(weChat.address() as AddressInfo).port}`,
  };
  program = spawn(PROGRAM, ARGUMENTS, { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  url = await new Promise<string>((resolve) => program?.stdout?.once('data', (line) => { resolve(String(line).trim()); }));
});

after(async () => {
  await twin?.stop();
  program?.kill();
  weChat?.close();
});

afterEach(() => {
  asked.length = 0;
  errcodes.length = 0;
});

const post = async (path: string, body: unknown): Promise<[status: number, body: Body]> => {
  const response = await fetch(url + path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  return [response.status, await response.json() as Body];
};

const login = async (openID: string): Promise<string> => (await post('/login', { code: `good-${openID}` }))[1]['userSig'] as string;

interface Call { time?: number; sign?: string; app?: number }

function callback(body: unknown, { time = Math.floor(Date.now() / 1000), sign, app = SDK_APP_ID }: Call = {}): Promise<[number, Body]> {
  const genuine = createHash('sha256').update(TOKEN + String(time)).digest('hex');
  const query = `SdkAppid=${app}&CallbackCommand=x&contenttype=json&ClientIP=&OptPlatform=Web&Sign=${sign ?? genuine}&RequestTime=${time}`;
  return post(`/callback?${query}`, body);
}

const sent = (to: string, text: string, online = 0, from = 'alice'): Promise<[number, Body]> => callback({
  CallbackCommand: 'C2C.CallbackAfterSendMsg', From_Account: from, To_Account: to, MsgSeq: 1, MsgRandom: 2, MsgTime: 3, MsgKey: '1_2_3',
  MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: text } }], To_Online: online, UnreadMsgNum: 1,
});
const read = (who: string, peer: string): Promise<[number, Body]> => callback({
  CallbackCommand: 'C2C.CallbackAfterMsgReport', Report_Account: who, Peer_Account: peer, LastReadTime: 3, UnreadMsgNum: 0,
});

/** The messages that WeChat was asked to send, as soon as there are so many. A call is answered before it is done. */
async function messages(count: number): Promise<Body[]> {
  for (let tries = 0; tries < 200; tries++) {
    const found = asked.filter(({ path }) => path === '/cgi-bin/message/subscribe/send');
    if (found.length >= count) return found.map(({ query, body }) => ({ ...body, token: query.get('access_token') }));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${count} messages were waited for: ${JSON.stringify(asked)}`);
}

/** Nothing is under way any more: a message that follows is the last one. */
async function lastMessage(before: number): Promise<Body[]> {
  const marker = `marker-${Math.random()}`.slice(0, 20);
  await login(marker);
  await sent(marker, 'marker');
  const all = await messages(before + 1);
  assert.equal(all[before]?.['touser'], marker);
  return all.slice(0, before);
}

test('who logs in gets a signature that the server takes, and nobody else', async () => {
  const [status, { userID, userSig }] = await post('/login', { code: 'good-oBob' });
  assert.deepEqual([status, userID], [200, 'oBob']);
  const verify = (user: string): string => execFileSync(HONGYAN, ['sig', 'verify', '--key', KEY, '--user-id', user, userSig as string], { encoding: 'utf8' });
  assert.equal((JSON.parse(verify('oBob')) as Body)['code'], 0);
  assert.throws(() => verify('oAlice'));
  assert.deepEqual((await post('/login', { code: 'bad' }))[0], 401);
  assert.deepEqual(asked.map(({ query }) => [query.get('appid'), query.get('secret')]), [['wx1', 'secret'], ['wx1', 'secret']]);
});

test('a callback is taken with its signature only, for a minute, and for this app', async () => {
  await login('oBob');
  const now = Math.floor(Date.now() / 1000);
  const body = { CallbackCommand: 'State.StateChange', Info: {} };
  assert.deepEqual(await callback(body), [200, { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '' }]);
  for (const time of [now - 55, now + 55]) assert.equal((await callback(body, { time }))[0], 200);
  const genuine = createHash('sha256').update(TOKEN + String(now)).digest('hex');
  const wrong: Call[] = [
    { time: now - 65 }, { time: now + 65 }, { time: now, sign: `${genuine.slice(0, -1)}${genuine.endsWith('0') ? '1' : '0'}` },
    { time: now, sign: genuine.slice(0, -1) }, { time: now - 1, sign: genuine }, { sign: '' }, { app: SDK_APP_ID + 1 },
    { sign: encodeURIComponent('é'.repeat(64)) },
  ];
  for (const call of wrong) assert.equal((await callback(body, call))[0], 403, JSON.stringify(call));
  assert.equal((await post('/callback', body))[0], 403);
  assert.equal((await callback('{')) [0], 400);
  assert.equal((await callback('x'.repeat(1024 * 1024 + 1)))[0], 413);
  assert.equal((await post('/', {}))[0], 404);
});

test('who is away gets one notification per conversation until it is read', async () => {
  for (const user of ['oBob', 'oCarol']) await login(user);
  await sent('oBob', '今天下班以后我们一起去吃那家新开的面馆吧好不好');
  const [first] = await messages(1);
  assert.deepEqual(first, {
    touser: 'oBob', template_id: 'template', page: 'pages/chat/chat?conversationID=C2Calice', miniprogram_state: 'formal',
    data: { thing1: { value: 'alice' }, thing2: { value: '今天下班以后我们一起去吃那家新开的面馆…' } }, token: first?.['token'] as string,
  });
  await sent('oBob', 'again');
  await sent('oBob', 'while online', 1, 'dave');
  await sent('nobody-who-has-logged-in', 'x');
  assert.equal((await lastMessage(1)).length, 1);
  await sent('oBob', 'from another', 0, 'dave');
  await sent('oCarol', 'to another');
  await read('oBob', 'alice');
  await messages(4);
  await sent('oBob', 'after it was read');
  const all = await messages(5);
  assert.deepEqual(all.map(({ touser, data }) => [touser, (data as Body)['thing2'].value]).filter(([, text]) => text !== 'marker').slice(1).sort(),
    [['oBob', 'after it was read'], ['oBob', 'from another'], ['oCarol', 'to another']].sort());
  assert.ok(asked.filter(({ path }) => path === '/cgi-bin/stable_token').length <= 1, 'the token is kept');
});

test('a token that has ended is asked for anew once, and the message sent again', async () => {
  await login('oErin');
  errcodes.push(42001);
  await sent('oErin', 'x');
  const [first, second] = await messages(2);
  assert.notEqual(first?.['token'], second?.['token']);
  assert.deepEqual(asked.filter(({ path }) => path === '/cgi-bin/stable_token').map(({ body }) => body).at(-1),
    { grant_type: 'client_credential', appid: 'wx1', secret: 'secret', force_refresh: true });
});

test('who has not consented is left alone until they have read, and what may succeed is tried with the next message', async () => {
  for (const user of ['oFred', 'oGina']) await login(user);
  errcodes.push(43101);
  await sent('oFred', 'refused');
  await messages(1);
  await sent('oFred', 'not tried');
  assert.equal((await lastMessage(1)).length, 1);
  errcodes.push(-1);
  await sent('oGina', 'busy');
  await messages(3);
  await lastMessage(3);
  await sent('oGina', 'tried');
  assert.equal((await messages(5)).at(-1)?.['data'].thing2.value, 'tried');
});

test('the server tells it of messages for those who are away, and of what they have read', async () => {
  const sig = await login('oHugo');
  const alice = await connect(twin as Twin, 'alice');
  let base = 0;
  const say = (text: string): Promise<Body> => alice.ask('sendMessage', {
    to: 'oHugo', conversationType: 'C2C', clientID: String(base), base: base++, type: 'TIMTextElem', payload: { text },
  });
  await say('在吗');
  const [first] = await messages(1);
  assert.deepEqual([first?.['touser'], (first?.['data'] as Body)['thing2'].value], ['oHugo', '在吗']);
  await say('没读的时候');
  const hugo = await connect(twin as Twin, 'oHugo', sig);
  await say('在线的时候');
  await hugo.ask('setMessageRead', { conversationID: 'C2Calice', sequence: 3 });
  hugo.close();
  // Calls about one conversation come in their order: when this one is there, what came before has been told.
  for (let tries = 1; (await sentTo('oHugo')).length < 2; tries++) {
    assert.ok(tries < 100, 'it was told of nothing more');
    await say(`又不在了 ${tries}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const texts = (await sentTo('oHugo')).map(({ data }) => (data as Body)['thing2'].value as string);
  assert.deepEqual([texts.length, texts[0], texts[1]?.startsWith('又不在了')], [2, '在吗', true]);
  alice.close();
});

const sentTo = async (user: string): Promise<Body[]> => (await messages(0)).filter(({ touser }) => touser === user);

test('a notice reaches the user, and says by its key which one it was', async () => {
  const ivy = await connect(twin as Twin, 'oIvy', await login('oIvy'));
  const run = promisify(execFile)(PROGRAM, [...ARGUMENTS, 'notice', 'oIvy', '你的订单', '已发货'], { env: environment });
  const key = (await run).stdout.trim();
  const { messageList: [message] } = await ivy.ask('getMessageList', { conversationID: 'C2Cadministrator' });
  assert.deepEqual([message.from, message.payload.text, key.split('_')[0]], ['administrator', '你的订单 已发货', String(message.sequence)]);
  assert.deepEqual(ivy.pushed.map(({ data }) => (data as Body[])[0]?.['payload'].text as string), ['你的订单 已发货']);
  ivy.close();
});
