// Hands on what is said while some users are at Tencent Cloud IM and others at Hongyan, in both directions, so that each message is at
// either of them once. For Node 20 and later:
//
//   node bridge.mjs      serves POST /tencent and POST /hongyan, which are the callback URLs of the two. Put a proxy with TLS before it
//
// Messages and recalls, of two users and of groups that both have, and what two users have read. In the environment:
//
//   TENCENT_URL, HONGYAN_URL        the two APIs, with their /v4
//   TENCENT_TOKEN, HONGYAN_TOKEN    what each of them signs its callbacks with
//   SDK_APP_ID, USERSIG_KEY         of both. ADMINISTRATOR, if it is another one
//   SINCE                           the second from which on it hands on: before that, everything is imported
//   PORT                            8080, on 127.0.0.1 alone
//   FILE                            bridge.jsonl, in which is which message of the one is which of the other
//
// It is one process. It knows the last messages of the conversations that were busy last, as many as is said below. What comes again is
// done once as long as it is among them, whenever either of the two or this program is ended in between.

import { createHash, timingSafeEqual } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { Refused, api } from './rest.mjs';

const CONVERSATIONS = 20_000;
const MESSAGES = 100;
/** After so many lines the file is written anew. */
const LINES = 2 * CONVERSATIONS * MESSAGES;
const MAX_BODY_BYTES = 1024 * 1024;
/** How far the clock of a callback may be from ours, in seconds. */
const MAX_SKEW_S = 60;
/** What is sent here is not told of, and so does not come back. */
const UNTOLD = { ForbidCallbackControl: ['ForbidBeforeSendMsgCallback', 'ForbidAfterSendMsgCallback'] };
const WITHDRAWN_BEFORE = 20023;

const env = (name, fallback) => {
  const value = process.env[name] || fallback;
  if (!value) throw new Error(`set ${name}: bridge.mjs says what it is`);
  return value;
};
const [SDK_APP_ID, SINCE, FILE] = [env('SDK_APP_ID'), Number(env('SINCE')), env('FILE', 'bridge.jsonl')];
const side = (name, other) => ({ name, other, token: env(`${name.toUpperCase()}_TOKEN`), ask: api(env(`${name.toUpperCase()}_URL`), process.env) });
const sides = { tencent: side('tencent', 'hongyan'), hongyan: side('hongyan', 'tencent') };
env('USERSIG_KEY');
if (!(SINCE > 0)) throw new Error('SINCE is a second, counted from 1970 on: `date +%s`');

// --- What is known --------------------------------------------------------------------------------------------------

/**
 * By name, those that were busy last at the end: the messages of each, which are their keys at either side, and up to which second
 * who has read it there.
 */
const conversations = new Map();
let lines = 0;

function conversation(name) {
  const found = conversations.get(name) ?? { messages: [], read: new Map() };
  conversations.delete(name);
  conversations.set(name, found);
  if (conversations.size > CONVERSATIONS) conversations.delete(conversations.keys().next().value);
  return found;
}

function remember(name, message) {
  const { messages } = conversation(name);
  messages.push(message);
  if (messages.length > MESSAGES) messages.shift();
}

const line = (name, message) => `${JSON.stringify([name, message])}\n`;

function keep(name, message) {
  remember(name, message);
  appendFileSync(FILE, line(name, message));
  if (++lines > LINES) writeAnew();
}

/** Whole into a file beside it, which then takes its place. */
function writeAnew() {
  const all = [...conversations].flatMap(([name, { messages }]) => messages.map((message) => line(name, message)));
  writeFileSync(`${FILE}.new`, all.join(''));
  renameSync(`${FILE}.new`, FILE);
  lines = all.length;
}

function readAll() {
  for (const text of existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n') : []) {
    try {
      remember(...JSON.parse(text));
    } catch {
      // The last line, if the power went while it was written, or the end.
    }
  }
  writeAnew();
}

const find = ({ messages }, side, key) => messages.find((message) => message[side.name].includes(key));

// --- What is done about a callback ----------------------------------------------------------------------------------

const turns = new Map();

/** Does what is to be done about a conversation, one thing after another: what comes twice at once finds the second time that it is done. */
function inTurn(name, work) {
  const turn = (turns.get(name) ?? Promise.resolve()).then(() => work(conversation(name)));
  const over = turn.catch(() => {}).then(() => turns.get(name) === over && turns.delete(name));
  turns.set(name, over);
  return turn;
}

const said = (what, error) => console.error(`${what}: ${error.message}`);

/** The answer, or nothing if it is refused. What fails otherwise is told again. */
async function unlessRefused(what, asked) {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Refused) || error.isAboutTheCaller) throw error;
    if (error.code !== WITHDRAWN_BEFORE) said(what, error);
    return undefined;
  }
}

/** Sends a message of one side at the other one, each element for itself, and keeps which are one and the same. */
async function handOn({ name, known, from, to, key, random, call }, send) {
  if (call.MsgTime < SINCE || (call.SendMsgResult ?? 0) !== 0 || find(known, from, key)) return;
  const keys = [];
  for (const [index, element] of call.MsgBody.entries()) {
    const message = { MsgBody: [element], CloudCustomData: call.CloudCustomData || undefined, ...UNTOLD };
    const sent = await unlessRefused(`${from.name} ${key}`, send(message, (random + index) % 2 ** 32));
    if (sent !== undefined) keys.push(sent);
  }
  keep(name, { [from.name]: [key], [to.name]: keys });
}

/** Takes a message back wherever it is, but for where it was. What that is told of is done then. */
async function takeBack({ from, to, key, message }, withdraw) {
  if (!message || message.isWithdrawn) return;
  for (const [side, keys] of [[to, message[to.name]], [from, message[from.name].filter((other) => other !== key)]]) {
    for (const key of keys) await unlessRefused(`${side.name} ${key}`, withdraw(side, key));
  }
  message.isWithdrawn = true;
}

const secondOf = (keys) => Math.max(...keys.map((key) => Number(key.split('_')[2])));

/** Reads at the other side up to the same message. The clocks of the two are none of it, and what has come since stays unread. */
async function read({ known, from, to }, { Report_Account, Peer_Account, LastReadTime }) {
  const mark = (side) => `${side.name} ${Report_Account}`;
  // What was read by this program is told of as well.
  if (LastReadTime <= (known.read.get(mark(from)) ?? 0)) return;
  const reached = known.messages.filter((message) => message[to.name].length > 0 && secondOf(message[from.name]) <= LastReadTime);
  const MsgReadTime = reached.length > 0 ? Math.max(...reached.map((message) => secondOf(message[to.name]))) : LastReadTime;
  if (MsgReadTime <= (known.read.get(mark(to)) ?? 0)) return;
  await unlessRefused(`${mark(to)} has read`, to.ask('openim/admin_set_msg_read', { Report_Account, Peer_Account, MsgReadTime }));
  known.read.set(mark(to), MsgReadTime);
}

const pair = (...users) => users.sort().join(' ');

const handlers = {
  'C2C.CallbackAfterSendMsg': (call, from, to) => {
    const { From_Account, To_Account, MsgSeq, MsgTime: MsgTimeStamp, MsgRandom: random, MsgKey: key } = call;
    const MsgLifeTime = call.OnlineOnlyFlag === 1 ? 0 : undefined;
    const name = pair(From_Account, To_Account);
    return inTurn(name, (known) => handOn({ name, known, from, to, key, random, call }, async (message, MsgRandom) => {
      const body = { ...message, From_Account, To_Account, MsgSeq, MsgRandom, MsgTimeStamp, MsgLifeTime, SyncOtherMachine: 1 };
      return (await to.ask('openim/sendmsg', body)).MsgKey;
    }));
  },
  'C2C.CallbackAfterMsgWithDraw': ({ From_Account, To_Account, MsgKey: key }, from, to) => {
    const name = pair(From_Account, To_Account);
    return inTurn(name, async (known) => {
      let message = find(known, from, key);
      // Of the time before: what is imported has the same key at both.
      if (!message) remember(name, message = { [from.name]: [key], [to.name]: [key] });
      await takeBack({ from, to, key, message }, (side, MsgKey) => side.ask('openim/admin_msgwithdraw', { From_Account, To_Account, MsgKey }));
    });
  },
  'C2C.CallbackAfterMsgReport': (call, from, to) => inTurn(pair(call.Report_Account, call.Peer_Account), (known) => read({ known, from, to }, call)),
  'Group.CallbackAfterSendMsg': (call, from, to) => {
    const { GroupId, From_Account, OnlineOnlyFlag, MsgSeq: key, Random: random } = call;
    const name = `@ ${GroupId}`;
    return inTurn(name, (known) => handOn({ name, known, from, to, key, random, call }, async (message, Random) => {
      return (await to.ask('group_open_http_svc/send_group_msg', { ...message, GroupId, From_Account, OnlineOnlyFlag, Random })).MsgSeq;
    }));
  },
  'Group.CallbackAfterRecallMsg': ({ GroupId, MsgSeqList }, from, to) => inTurn(`@ ${GroupId}`, async (known) => {
    for (const { MsgSeq: key } of MsgSeqList) {
      const withdraw = (side, MsgSeq) => side.ask('group_open_http_svc/group_msg_recall', { GroupId, MsgSeqList: [{ MsgSeq }] });
      await takeBack({ from, to, key, message: find(known, from, key) }, withdraw);
    }
  }),
};

// --- HTTP -----------------------------------------------------------------------------------------------------------

function isGenuine(token, query) {
  const time = query.get('RequestTime') ?? '';
  if (query.get('SdkAppid') !== SDK_APP_ID || !/^\d{1,12}$/.test(time) || Math.abs(Date.now() / 1000 - Number(time)) > MAX_SKEW_S) return false;
  const expected = Buffer.from(createHash('sha256').update(token + time).digest('hex'));
  const given = Buffer.from(query.get('Sign') ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function bodyOf(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes <= MAX_BODY_BYTES) parts.push(part);
  }
  return bytes <= MAX_BODY_BYTES ? JSON.parse(Buffer.concat(parts).toString()) : undefined;
}

/** The status of the answer. Whatever is not 200 is told again; what asks before something happens is let pass. */
async function serve(request) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const from = Object.hasOwn(sides, pathname.slice(1)) ? sides[pathname.slice(1)] : undefined;
  if (request.method !== 'POST' || !from) return 404;
  if (!isGenuine(from.token, searchParams)) return 403;
  const call = await bodyOf(request);
  if (!call) return 413;
  if (Object.hasOwn(handlers, call.CallbackCommand)) await handlers[call.CallbackCommand](call, from, sides[from.other]);
  return 200;
}

readAll();
const server = createServer(async (request, response) => {
  let status = 500;
  try {
    status = await serve(request);
  } catch (error) {
    said(request.url.split('?')[0], error);
  }
  const answer = status === 200 ? { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '' } : { ActionStatus: 'FAIL', ErrorCode: 1, ErrorInfo: '' };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});
server.listen(Number(env('PORT', '8080')), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
