/** Groups on the twin: what users of them live through, on all their devices. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import TIM, { type Conversation, type Group, type Message } from '../src/index.js';
import { codeOf, same, textOf, until, type User } from './harness/user.js';
import { withTwin } from './harness/users.js';

const users = withTwin('--multi-device', 'many', '--new-conversations-per-hour', '0');
const { TYPES } = TIM;

const groupsOf = (user: User): Group[] => user.told<Group[]>('onGroupListUpdated').at(-1) ?? [];
const groupOf = (user: User, groupID: string): Group | undefined => groupsOf(user).find((group) => group.groupID === groupID);
const isIn = (user: User, groupID: string): boolean => groupOf(user, groupID) !== undefined;
const notices = (user: User): number[] => user.received.filter(({ type }) => type === 'TIMGroupSystemNoticeElem').map(({ payload }) => (payload as { operationType: number }).operationType);
const tips = (user: User): number[] => user.received.filter(({ type }) => type === 'TIMGroupTipElem').map(({ payload }) => (payload as { operationType: number }).operationType);
const said = (user: User, groupID: string): string[] => user.received.filter(({ to, type }) => to === groupID && type === 'TIMTextElem').map(textOf);

async function conversation(user: User, groupID: string): Promise<Conversation> {
  return (await user.tim.getConversationProfile(`GROUP${groupID}`)).data.conversation;
}

function say(user: User, groupID: string, text: string, atUserList: string[] = []): Promise<unknown> {
  const options = { to: groupID, conversationType: 'GROUP', payload: { text, atUserList } };
  return user.tim.sendMessage(atUserList.length > 0 ? user.tim.createTextAtMessage(options) : user.tim.createTextMessage(options));
}

async function history(user: User, groupID: string): Promise<string[]> {
  const { data } = await user.tim.getMessageList({ conversationID: `GROUP${groupID}` });
  return data.messageList.map((message) => (message.type === 'TIMGroupTipElem' ? `tip ${message.payload.operationType}` : textOf(message)));
}

/** Alice's group with Bob and Carol in it. */
async function three(type: string, options = {}): Promise<[User, User, User, string]> {
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => users.join(users.named(name)))) as [User, User, User];
  const { data } = await alice.tim.createGroup({ name: '同学', type, memberList: [{ userID: bob.userID }, { userID: carol.userID }], ...options });
  const { groupID } = data.group;
  same([data.group.name, data.group.type, data.group.memberNum, data.group.selfInfo.role], ['同学', type, 3, 'Owner']);
  await until(() => [alice, bob, carol].every((user) => isIn(user, groupID)));
  return [alice, bob, carol, groupID];
}

test('a group is there for all its members, and what is said in it reaches them with names, unread counts and mentions', async () => {
  const [alice, bob, carol, groupID] = await three(TYPES.GRP_PUBLIC);
  await until(() => notices(bob).join() === '7');
  await alice.tim.updateMyProfile({ nick: '爱丽丝' });
  await until(() => bob.received.some(({ type }) => type === 'TIMCustomElem'));
  await say(alice, groupID, '今天去哪儿？');
  await say(alice, groupID, '@你 去吗', [bob.userID]);
  await until(() => said(bob, groupID).length === 2 && said(carol, groupID).length === 2);
  same(said(bob, groupID), ['今天去哪儿？', '@你 去吗']);
  const last = bob.received.at(-1) as Message;
  same([last.nick, last.from, last.conversationID, last.atUserList, last.flow], ['爱丽丝', alice.userID, `GROUP${groupID}`, [bob.userID], 'in']);
  const ofBob = await conversation(bob, groupID);
  same([ofBob.unreadCount, ofBob.lastMessage.messageForShow, ofBob.groupProfile.name, ofBob.subType, ofBob.groupAtInfoList.map(({ atTypeArray }) => atTypeArray)], [3, '@你 去吗', '同学', 'Public', [[1]]]);
  same([(await conversation(carol, groupID)).groupAtInfoList, (await conversation(alice, groupID)).unreadCount], [[], 0]);
  await say(alice, groupID, '都来', [TYPES.MSG_AT_ALL]);
  await until(() => said(carol, groupID).length === 3);
  same((await conversation(carol, groupID)).groupAtInfoList.map(({ atTypeArray }) => atTypeArray), [[2]]);

  // What is read on the phone is read on the tablet, and a card is what its owner is called from then on.
  const tablet = await users.another(bob);
  await until(async () => (await conversation(tablet, groupID)).unreadCount === 4);
  same((await conversation(tablet, groupID)).groupAtInfoList.map(({ atTypeArray }) => atTypeArray).sort(), [[1], [2]]);
  await bob.tim.setMessageRead({ conversationID: `GROUP${groupID}` });
  await until(async () => (await conversation(tablet, groupID)).unreadCount === 0);
  same([(await conversation(tablet, groupID)).groupAtInfoList, (await conversation(bob, groupID)).groupAtInfoList], [[], []]);
  assert.equal((await bob.tim.setGroupMemberNameCard({ groupID, nameCard: '老鲍' })).data.member.nameCard, '老鲍');
  await say(bob, groupID, '来了');
  await until(() => said(carol, groupID).length === 4);
  assert.equal(carol.received.at(-1)?.nameCard, '老鲍');
  same(alice.told('onMessageReadByPeer'), []);
  const { memberList, offset } = (await carol.tim.getGroupMemberList({ groupID })).data;
  same([memberList.map(({ userID, role, nameCard, nick }) => [userID, role, nameCard, nick]), offset], [
    [[alice.userID, 'Owner', '', '爱丽丝'], [bob.userID, 'Member', '老鲍', ''], [carol.userID, 'Member', '', '']], 0,
  ]);
  // A recall by the owner.
  const mine = (await bob.tim.getMessageList({ conversationID: `GROUP${groupID}` })).data.messageList.at(-1) as Message;
  const theirs = alice.tim.findMessage(mine.ID) as Message;
  await alice.tim.revokeMessage(theirs);
  await until(() => mine.isRevoked && carol.told('onMessageRevoked').length === 1);
  same([mine.revoker, mine.revokerInfo.nick, mine.payload], [alice.userID, '爱丽丝', { text: '' }]);
});

test('members come and go, rise and are silenced: each knows, and so does who was not there', async () => {
  const [alice, bob, carol, groupID] = await three(TYPES.GRP_PUBLIC);
  const dave = await users.join(users.named('dave'));
  carol.device.goOffline();
  const { data: added } = await alice.tim.addGroupMember({ groupID, userIDList: [dave.userID, bob.userID] });
  same([added.successUserIDList, added.existedUserIDList, added.group.memberNum], [[dave.userID], [bob.userID], 4]);
  await until(() => isIn(dave, groupID) && groupOf(bob, groupID)?.memberNum === 4);
  await alice.tim.setGroupMemberRole({ groupID, userID: bob.userID, role: 'Admin' });
  await until(() => groupOf(bob, groupID)?.selfInfo.role === 'Admin');
  await until(() => notices(bob).join() === '7,9' && tips(bob).join() === '1,4');
  const muted = (await bob.tim.setGroupMemberMuteTime({ groupID, userID: dave.userID, muteTime: 600 })).data.member;
  assert.ok(muted.muteUntil > dave.tim.getServerTime() + 500, `${muted.muteUntil}`);
  assert.equal(await codeOf(say(dave, groupID, '我能说吗')), 10017);
  await bob.tim.setGroupMemberMuteTime({ groupID, userID: dave.userID, muteTime: 0 });
  await say(dave, groupID, '我能说了');
  await alice.tim.updateGroupProfile({ groupID, muteAllMembers: true, name: '安静' });
  await until(() => groupOf(dave, groupID)?.muteAllMembers === true);
  assert.equal(await codeOf(say(dave, groupID, '又不能了')), 10017);
  await say(bob, groupID, '管理员可以');
  await alice.tim.updateGroupProfile({ groupID, muteAllMembers: false });
  assert.equal(await codeOf(dave.tim.deleteGroupMember({ groupID, userIDList: [bob.userID] })), 10007);
  await bob.tim.deleteGroupMember({ groupID, userIDList: [dave.userID], reason: '广告' });
  await until(() => !isIn(dave, groupID) && notices(dave).at(-1) === 4);
  assert.equal(await codeOf(say(dave, groupID, '还在吗')), 10007);
  same((await dave.tim.getMessageList({ conversationID: `GROUP${groupID}` })).data.messageList, []);
  await alice.tim.changeGroupOwner({ groupID, newOwnerID: bob.userID });
  await until(() => groupOf(bob, groupID)?.selfInfo.role === 'Owner');
  same([groupOf(bob, groupID)?.ownerID, (await alice.tim.getGroupProfile({ groupID })).data.group.selfInfo.role], [bob.userID, 'Member']);

  // Carol, back again, sees all of it.
  carol.device.goOnline();
  await until(() => groupOf(carol, groupID)?.name === '安静' && groupOf(carol, groupID)?.ownerID === bob.userID);
  await until(() => tips(carol).join() === tips(bob).join());
  same(tips(carol), [1, 4, 7, 7, 6, 6, 3, 6]);
  same(said(carol, groupID), ['我能说了', '管理员可以']);
  await carol.tim.quitGroup(groupID);
  assert.equal(isIn(carol, groupID) && (await carol.tim.getGroupList()).data.groupList.length > 0, false);
  await until(() => tips(bob).at(-1) === 2 && groupOf(bob, groupID)?.memberNum === 2);
  assert.equal(await codeOf(bob.tim.quitGroup(groupID)), 10009);
  await bob.tim.dismissGroup(groupID);
  await until(() => !isIn(alice, groupID) && notices(alice).at(-1) === 5);
  assert.equal(await codeOf(alice.tim.searchGroupByID(groupID)), 10010);
});

test('a tip that is slower than a newer answer still says what its user may do, and what is recalled names nobody', async () => {
  const [alice, bob, carol, groupID] = await three(TYPES.GRP_PUBLIC, { inviteOption: 'FreeAccess' });
  const dave = await users.join(users.named('dave'));
  let arrive = (): void => {};
  const late = new Promise<void>((resolve) => { arrive = resolve; });
  let isHeld = false;
  bob.device.delays = ({ event, data }) => {
    if (event !== 'onMessageReceived' || (data as Message[])[0]?.payload === undefined) return undefined;
    isHeld = true;
    return late;
  };
  await alice.tim.setGroupMemberRole({ groupID, userID: bob.userID, role: 'Admin' });
  await until(() => isHeld);
  await bob.tim.addGroupMember({ groupID, userIDList: [dave.userID] });
  arrive();
  // At once, and not when groups are looked at once more.
  await until(() => tips(bob).includes(4));
  same((await bob.tim.getGroupList()).data.groupList.find((group) => group.groupID === groupID)?.selfInfo.role, 'Admin');

  await say(alice, groupID, '@你', [carol.userID]);
  await until(() => said(carol, groupID).length === 1);
  const named = carol.received.at(-1) as Message;
  same(named.atUserList, [carol.userID]);
  await alice.tim.revokeMessage(alice.tim.findMessage(named.ID) as Message);
  await until(() => named.isRevoked);
  same(named.atUserList, []);
});

test('who wants in is let in by an admin, and sees what is said from then on', async () => {
  const [alice, bob, , groupID] = await three(TYPES.GRP_PUBLIC, { joinOption: 'NeedPermission' });
  await say(alice, groupID, '以前的话');
  const dave = await users.join(users.named('dave'));
  same((await dave.tim.searchGroupByID(groupID)).data.group.name, '同学');
  same((await dave.tim.joinGroup({ groupID, applyMessage: '我是戴夫' })).data.status, 'WaitAdminApproval');
  await until(() => notices(alice).includes(1));
  assert.equal(notices(bob).includes(1), false);
  const application = alice.received.find(({ type }) => type === 'TIMGroupSystemNoticeElem') as Message;
  const { applicationList } = (await alice.tim.getGroupApplicationList()).data;
  same(applicationList.map(({ applicant, applyMessage, groupName }) => [applicant, applyMessage, groupName]), [[dave.userID, '我是戴夫', '同学']]);
  await alice.tim.handleGroupApplication({ handleAction: 'Agree', handleMessage: '欢迎', message: application });
  await until(() => isIn(dave, groupID) && notices(dave).at(-1) === 2);
  assert.equal(await codeOf(alice.tim.handleGroupApplication({ handleAction: 'Reject', application: applicationList[0]! })), 10024);
  same((await alice.tim.getGroupApplicationList()).data.applicationList, []);
  await say(bob, groupID, '以后的话');
  await until(() => said(dave, groupID).length === 1);
  same(await history(dave, groupID), ['tip 1', '以后的话']);
  same((await dave.tim.joinGroup({ groupID })).data.status, 'AlreadyInGroup');
});

test('a work group is its members\' own: everybody invites, nobody applies, and its owner may go', async () => {
  const [alice, bob, carol, groupID] = await three(TYPES.GRP_WORK);
  const dave = await users.join(users.named('dave'));
  assert.equal(await codeOf(dave.tim.joinGroup({ groupID })), 2601);
  assert.equal(await codeOf(dave.tim.searchGroupByID(groupID)), 10007);
  await carol.tim.addGroupMember({ groupID, userIDList: [dave.userID] });
  await until(() => isIn(dave, groupID));
  assert.equal(await codeOf(alice.tim.setGroupMemberRole({ groupID, userID: bob.userID, role: 'Admin' })), 2682);
  assert.equal(await codeOf(alice.tim.dismissGroup(groupID)), 2622);
  await alice.tim.quitGroup(groupID);
  await until(() => groupOf(bob, groupID)?.memberNum === 3);
  await bob.tim.updateGroupProfile({ groupID, name: '没有群主' });
  await until(() => groupOf(dave, groupID)?.name === '没有群主');
  assert.equal(await codeOf(alice.tim.createGroup({ name: 'x', type: 'AVChatRoom' })), 2600);
});

test('a meeting counts nothing as unread, and shows what was said before one came', async () => {
  const [alice, bob, , groupID] = await three(TYPES.GRP_MEETING);
  await say(alice, groupID, '开始了');
  await until(() => said(bob, groupID).length === 1);
  assert.equal((await conversation(bob, groupID)).unreadCount, 0);
  const dave = await users.join(users.named('dave'));
  same((await dave.tim.joinGroup({ groupID })).data.status, 'JoinedSuccess');
  assert.ok((await history(dave, groupID)).includes('开始了'));
  await say(dave, groupID, '我来晚了');
  await until(() => said(bob, groupID).length === 2);
  assert.equal(bob.tim.getTotalUnreadMessageCount(), 0);
  same(tips(bob), []);
});

test('what one does on a device is done on the others: made, left, joined, silenced', async () => {
  const alice = await users.join(users.named('alice'));
  const tablet = await users.another(alice);
  const { groupID } = (await alice.tim.createGroup({ name: '一个人', type: TYPES.GRP_PUBLIC, joinOption: 'FreeAccess', groupID: `mine-${alice.userID}` })).data.group;
  assert.equal(groupID, `mine-${alice.userID}`);
  await until(() => isIn(tablet, groupID));
  await tablet.tim.setMessageRemindType({ groupID, messageRemindType: TYPES.MSG_REMIND_ACPT_NOT_NOTE });
  await until(() => groupOf(alice, groupID)?.selfInfo.messageRemindType === 'AcceptNotNotify');
  const bob = await users.join(users.named('bob'));
  const phone = await users.another(bob);
  // For so long it is remembered who is there.
  await users.twin.advance(4_000);
  await bob.tim.joinGroup({ groupID });
  await until(() => isIn(phone, groupID));
  await say(bob, groupID, '我来了');
  await until(async () => (await conversation(alice, groupID)).unreadCount === 2);
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 0);
  await until(() => said(phone, groupID).length === 1);
  await phone.tim.quitGroup(groupID);
  await until(() => !isIn(bob, groupID));
  same(notices(phone), []);
  // The same ID again is the same group for its maker, and somebody else's for others.
  assert.equal(await codeOf(bob.tim.createGroup({ name: '抢', type: TYPES.GRP_PUBLIC, groupID })), 10021);
});

test('with more groups than a page holds all are there, and one that was dismissed meanwhile is not', async () => {
  const alice = await users.join(users.named('alice'));
  const count = 140;
  const long = '简'.repeat(80);
  for (let at = 0; at < count; at += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, each) => alice.tim.createGroup({ name: `群${at + each}`, type: TYPES.GRP_PUBLIC, introduction: long, notification: long })));
  }
  const tablet = await users.another(alice);
  same((await tablet.tim.getGroupList()).data.groupList.length, count);
  const pages = tablet.device.frames.filter(({ action }) => action === 'getConversationList').length;
  assert.ok(pages > 0, 'they do not fit into one page');
  // Looked at once more, with last messages of which a reply has room for a few, they are all still there.
  const { groupList } = (await tablet.tim.getGroupList()).data;
  for (const { groupID } of groupList.slice(0, 12)) await say(alice, groupID, long.repeat(12));
  await tablet.device.pass(6_000);
  const named = (): string[] => tablet.device.frames.flatMap(({ data }) => (data as { conversationIDList?: string[] }).conversationIDList ?? []);
  await until(() => new Set(named()).size === count);
  await tablet.tim.getMyProfile();
  await tablet.device.pass(1_000);
  same((await tablet.tim.getGroupList()).data.groupList.length, count);
  // A reconnect knows them all, and that one was left meanwhile.
  const [first] = groupList as [Group];
  tablet.device.goOffline();
  await alice.tim.dismissGroup(first.groupID);
  tablet.device.goOnline();
  await until(async () => (await tablet.tim.getGroupList()).data.groupList.length === count - 1);
});
