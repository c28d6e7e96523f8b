// Fetches what roams: all messages of these users that the server still has, and their profiles. For Node 20 and later.
//
//   node roam.mjs users.txt > roamed.jsonl      a userID on each line; `hongyan import roamed.jsonl` reads what comes out
//
// It asks Tencent Cloud IM or Hongyan, whichever REST_URL names, and the other one can import it. In the environment: REST_URL,
// such as https://console.tim.qq.com/v4, SDK_APP_ID, USERSIG_KEY and, if it is another one, ADMINISTRATOR.

import { createHmac, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';

const { REST_URL, SDK_APP_ID, USERSIG_KEY, ADMINISTRATOR = 'administrator' } = process.env;
const [file] = process.argv.slice(2);
if (!REST_URL || !SDK_APP_ID || !USERSIG_KEY || !file) {
  console.error('REST_URL=… SDK_APP_ID=… USERSIG_KEY=… node roam.mjs users.txt > roamed.jsonl');
  process.exit(2);
}

function userSig(userID) {
  const time = Math.floor(Date.now() / 1000);
  const text = `TLS.identifier:${userID}\nTLS.sdkappid:${SDK_APP_ID}\nTLS.time:${time}\nTLS.expire:3600\n`;
  const sig = {
    'TLS.ver': '2.0', 'TLS.identifier': userID, 'TLS.sdkappid': Number(SDK_APP_ID), 'TLS.time': time, 'TLS.expire': 3600,
    'TLS.sig': createHmac('sha256', USERSIG_KEY).update(text).digest('base64'),
  };
  return deflateSync(JSON.stringify(sig)).toString('base64').replace(/\+/g, '*').replace(/\//g, '-').replace(/=/g, '_');
}

/** The answer to a command, asked again while the server is busy. */
async function ask(command, body) {
  for (let attempt = 1; ; attempt++) {
    const query = new URLSearchParams({
      sdkappid: SDK_APP_ID, identifier: ADMINISTRATOR, usersig: userSig(ADMINISTRATOR), random: randomInt(2 ** 32 - 1), contenttype: 'json',
    });
    let why;
    try {
      const response = await fetch(`${REST_URL}/${command}?${query}`, { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
      const answer = await response.json();
      if (answer.ErrorCode === 0) return answer;
      why = `${answer.ErrorInfo} (${answer.ErrorCode})`;
      // 60007 at Tencent: too fast.
      if (response.ok && answer.ErrorCode !== 60007) throw new Error(`${command} of ${JSON.stringify(body)}: ${why}`, { cause: 'refused' });
    } catch (error) {
      if (error.cause === 'refused') throw error;
      why ??= error.message;
    }
    if (attempt === 10) throw new Error(`${command}: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 100 * 2 ** attempt)));
  }
}

/** Whom a user has talked to. */
async function* peers(user) {
  let [TimeStamp, StartIndex, TopTimeStamp, TopStartIndex] = [0, 0, 0, 0];
  for (;;) {
    const page = await ask('recentcontact/get_list', { From_Account: user, TimeStamp, StartIndex, TopTimeStamp, TopStartIndex, AssistFlags: 7 });
    for (const { Type, To_Account } of page.SessionItem ?? []) if (Type === 1) yield To_Account;
    if (page.CompleteFlag === 1) return;
    ({ TimeStamp, StartIndex, TopTimeStamp, TopStartIndex } = page);
  }
}

const print = (value) => new Promise((resolve) => process.stdout.write(`${JSON.stringify(value)}\n`, resolve));
const users = readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
for (let first = 0; first < users.length; first += 100) {
  const TagList = ['Tag_Profile_IM_Nick', 'Tag_Profile_IM_Image', 'Tag_Profile_IM_Gender', 'Tag_Profile_IM_BirthDay', 'Tag_Profile_IM_Location',
    'Tag_Profile_IM_SelfSignature', 'Tag_Profile_IM_AllowType', 'Tag_Profile_IM_Language', 'Tag_Profile_IM_Level', 'Tag_Profile_IM_Role'];
  const { UserProfileItem } = await ask('profile/portrait_get', { To_Account: users.slice(first, first + 100), TagList });
  await print({ UserProfileItem });
}
const fetched = new Set();
let messages = 0;
for (const [number, user] of users.entries()) {
  for await (const peer of peers(user)) {
    // Both users have the same messages.
    const pair = [user, peer].sort().join(' ');
    if (fetched.has(pair)) continue;
    fetched.add(pair);
    let [MaxTime, LastMsgKey] = [Math.floor(Date.now() / 1000) + 60, undefined];
    for (let isComplete = false; !isComplete;) {
      const page = await ask('openim/admin_getroammsg', { Operator_Account: user, Peer_Account: peer, MaxCnt: 100, MinTime: 0, MaxTime, LastMsgKey });
      await print({ MsgList: page.MsgList });
      messages += page.MsgList.length;
      isComplete = page.Complete === 1;
      [MaxTime, LastMsgKey] = [page.LastMsgTime, page.LastMsgKey];
    }
  }
  process.stderr.write(`\r${number + 1} of ${users.length} users, ${fetched.size} conversations, ${messages} messages`);
}
process.stderr.write('\n');
