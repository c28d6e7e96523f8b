// Fetches what roams: all messages of these users that the server still has, and their profiles. For Node 20 and later.
//
//   node roam.mjs users.txt roamed.jsonl      a userID on each line; `hongyan import roamed.jsonl` reads what comes out
//
// It asks Tencent Cloud IM or Hongyan, whichever REST_URL names, and the other one can import it. In the environment: REST_URL,
// such as https://console.tim.qq.com/v4, SDK_APP_ID, USERSIG_KEY and, if it is another one, ADMINISTRATOR.
//
// It may be ended at any time: the same command goes on, by what it has noted in roamed.jsonl.done. What the server refuses is said
// and left out.

import { appendFileSync, existsSync, ftruncateSync, openSync, readFileSync } from 'node:fs';

import { Refused, api } from './rest.mjs';

const { REST_URL, SDK_APP_ID, USERSIG_KEY } = process.env;
const [list, file] = process.argv.slice(2);
if (!REST_URL || !SDK_APP_ID || !USERSIG_KEY || !file) {
  console.error('REST_URL=… SDK_APP_ID=… USERSIG_KEY=… node roam.mjs users.txt roamed.jsonl');
  process.exit(2);
}
const ask = api(REST_URL, process.env);

/** The users who are done, and the conversations. */
const done = new Set();
let length = 0;
const isBegun = existsSync(`${file}.done`);
// A file of somebody else's is not written into.
const out = openSync(file, isBegun ? 'a' : 'ax');
if (isBegun) {
  for (const line of readFileSync(`${file}.done`, 'utf8').split('\n').filter(Boolean)) {
    const [name, bytes] = JSON.parse(line);
    done.add(name);
    length = bytes;
  }
  // What is behind that is of a conversation that was not done.
  ftruncateSync(out, length);
}
appendFileSync(`${file}.done`, '');

function print(value) {
  const line = `${JSON.stringify(value)}\n`;
  appendFileSync(out, line);
  length += Buffer.byteLength(line);
}

function note(name) {
  done.add(name);
  appendFileSync(`${file}.done`, `${JSON.stringify([name, length])}\n`);
}

let [conversations, messages, refused] = [0, 0, 0];
async function unlessRefused(who, work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused) || error.isAboutTheCaller) throw error;
    refused++;
    console.error(`\n${who}: ${error.message}`);
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

const TagList = ['Tag_Profile_IM_Nick', 'Tag_Profile_IM_Image', 'Tag_Profile_IM_Gender', 'Tag_Profile_IM_BirthDay', 'Tag_Profile_IM_Location',
  'Tag_Profile_IM_SelfSignature', 'Tag_Profile_IM_AllowType', 'Tag_Profile_IM_Language', 'Tag_Profile_IM_Level', 'Tag_Profile_IM_Role'];

async function profile(user) {
  const { UserProfileItem } = await ask('profile/portrait_get', { To_Account: [user], TagList });
  print({ UserProfileItem });
}

/** What two users have said: each may have deleted what the other one has still, and of some messages the sender has none. */
async function conversation(user, peer) {
  const name = [user, peer].sort().join(' ');
  if (done.has(name)) return;
  const seen = new Set();
  for (const [Operator_Account, Peer_Account] of [[user, peer], [peer, user]]) {
    await unlessRefused(`${Operator_Account} with ${Peer_Account}`, async () => {
      let [MaxTime, LastMsgKey] = [Math.floor(Date.now() / 1000) + 60, undefined];
      for (let isComplete = false; !isComplete;) {
        const page = await ask('openim/admin_getroammsg', { Operator_Account, Peer_Account, MaxCnt: 100, MinTime: 0, MaxTime, LastMsgKey });
        const MsgList = (page.MsgList ?? []).filter(({ MsgKey }) => !seen.has(MsgKey) && seen.add(MsgKey));
        print({ MsgList });
        messages += MsgList.length;
        isComplete = page.Complete === 1 || !page.LastMsgKey;
        [MaxTime, LastMsgKey] = [page.LastMsgTime, page.LastMsgKey];
      }
    });
  }
  conversations++;
  note(name);
}

const users = readFileSync(list, 'utf8').split(/\s+/).filter(Boolean);
for (const [number, user] of users.entries()) {
  if (!done.has(user)) {
    await unlessRefused(user, () => profile(user));
    await unlessRefused(user, async () => {
      for await (const peer of peers(user)) await conversation(user, peer);
    });
    note(user);
  }
  process.stderr.write(`\r${number + 1} of ${users.length} users, ${conversations} conversations, ${messages} messages, ${refused} refused`);
}
process.stderr.write('\n');
