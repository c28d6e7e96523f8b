// What a business server does with Hongyan, in one file and without a dependency, for Node 20 and later:
//
//   node server.mjs                     serves POST /login, which signs users in, and POST /callback, which Hongyan calls
//   node server.mjs notice USER TEXT    sends a notice
//
// What it needs to know is in the environment; README.md lists it. What it keeps is in memory: with more than one process, or
// to remember across a restart, keep `openIDs` and `notified` in your database.

import { createHash, createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { deflateSync } from 'node:zlib';

const MAX_BODY_BYTES = 1024 * 1024;
/** How far the clock of a callback may be from ours, in seconds. */
const MAX_SKEW_S = 60;
const WEEK_S = 7 * 24 * 3600;
/** What a `thing` of a template takes, in characters. */
const THING = 20;

const env = (name, fallback) => {
  const value = process.env[name] ?? fallback;
  if (value === undefined) throw new Error(`set ${name}: README.md says what it is`);
  return value;
};
const settings = {
  sdkAppID: Number(env('SDK_APP_ID')),
  key: env('USERSIG_KEY'),
  rest: env('REST_URL'),
  administrator: env('ADMINISTRATOR', 'administrator'),
  callbackToken: env('CALLBACK_TOKEN'),
  wx: { url: env('WX_URL', 'https://api.weixin.qq.com'), appid: env('WX_APPID'), secret: env('WX_SECRET'), template: env('WX_TEMPLATE') },
  state: env('WX_STATE', 'formal'),
};

// --- UserSigs -------------------------------------------------------------------------------------------------------

/** The signature of a user, as tls-sig-api-v2 makes it. */
function userSig(userID, seconds = WEEK_S) {
  const time = Math.floor(Date.now() / 1000);
  const text = `TLS.identifier:${userID}\nTLS.sdkappid:${settings.sdkAppID}\nTLS.time:${time}\nTLS.expire:${seconds}\n`;
  const sig = {
    'TLS.ver': '2.0',
    'TLS.identifier': userID,
    'TLS.sdkappid': settings.sdkAppID,
    'TLS.time': time,
    'TLS.expire': seconds,
    'TLS.sig': createHmac('sha256', settings.key).update(text).digest('base64'),
  };
  return deflateSync(JSON.stringify(sig)).toString('base64').replace(/\+/g, '*').replace(/\//g, '-').replace(/=/g, '_');
}

/** The openid of each user who has logged in. Here it is the userID as well. */
const openIDs = new Map();

/** What `wx.login()` has given the mini-program becomes a user and a signature. Nobody is signed for but who has logged in. */
async function login({ code }) {
  const { appid, secret, url } = settings.wx;
  const query = new URLSearchParams({ appid, secret, js_code: String(code), grant_type: 'authorization_code' });
  const session = await answerOf(await fetch(`${url}/sns/jscode2session?${query}`, patience()));
  if (!session.openid) throw new HttpError(401, `WeChat knows no such code: ${session.errmsg} (${session.errcode})`);
  openIDs.set(session.openid, session.openid);
  return { userID: session.openid, userSig: userSig(session.openid) };
}

// --- Notices --------------------------------------------------------------------------------------------------------

/** Calls the API, again when it says that it may be called again, and returns the answer. */
async function rest(command, body) {
  for (let attempt = 1; ; attempt++) {
    const query = new URLSearchParams({
      sdkappid: settings.sdkAppID,
      identifier: settings.administrator,
      usersig: userSig(settings.administrator, 600),
      random: randomInt(2 ** 32 - 1),
      contenttype: 'json',
    });
    const response = await fetch(`${settings.rest}/${command}?${query}`, { method: 'POST', body: JSON.stringify(body), ...patience() });
    if ((response.status === 429 || response.status >= 500) && attempt < 5) {
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt * (0.5 + Math.random())));
      continue;
    }
    const answer = await answerOf(response);
    if (answer.ActionStatus !== 'OK') throw new Error(`${command}: ${answer.ErrorInfo} (${answer.ErrorCode})`);
    return answer;
  }
}

/** Sends a notice. The number says which one it is: sent again with it, it is still one. */
function sendNotice(to, text, number = randomInt(2 ** 32 - 1)) {
  const message = { MsgType: 'TIMTextElem', MsgContent: { Text: text } };
  return rest('openim/sendmsg', { SyncOtherMachine: 2, To_Account: to, MsgRandom: number, MsgBody: [message] });
}

// --- Callbacks ------------------------------------------------------------------------------------------------------

/** Whether a call is Hongyan's: its app, its signature, and made just now. */
function isGenuine(query) {
  const time = query.get('RequestTime') ?? '';
  if (query.get('SdkAppid') !== String(settings.sdkAppID) || !/^\d{1,12}$/.test(time)) return false;
  if (Math.abs(Date.now() / 1000 - Number(time)) > MAX_SKEW_S) return false;
  const expected = Buffer.from(createHash('sha256').update(settings.callbackToken + time).digest('hex'));
  const given = Buffer.from(query.get('Sign') ?? '');
  // It takes as long whatever is wrong with it, so nobody finds out a signature by trying.
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The conversations of which somebody was told and has not read since, as `who from`. */
const notified = new Set();

/** What has happened. It may be told more than once. */
async function happened(call) {
  if (call.CallbackCommand === 'C2C.CallbackAfterSendMsg' && call.To_Online === 0) await notify(call);
  if (call.CallbackCommand === 'C2C.CallbackAfterMsgReport') notified.delete(`${call.Report_Account} ${call.Peer_Account}`);
}

/** One notification for each conversation until it is read, however many messages come. */
async function notify({ From_Account: from, To_Account: to, MsgBody: [element] }) {
  const openID = openIDs.get(to);
  const conversation = `${to} ${from}`;
  if (!openID || notified.has(conversation)) return;
  notified.add(conversation);
  const text = element.MsgType === 'TIMTextElem' ? element.MsgContent.Text : '发来一条新消息';
  let sent = 'later';
  try {
    sent = await subscriptionMessage(openID, from, text);
  } finally {
    // It may succeed with the next message.
    if (sent === 'later') notified.delete(conversation);
  }
}

// --- WeChat ---------------------------------------------------------------------------------------------------------

let token = { value: '', until: 0 };

/** The access token, one for everybody who asks: another one of the same kind does not end it. */
async function accessToken(force = false) {
  if (!force && Date.now() < token.until) return token.value;
  const { appid, secret, url } = settings.wx;
  const body = JSON.stringify({ grant_type: 'client_credential', appid, secret, force_refresh: force });
  const answer = await answerOf(await fetch(`${url}/cgi-bin/stable_token`, { method: 'POST', body, ...patience() }));
  if (!answer.access_token) throw new Error(`no access token: ${answer.errmsg} (${answer.errcode})`);
  token = { value: answer.access_token, until: Date.now() + (answer.expires_in - 300) * 1000 };
  return token.value;
}

/**
 * Sends the template. Its fields are those of your own template: here `thing1`, who has written, and `thing2`, what.
 * Returns `sent`, `refused` when the user has to consent again first, and `later` when it may be tried with the next message.
 */
async function subscriptionMessage(openID, from, text, isSecond = false) {
  const thing = (value) => ({ value: [...value].length > THING ? `${[...value].slice(0, THING - 1).join('')}…` : value });
  const body = JSON.stringify({
    touser: openID,
    template_id: settings.wx.template,
    page: `pages/chat/chat?conversationID=C2C${from}`,
    miniprogram_state: settings.state,
    data: { thing1: thing(from), thing2: thing(text) },
  });
  const url = `${settings.wx.url}/cgi-bin/message/subscribe/send?access_token=${await accessToken(isSecond)}`;
  const { errcode, errmsg } = await answerOf(await fetch(url, { method: 'POST', body, ...patience() }));
  switch (errcode) {
    case 0:
      return 'sent';
    case 43101: // One consent is one message, and this user has none left.
      return 'refused';
    case 40001: // The token has ended before its time.
    case 42001:
      if (!isSecond) return subscriptionMessage(openID, from, text, true);
      break;
  }
  // 40003: not a user of this mini-program. 40037, 47003, 41030: the template, its fields or the page are wrong.
  console.error(`WeChat takes no message: ${errmsg} (${errcode})`);
  return [40003, 40037, 47003, 41030].includes(errcode) ? 'refused' : 'later';
}

// --- HTTP -----------------------------------------------------------------------------------------------------------

class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const patience = () => ({ signal: AbortSignal.timeout(5000) });

async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`status ${response.status} and no JSON from ${new URL(response.url).host}`);
  }
}

async function bodyOf(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new HttpError(413, 'the body is too large');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new HttpError(400, 'the body is no JSON');
  }
}

async function serve(request) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (request.method === 'POST' && pathname === '/login') return login(await bodyOf(request));
  if (request.method === 'POST' && pathname === '/callback') {
    if (!isGenuine(searchParams)) throw new HttpError(403, 'this is not a callback of ours');
    // An answer in time is all that is wanted. What cannot be done about it is ours to know.
    happened(await bodyOf(request)).catch((error) => console.error(error.message));
    return { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '' };
  }
  throw new HttpError(404, 'POST /login or POST /callback');
}

const [command, ...words] = process.argv.slice(2);
if (command === 'notice') {
  const [to, ...text] = words;
  if (text.length === 0) throw new Error('notice USER TEXT');
  console.log((await sendNotice(to, text.join(' '))).MsgKey);
} else {
  const server = createServer(async (request, response) => {
    let [status, answer] = [200, {}];
    try {
      answer = await serve(request);
    } catch (error) {
      status = error.status ?? 500;
      answer = { error: status === 500 ? 'it failed' : error.message };
      if (status === 500) console.error(error.message);
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(Number(env('PORT', '8080')), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
}
