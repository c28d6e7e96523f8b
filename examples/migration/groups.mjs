// Brings groups over: what they say of themselves, who is in them, and as what. For Node 20 and later.
//
//   node groups.mjs
//
// In the environment: TENCENT_URL and HONGYAN_URL, each the API with its /v4, SDK_APP_ID, USERSIG_KEY and, if it is another one,
// ADMINISTRATOR. Run again, it brings what is new there, and changes nothing that is here. What is refused is said and left out:
// groups of other types, for one, and those with more than 200 members.

import { Refused, api } from './rest.mjs';

const { TENCENT_URL, HONGYAN_URL, SDK_APP_ID, USERSIG_KEY } = process.env;
if (!TENCENT_URL || !HONGYAN_URL || !SDK_APP_ID || !USERSIG_KEY) {
  console.error('TENCENT_URL=… HONGYAN_URL=… SDK_APP_ID=… USERSIG_KEY=… node groups.mjs');
  process.exit(2);
}
const [there, here] = [TENCENT_URL, HONGYAN_URL].map((url) => {
  const ask = api(url, process.env);
  return (command, body) => ask(`group_open_http_svc/${command}`, body);
});
/** How many members a group has at most, how many a new one begins with, and how many come at once. */
const [MEMBERS, FIRST, AT_ONCE] = [200, 40, 100];

async function* groups() {
  for (let Next = 0; ;) {
    const page = await there('get_appid_group_list', { Limit: 100, Next });
    for (const { GroupId } of page.GroupIdList ?? []) yield GroupId;
    if (!page.Next) return;
    ({ Next } = page);
  }
}

async function membersOf(GroupId) {
  const all = [];
  for (;;) {
    const { MemberList, MemberNum } = await there('get_group_member_info', { GroupId, Limit: AT_ONCE, Offset: all.length });
    all.push(...MemberList ?? []);
    if (!MemberList?.length || all.length >= MemberNum) return all;
  }
}

async function bring(GroupId) {
  const { GroupInfo: [group] } = await there('get_group_info', { GroupIdList: [GroupId] });
  if (group.ErrorCode) throw new Refused('get_group_info', group);
  const members = await membersOf(GroupId);
  if (members.length > MEMBERS) throw new Refused('create_group', { ErrorCode: 10014, ErrorInfo: `it has ${members.length} members` });
  const { Type, Name, Introduction, Notification, FaceUrl, ApplyJoinOption, InviteJoinOption, MaxMemberNum } = group;
  const Owner_Account = members.find(({ Role }) => Role === 'Owner')?.Member_Account;
  const isAdmin = ({ Role }) => Role === 'Admin';
  const others = members.filter(({ Role }) => Role !== 'Owner').sort((a, b) => isAdmin(b) - isAdmin(a));
  const MemberList = others.slice(0, FIRST).map((member) => ({ Member_Account: member.Member_Account, Role: isAdmin(member) ? 'Admin' : 'Member' }));
  await here('create_group', {
    GroupId, Type, Name, Introduction, Notification, FaceUrl, ApplyJoinOption, InviteJoinOption, MaxMemberCount: MaxMemberNum, Owner_Account, MemberList,
  });
  for (let first = 0; first < others.length; first += AT_ONCE) {
    const some = others.slice(first, first + AT_ONCE).map(({ Member_Account }) => ({ Member_Account }));
    const { MemberList } = await here('add_group_member', { GroupId, Silence: 1, MemberList: some });
    const left = MemberList.filter(({ Result }) => Result === 0).length;
    if (left > 0) throw new Refused('add_group_member', { ErrorCode: 10014, ErrorInfo: `${left} have not come: run it again` });
  }
  for (const { Member_Account, NameCard } of members) if (NameCard) await here('modify_group_member_info', { GroupId, Member_Account, NameCard });
}

let [brought, refused] = [0, 0];
for await (const group of groups()) {
  try {
    await bring(group);
    brought++;
  } catch (error) {
    if (!(error instanceof Refused) || error.isAboutTheCaller) throw error;
    refused++;
    console.error(`\n${group}: ${error.message}`);
  }
  process.stderr.write(`\r${brought} groups, ${refused} refused`);
}
process.stderr.write('\n');
