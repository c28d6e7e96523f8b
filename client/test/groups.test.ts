/** Groups, against a server that says what is written here: what the client makes of it. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import TIM, { type Group, type Message } from '../src/index.js';
import { EMPTY_PAGE, startScript, type ScriptedServer } from './harness/script.js';
import { User, codeOf, same, textOf, until } from './harness/user.js';

type Data = Record<string, any>;

let server: ScriptedServer;
const present: User[] = [];
beforeEach(async () => { server = await startScript(); });
afterEach(async () => {
  for (const user of present.splice(0)) user.stop();
  await server.stop();
});

async function join(userID = 'alice'): Promise<User> {
  const user = new User(server, userID);
  present.push(user);
  await user.login();
  user.device.clock.advance(50);
  await until(() => user.told('sdkStateReady').length === 1);
  return user;
}

function group(groupID: string, fields: Data = {}): Data {
  return {
    groupID, type: 'Public', name: `${groupID}群`, createTime: 1, lastInfoTime: 1, infoSequence: 1, memberCount: 3, maxMemberCount: 200,
    joinOption: 'FreeAccess', inviteOption: 'DisableInvite', ownerID: 'bob', nextMessageSeq: 1,
    selfInfo: { role: 'Member', joinTime: 1, messageRemindType: 'AcceptAndNotify' }, ...fields,
  };
}

function message(groupID: string, sequence: number, from: string, fields: Data = {}): Data {
  return {
    from, to: groupID, conversationType: 'GROUP', clientID: `${from.length}-${sequence}-7`, sequence, time: 1_795_000_000 + sequence,
    type: 'TIMTextElem', payload: { text: `${sequence}` }, ...fields,
  };
}

function tip(groupID: string, sequence: number, from: string, operationType: number, fields: Data = {}): Data {
  return message(groupID, sequence, from, {
    type: 'TIMGroupTipElem', payload: { operationType, operatorID: from, groupProfile: { groupID, groupName: `${groupID}群` }, userIDList: [], ...fields },
  });
}

function listed(groupID: string, last: number, fields: Data = {}): Data {
  return {
    conversationID: `GROUP${groupID}`, type: 'GROUP', unreadCount: 0, lastSequence: last, readSequence: last, peerReadSequence: 0, peerReadTime: 0,
    clearedSequence: 0, isPinned: false, groupProfile: group(groupID, { nextMessageSeq: last + 1 }),
    ...(last > 0 && { lastMessage: message(groupID, last, 'bob') }), ...fields,
  };
}

const pageOf = (...conversationList: Data[]): Data => ({ ...EMPTY_PAGE, conversationList });
const groupsOf = (user: User): Group[] => user.told<Group[]>('onGroupListUpdated').at(-1) ?? [];
const dataOf = (action: string): Data[] => server.asked.filter(([asked]) => asked === action).map(([, data]) => data);

test('the list has the groups: what they are, what is unread, who is mentioned, and what does not disturb', async () => {
  const at = [{ from: 'bob', messageSequence: 4, atTypeArray: [1] }];
  server.page = pageOf(
    listed('g1', 5, { unreadCount: 2, readSequence: 3, groupAtInfoList: at }),
    listed('g2', 3, { unreadCount: 1, readSequence: 2, groupProfile: group('g2', { nextMessageSeq: 4, ownerID: 'alice', selfInfo: { role: 'Owner', joinTime: 1, messageRemindType: 'AcceptNotNotify' } }) }),
    listed('g3', 0),
  );
  server.script['getMessageList'] = ({ ranges }) => ({ rangeList: ranges.map(({ conversationID, fromSequence, toSequence }: Data) => ({
    conversationID, nextSequence: 0, isCompleted: true,
    messageList: Array.from({ length: toSequence - fromSequence + 1 }, (_, index) => message(conversationID.slice(5), fromSequence + index, 'bob')),
  })) });
  const alice = await join();
  const { data: { conversationList } } = await alice.tim.getConversationList();
  same(conversationList.map((each) => [each.conversationID, each.type, each.subType, each.toAccount, each.unreadCount, each.messageRemindType, each.lastMessage.messageForShow]), [
    ['GROUPg1', 'GROUP', 'Public', 'g1', 2, 'AcceptAndNotify', '5'], ['GROUPg2', 'GROUP', 'Public', 'g2', 1, 'AcceptNotNotify', '3'],
  ]);
  same(conversationList[0]?.groupAtInfoList, [{ topicID: '', from: 'bob', messageSequence: 4, atTypeArray: [1], groupID: 'g1' }]);
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 2);
  const { data: { groupList } } = await alice.tim.getGroupList();
  same(groupList.map(({ groupID, name, selfInfo, memberNum, maxMemberNum, avatar, muteAllMembers }) => [groupID, name, selfInfo.role, selfInfo.userID, memberNum, maxMemberNum, avatar, muteAllMembers]), [
    ['g1', 'g1群', 'Member', 'alice', 3, 200, '', false], ['g2', 'g2群', 'Owner', 'alice', 3, 200, '', false], ['g3', 'g3群', 'Member', 'alice', 3, 200, '', false],
  ]);
  // What is unread is news, with the names that its sender has: a card, and a nick.
  await until(() => alice.received.length === 3);
  const inOrder = (id: string): unknown[] => alice.received.filter(({ conversationID }) => conversationID === id).map((each) => [textOf(each), each.nick, each.nameCard]);
  same([inOrder('GROUPg1'), inOrder('GROUPg2')], [[['4', 'bob的昵称', 'bob的名片'], ['5', 'bob的昵称', 'bob的名片']], [['3', 'bob的昵称', 'bob的名片']]]);
  // The app may do with a copy what it likes.
  groupList[0]!.selfInfo.role = '';
  assert.equal((await alice.tim.getGroupList()).data.groupList[0]?.selfInfo.role, 'Member');
  await alice.tim.setMessageRead({ conversationID: 'GROUPg1' });
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 0);
  same((await alice.tim.getConversationProfile('GROUPg1')).data.conversation.groupAtInfoList, []);
  await until(() => dataOf('setMessageRead').length === 1);
  same(dataOf('setMessageRead'), [{ conversationID: 'GROUPg1', sequence: 5 }]);
  assert.equal(dataOf('login')[0]?.['conversationIDList'], undefined);
});

test('messages of a group: one\'s own are not unread, mentions are noted, and a room counts nothing', async () => {
  server.page = pageOf(listed('g1', 1), listed('g2', 1, { groupProfile: group('g2', { type: 'ChatRoom', nextMessageSeq: 2 }) }));
  const alice = await join();
  server.push('onMessageReceived', [message('g1', 2, 'bob', { nick: 'bob的昵称', nameCard: '老鲍', atUserList: ['alice', TIM.TYPES.MSG_AT_ALL] })]);
  server.push('onMessageReceived', [message('g1', 3, 'alice', { atUserList: [TIM.TYPES.MSG_AT_ALL] }), message('g2', 2, 'bob')]);
  await until(() => alice.received.length === 3);
  const first = alice.received.find(({ sequence, to }) => sequence === 2 && to === 'g1');
  same([first?.nick, first?.nameCard, first?.atUserList, first?.flow, first?.conversationType], ['bob的昵称', '老鲍', ['alice', TIM.TYPES.MSG_AT_ALL], 'in', 'GROUP']);
  const state = async (id: string): Promise<unknown[]> => {
    const { conversation } = (await alice.tim.getConversationProfile(id)).data;
    return [conversation.unreadCount, conversation.groupAtInfoList.map(({ from, messageSequence, atTypeArray }) => [from, messageSequence, atTypeArray])];
  };
  same(await state('GROUPg1'), [1, [['bob', 2, [3]]]]);
  same(await state('GROUPg2'), [0, []]);
  // The peer of a conversation of two reads; in a group nobody is told.
  assert.equal(alice.received.some(({ isPeerRead }) => isPeerRead), false);
  same(groupsOf(alice).map(({ groupID, nextMessageSeq, lastMessage }) => [groupID, nextMessageSeq, lastMessage.messageForShow]), [['g1', 4, '3'], ['g2', 3, '2']]);
  // Of one whose name a push has said it is the rest of the profile.
  await until(() => dataOf('getUserProfile').length === 1);
});

test('a message with mentions is sent and acknowledged, and its recall by an admin says who it was', async () => {
  server.page = pageOf(listed('g1', 1));
  server.script['sendMessage'] = (data) => ({ message: { ...message('g1', 2, 'alice'), ...data, base: undefined, time: 1_795_000_002 } });
  const alice = await join();
  const text = alice.tim.createTextAtMessage({ to: 'g1', conversationType: 'GROUP', payload: { text: '@bob 在吗', atUserList: ['bob'] } });
  same([text.conversationID, text.atUserList, text.payload], ['GROUPg1', ['bob'], { text: '@bob 在吗' }]);
  await alice.tim.sendMessage(text);
  const [sent] = dataOf('sendMessage');
  same([sent?.['to'], sent?.['conversationType'], sent?.['atUserList'], sent?.['base']], ['g1', 'GROUP', ['bob'], 1]);
  same([text.status, text.sequence], ['success', 2]);
  assert.equal((await alice.tim.getConversationProfile('GROUPg1')).data.conversation.unreadCount, 0);
  server.push('onMessageRevoked', [{ ...message('g1', 2, 'alice'), clientID: text.ID, payload: {}, isRevoked: true, revoker: 'bob' }]);
  await until(() => alice.told('onMessageRevoked').length === 1);
  same([text.isRevoked, text.revoker, text.payload], [true, 'bob', { text: '' }]);
});

test('tips are messages that change the group: members, roles, profile, owner', async () => {
  server.page = pageOf(listed('g1', 1));
  const alice = await join();
  server.push('onMessageReceived', [tip('g1', 2, 'bob', 1, { userIDList: ['carol'], memberNum: 4 })]);
  server.push('onMessageReceived', [tip('g1', 3, 'bob', 4, { userIDList: ['alice'] })]);
  server.push('onMessageReceived', [tip('g1', 4, 'bob', 6, { newGroupProfile: { groupName: '新名字', ownerID: 'carol', muteAllMembers: true, avatar: 'https://x/1', faceUrl: 'https://x/1' } })]);
  server.push('onMessageReceived', [tip('g1', 5, 'carol', 7, { userIDList: ['dave'], memberList: [{ userID: 'dave', muteTime: 60 }] })]);
  await until(() => alice.received.length === 4);
  const [came, appointed, changed, muted] = alice.received as [Message, Message, Message, Message];
  assert.equal(came.type === 'TIMGroupTipElem', true);
  // Who has come is the one whose name it has; otherwise it is who has done it.
  same(alice.received.map(({ nick }) => nick), ['carol的昵称', 'alice', 'bob的昵称', 'carol的昵称']);
  same((came.payload as Data)['memberList'], [{ nick: 'carol的昵称', avatar: '', userID: 'carol' }]);
  same([(came.payload as Data)['memberNum'], (came.payload as Data)['memberCount'], (came.payload as Data)['groupProfile']], [4, 4, { groupID: 'g1', groupName: 'g1群', name: 'g1群' }]);
  same((muted.payload as Data)['memberList'], [{ nick: 'dave的昵称', avatar: '', userID: 'dave', muteTime: 60 }]);
  same([appointed.from, changed.flow], ['bob', 'in']);
  const [{ name, memberNum, ownerID, selfInfo, muteAllMembers, avatar }] = groupsOf(alice) as [Group];
  same([name, memberNum, ownerID, selfInfo.role, muteAllMembers, avatar], ['新名字', 4, 'carol', 'Admin', true, 'https://x/1']);
  const { conversation } = (await alice.tim.getConversationProfile('GROUPg1')).data;
  same([conversation.unreadCount, conversation.lastMessage.messageForShow, conversation.groupProfile.name], [4, '[群提示消息]', '新名字']);
  // What is older than the profile that was asked for meanwhile changes nothing.
  server.script['getGroupProfile'] = () => ({ groupList: [group('g1', { name: '更新', memberCount: 9, nextMessageSeq: 8 })], failureGroupList: [] });
  same((await alice.tim.getGroupProfile({ groupID: 'g1' })).data.group.memberCount, 9);
  server.push('onMessageReceived', [tip('g1', 6, 'bob', 2, { userIDList: ['carol'], memberNum: 3 }), tip('g1', 7, 'bob', 1, { userIDList: ['x'], memberNum: 4 })]);
  await until(() => alice.received.length === 6);
  same(groupsOf(alice).map((each) => [each.memberNum, each.name]), [[9, '更新']]);
});

test('a list that is a second old takes back neither what has come since nor what was read since', async () => {
  server.page = pageOf(listed('g1', 1));
  const alice = await join();
  server.push('onMessageReceived', [message('g1', 2, 'bob', { atUserList: ['alice'] }), tip('g1', 3, 'bob', 6, { newGroupProfile: { groupName: '新名字' } })]);
  await until(() => alice.received.length === 2);
  const mentions = async (): Promise<number[]> => (await alice.tim.getConversationProfile('GROUPg1')).data.conversation.groupAtInfoList.map(({ messageSequence }) => messageSequence);
  const look = async (fields: Data = {}): Promise<void> => {
    const { length } = server.asked;
    server.script['getConversationList'] = () => pageOf(listed('g1', 1, fields));
    server.push('onGroupNotice', { operationType: 7, groupID: 'g1', groupName: 'x', type: 'Public', operatorID: 'alice', time: 1 });
    await until(() => server.asked.length > length);
    await alice.tim.getUserProfile({ userIDList: ['bob'] });
  };
  await look();
  same([await mentions(), groupsOf(alice)[0]?.name, groupsOf(alice)[0]?.nextMessageSeq], [[2], '新名字', 4]);
  await alice.tim.setMessageRead({ conversationID: 'GROUPg1' });
  await look({ lastSequence: 3, groupAtInfoList: [{ from: 'bob', messageSequence: 2, atTypeArray: [1] }] });
  same(await mentions(), []);
});

test('making a group: its ID is made here, six members go at a time, and a message says so', async () => {
  const alice = await join();
  const users = Array.from({ length: 23 }, (_, index) => ({ userID: `user${index}` }));
  let known: Data | undefined;
  server.script['createGroup'] = (data) => {
    known = group(data['groupID'], { type: data['type'], name: data['name'], ownerID: 'alice', selfInfo: { role: 'Owner', joinTime: 1, messageRemindType: 'AcceptAndNotify' } });
    return { group: known };
  };
  server.script['getConversationList'] = () => pageOf(listed(known!['groupID'], 0, { groupProfile: known }));
  server.script['addGroupMember'] = ({ userIDList }) => ({ successUserIDList: userIDList.slice(1), existedUserIDList: userIDList.slice(0, 1), group: { ...known, memberCount: 20, nextMessageSeq: 9 } });
  server.script['sendMessage'] = (data) => ({ message: { ...message(data['to'], 1, 'alice'), ...data } });
  const { data } = await alice.tim.createGroup({ name: '同学', type: TIM.TYPES.GRP_PUBLIC, memberList: users });
  assert.match(data.group.groupID, /^@TGS#[0-9A-Z]{12}$/);
  same([data.group.name, data.group.selfInfo.role, data.overLimitUserIDList], ['同学', 'Owner', []]);
  same(dataOf('createGroup').map(({ memberList }) => memberList.length), [6]);
  const added = dataOf('addGroupMember');
  same(added.map(({ userIDList }) => userIDList.length), [6, 6, 5]);
  assert.equal(new Set(added.map(({ clientID }) => clientID)).size, 3);
  await until(() => dataOf('sendMessage').length === 1);
  same(dataOf('sendMessage').map(({ to, type, payload }) => [to, type, payload]), [[data.group.groupID, 'TIMCustomElem', { data: 'group_create', description: '', extension: 'alice创建群组' }]]);
  same(groupsOf(alice).map(({ groupID }) => groupID), [data.group.groupID]);
  const some = await alice.tim.addGroupMember({ groupID: data.group.groupID, userIDList: ['a', 'b'] });
  same([some.data.successUserIDList, some.data.existedUserIDList, some.data.group.memberNum], [['b'], ['a'], 20]);
  // An ID of one's own, and what the server does not make.
  server.script['createGroup'] = () => ({ code: 2600, message: 'no rooms' });
  assert.equal(await codeOf(alice.tim.createGroup({ name: 'x', type: 'AVChatRoom', groupID: 'mine' })), 2600);
  assert.equal(dataOf('createGroup').at(-1)?.['groupID'], 'mine');
});

test('a change is made once: its name stays for every try, and its base until that does not fit', async () => {
  server.page = pageOf(listed('g1', 7));
  const alice = await join();
  const refusals: Data[] = [{ code: 10006, message: 'too many' }, { code: 20004, message: 'look', lastSequence: 900 }];
  server.script['updateGroupProfile'] = () => refusals.shift() ?? { group: group('g1', { name: '后来', nextMessageSeq: 9 }) };
  const changing = alice.tim.updateGroupProfile({ groupID: 'g1', name: '后来' });
  await until(() => dataOf('updateGroupProfile').length === 1);
  await alice.device.pass(2_000);
  same((await changing).data.group.name, '后来');
  const tries = dataOf('updateGroupProfile');
  same(tries.map(({ base }) => base), [7, 7, 900]);
  assert.equal(new Set(tries.map(({ clientID }) => clientID)).size, 1);
  server.script['updateGroupProfile'] = () => ({ code: 10007, message: 'not an admin' });
  await assert.rejects(alice.tim.updateGroupProfile({ groupID: 'g1', name: 'x' }), { code: 10007, message: 'updateGroupProfile: not an admin' });
});

test('coming and going: joined, waiting, in already; left, dismissed; and what the type does not have', async () => {
  server.page = pageOf(listed('g1', 1), listed('work', 1, { groupProfile: group('work', { type: 'Private' }) }));
  const alice = await join();
  const joinGroup = async (groupID: string): Promise<unknown[]> => {
    const { data } = await alice.tim.joinGroup({ groupID, applyMessage: '你好' });
    return [data.status, data.group.groupID];
  };
  same(await joinGroup('g1'), ['AlreadyInGroup', 'g1']);
  server.script['joinGroup'] = ({ groupID }) => ({ status: 'WaitAdminApproval', group: group(groupID, { selfInfo: undefined }) });
  same(await joinGroup('g2'), ['WaitAdminApproval', 'g2']);
  assert.equal(dataOf('joinGroup')[0]?.['applyMessage'], '你好');
  server.script['joinGroup'] = ({ groupID }) => ({ status: 'JoinedSuccess', group: group(groupID) });
  server.script['getConversationList'] = () => pageOf(listed('g2', 4, { joinedSequence: 3, readSequence: 3, unreadCount: 1 }));
  same(await joinGroup('g2'), ['JoinedSuccess', 'g2']);
  same((await alice.tim.getGroupList()).data.groupList.map(({ groupID }) => groupID), ['g2', 'g1', 'work']);
  assert.equal((await alice.tim.getConversationProfile('GROUPg2')).data.conversation.unreadCount, 1);

  assert.equal(await codeOf(alice.tim.quitGroup('g9')), 2623);
  assert.equal(await codeOf(alice.tim.dismissGroup('work')), 2622);
  same((await alice.tim.quitGroup('g2')).data, { groupID: 'g2' });
  same((await alice.tim.dismissGroup('g1')).data, { groupID: 'g1' });
  same((await alice.tim.getGroupList()).data.groupList.map(({ groupID }) => groupID), ['work']);
  same((await alice.tim.getConversationList()).data.conversationList.map(({ conversationID }) => conversationID), ['GROUPwork']);
  await until(() => groupsOf(alice).length === 1);
  // What comes late of it makes it no conversation again, and it is empty.
  server.script['getConversationList'] = () => pageOf();
  server.push('onMessageReceived', [message('g2', 5, 'bob'), message('work', 2, 'bob')]);
  await until(() => alice.received.some(({ to }) => to === 'work'));
  same((await alice.tim.getConversationList()).data.conversationList.map(({ conversationID }) => conversationID), ['GROUPwork']);
  same((await alice.tim.getMessageList({ conversationID: 'GROUPg2' })).data.messageList, []);
  server.script['getGroupProfile'] = () => ({ groupList: [], failureGroupList: [{ groupID: 'gone', code: 10010, message: 'no such group' }] });
  await assert.rejects(alice.tim.searchGroupByID('gone'), { code: 10010, message: 'searchGroupByID: no such group' });
});

test('members come page by page, by a number, with names and cards', async () => {
  server.page = pageOf(listed('g1', 1));
  const all = Array.from({ length: 40 }, (_, at) => ({ userID: `u${String(at).padStart(2, '0')}`, role: at ? 'Member' : 'Owner', joinTime: 1, ...(at === 1 && { nameCard: '一号', muteUntil: 9 }) }));
  server.script['getGroupMemberList'] = ({ count, next }) => {
    const from = next ? all.findIndex(({ userID }) => userID > next) : 0;
    const memberList = all.slice(from, from + count);
    return { memberList, next: from + count < all.length ? memberList.at(-1)!.userID : '' };
  };
  const alice = await join();
  const first = (await alice.tim.getGroupMemberList({ groupID: 'g1' })).data;
  // Their cards come with them: it is what they are called that has to be asked for.
  same([dataOf('getUserProfile').length, dataOf('getGroupMemberProfile').length], [1, 0]);
  same([first.memberList.length, first.offset], [15, 15]);
  same(first.memberList[1], { nick: 'u01的昵称', avatar: '', nameCard: '一号', muteUntil: 9, lastSendMsgTime: 0, memberCustomField: [], userID: 'u01', role: 'Member', joinTime: 1 });
  const second = (await alice.tim.getGroupMemberList({ groupID: 'g1', count: 15, offset: first.offset })).data;
  const third = (await alice.tim.getGroupMemberList({ groupID: 'g1', count: 15, offset: second.offset })).data;
  same([second.memberList[0]?.userID, second.offset, third.memberList.length, third.offset], ['u15', 30, 10, 0]);
  // A number that nobody has been given.
  same((await alice.tim.getGroupMemberList({ groupID: 'g1', count: 100, offset: 38 })).data.memberList.map(({ userID }) => userID), ['u38', 'u39']);
  same((await alice.tim.getGroupMemberList({ groupID: 'g1', offset: 70 })).data, { memberList: [], offset: 0 });
  same((await alice.tim.getGroupMemberList({ groupID: 'strange' })).data, { memberList: [], offset: 0 });
  same((await alice.tim.getGroupMemberProfile({ groupID: 'g1', userIDList: ['u07'] })).data.memberList.map(({ nameCard }) => nameCard), ['u07的名片']);
});

test('what a member is: role, mute, card, and what disturbs', async () => {
  server.page = pageOf(listed('g1', 1));
  server.script['getGroupProfile'] = () => ({ groupList: [group('g1')], failureGroupList: [] });
  server.script['setGroupMember'] = ({ userID, role = 'Member', nameCard, muteTime, messageRemindType }) => (messageRemindType
    ? { selfInfo: { role: 'Member', joinTime: 1, messageRemindType } }
    : { member: { userID, role, joinTime: 1, ...(nameCard && { nameCard }), ...(muteTime && { muteUntil: 100 + muteTime }) } });
  const alice = await join();
  const { tim } = alice;
  same((await tim.setGroupMemberRole({ groupID: 'g1', userID: 'bob', role: 'Admin' })).data.member.role, 'Admin');
  same((await tim.setGroupMemberMuteTime({ groupID: 'g1', userID: 'bob', muteTime: 60 })).data.member.muteUntil, 160);
  const { data } = await tim.setGroupMemberNameCard({ groupID: 'g1', nameCard: '小爱' });
  same([data.member.userID, data.member.nameCard, data.group.groupID], ['alice', '小爱', 'g1']);
  same(dataOf('setGroupMember').map(({ clientID, base, ...what }) => [typeof clientID, base, what]), [
    ['string', 1, { groupID: 'g1', userID: 'bob', role: 'Admin' }], ['string', 1, { groupID: 'g1', userID: 'bob', muteTime: 60 }],
    ['string', 1, { groupID: 'g1', userID: 'alice', nameCard: '小爱' }],
  ]);
  server.script['getGroupProfile'] = () => ({ groupList: [group('g1', { selfInfo: { role: 'Member', joinTime: 1, messageRemindType: 'Discard' } })], failureGroupList: [] });
  same((await tim.setMessageRemindType({ groupID: 'g1', messageRemindType: TIM.TYPES.MSG_REMIND_DISCARD })).data.group.selfInfo.messageRemindType, 'Discard');
  same((await tim.getConversationProfile('GROUPg1')).data.conversation.messageRemindType, 'Discard');
  server.script['changeGroupOwner'] = ({ newOwnerID }) => ({ group: group('g1', { ownerID: newOwnerID, nextMessageSeq: 9 }) });
  same((await tim.changeGroupOwner({ groupID: 'g1', newOwnerID: 'carol' })).data.group.ownerID, 'carol');
  server.script['deleteGroupMember'] = ({ userIDList }) => ({ userIDList, group: group('g1', { memberCount: 2, nextMessageSeq: 9 }) });
  const { data: gone } = await tim.deleteGroupMember({ groupID: 'g1', userIDList: Array.from({ length: 11 }, (_, at) => `x${at}`), reason: '广告' });
  same([gone.userIDList.length, gone.group.memberNum, dataOf('deleteGroupMember').map(({ userIDList, reason }) => [userIDList.length, reason])], [11, 2, [[6, '广告'], [5, '广告']]]);
});

test('notices: added, applied for, appointed, put out; they are in the conversation of the system', async () => {
  server.page = pageOf(listed('g1', 1));
  const alice = await join();
  const notice = (operationType: number, groupID: string, fields: Data = {}): void => server.push('onGroupNotice',
    { operationType, groupID, groupName: `${groupID}群`, type: 'Public', operatorID: 'bob', time: 1_795_000_100, ...fields });
  server.script['getConversationList'] = ({ conversationIDList }) => pageOf(...(conversationIDList.includes('GROUPg2') ? [listed('g2', 1, { joinedSequence: 0, readSequence: 0, unreadCount: 1 })] : []));
  notice(7, 'g2');
  await until(() => groupsOf(alice).length === 2);
  server.push('onMessageReceived', [tip('g1', 2, 'bob', 4, { userIDList: ['alice'] })]);
  notice(9, 'g1');
  notice(1, 'g1', { operatorID: 'carol', handleMessage: '让我进', authentication: 'token', messageKey: 7 });
  await until(() => groupsOf(alice).find(({ groupID }) => groupID === 'g1')?.selfInfo.role === 'Admin');
  const told = (): Message[] => alice.received.filter(({ type }) => type === 'TIMGroupSystemNoticeElem');
  await until(() => told().length === 3);
  const application = told()[2] as Message;
  same([application.conversationID, application.conversationType, application.payload], ['@TIM#SYSTEM', '@TIM#SYSTEM', {
    handleMessage: '让我进', authentication: 'token', messageKey: 7, userDefinedField: '', operationType: 1, operatorID: 'carol',
    groupProfile: { groupID: 'g1', groupName: 'g1群', name: 'g1群', type: 'Public' },
  }]);
  server.script['handleGroupApplication'] = () => ({ group: group('g1', { memberCount: 4, nextMessageSeq: 9 }) });
  same((await alice.tim.handleGroupApplication({ handleAction: 'Agree', handleMessage: '欢迎', message: application })).data.group.memberNum, 4);
  same(dataOf('handleGroupApplication').map(({ clientID, base, ...what }) => what), [{ groupID: 'g1', userID: 'carol', authentication: 'token', handleAction: 'Agree', handleMessage: '欢迎' }]);
  const open = { applicant: 'dave', userID: 'dave', groupID: 'g1', groupName: 'g1群', applyMessage: '', authentication: 't2', messageKey: 8, applicationType: 0, time: 1 };
  server.script['getGroupApplicationList'] = ({ next }) => (next ? { applicationList: [open] } : { applicationList: [{ ...open, applicant: 'erin', userID: 'erin' }], next: 'g0' });
  const { applicationList: [erins, listedOne] } = (await alice.tim.getGroupApplicationList()).data;
  same([erins?.applicantNick, listedOne?.applicantNick, dataOf('getGroupApplicationList')], ['erin的昵称', 'dave的昵称', [{}, { next: 'g0' }]]);
  await alice.tim.handleGroupApplication({ handleAction: 'Reject', application: listedOne! });
  same(dataOf('handleGroupApplication').at(-1)?.['userID'], 'dave');
  assert.equal(await codeOf(alice.tim.handleGroupApplication({ handleAction: 'Agree' })), 70402);

  const system = async (): Promise<unknown[]> => {
    const { conversation } = (await alice.tim.getConversationProfile('@TIM#SYSTEM')).data;
    return [conversation.type, conversation.unreadCount, conversation.lastMessage.messageForShow];
  };
  same(await system(), ['@TIM#SYSTEM', 3, '[群系统通知]']);
  same((await alice.tim.getMessageList({ conversationID: '@TIM#SYSTEM' })).data.messageList.length, 3);
  await alice.tim.setMessageRead({ conversationID: '@TIM#SYSTEM' });
  same(await system(), ['@TIM#SYSTEM', 0, '[群系统通知]']);
  assert.equal((await alice.tim.getConversationList()).data.conversationList.some(({ conversationID }) => conversationID === '@TIM#SYSTEM'), true);
  await alice.tim.deleteConversation('@TIM#SYSTEM');
  assert.equal((await alice.tim.getConversationList()).data.conversationList.some(({ conversationID }) => conversationID === '@TIM#SYSTEM'), false);

  notice(4, 'g1', { handleMessage: '广告' });
  notice(5, 'g2');
  await until(() => groupsOf(alice).length === 0 && told().length === 5);
  same((await alice.tim.getConversationList()).data.conversationList.map(({ conversationID }) => conversationID), ['@TIM#SYSTEM']);
  // What this user has done on another device changes the list, and is no news.
  notice(7, 'g2', { operatorID: 'alice' });
  await until(() => groupsOf(alice).length === 1);
  notice(20, 'g2', { operatorID: 'alice', messageRemindType: 'AcceptNotNotify' });
  await until(() => groupsOf(alice)[0]?.selfInfo.messageRemindType === 'AcceptNotNotify');
  assert.equal(told().length, 5);
});

test('a reconnect tells which groups there are, over as many pages as they take; one that is missing was left', async () => {
  server.page = pageOf(listed('g1', 1), listed('g2', 1), listed('g3', 1));
  const alice = await join();
  same(groupsOf(alice).map(({ groupID }) => groupID), ['g1', 'g2', 'g3']);
  same(alice.events.map(({ name }) => name).filter((name) => /GroupList|Ready/.test(name)), ['onGroupListUpdated', 'sdkStateReady']);
  server.page = { ...pageOf(listed('g1', 2, { unreadCount: 1, readSequence: 1 })), groupsGoOn: true, nextReqConversationID: 'GROUP.g1', isCompleted: false, completeFrom: 2 ** 40 };
  server.script['getConversationList'] = ({ nextReqConversationID, conversationIDList }) => (nextReqConversationID
    ? pageOf(listed('g3', 1), listed('g4', 1)) : pageOf(...(conversationIDList as string[]).map((id) => listed(id.slice(5), id === 'GROUPg4' ? 2 : 1))));
  alice.device.cut();
  await until(() => groupsOf(alice).map(({ groupID }) => groupID).join() === 'g1,g3,g4');
  await until(() => alice.texts.length === 1);
  // One look more, five seconds later: a message that was in neither the list nor a push.
  assert.equal(dataOf('getConversationList').length, 1);
  await alice.device.pass(5_000);
  await until(() => alice.texts.length === 2);
  same(dataOf('getConversationList').at(-1), { conversationIDList: ['GROUPg1', 'GROUPg3', 'GROUPg4'] });
  await alice.device.pass(60_000);
  assert.equal(dataOf('getConversationList').length, 2);
});

test('a group that was made or joined is there, also when the list does not know it yet or cannot be asked', async () => {
  const alice = await join();
  server.script['sendMessage'] = (data) => ({ message: { ...message(data['to'], 1, 'alice'), ...data } });
  server.script['createGroup'] = (data) => ({ group: group(data['groupID'], { ownerID: 'alice', type: data['type'], selfInfo: undefined }) });
  server.script['joinGroup'] = ({ groupID }) => ({ status: 'JoinedSuccess', group: group(groupID, { nextMessageSeq: 5, selfInfo: undefined }) });
  for (const [number, answer] of [pageOf(), { code: 70402, message: 'no' }].entries()) {
    server.script['getConversationList'] = () => answer;
    const made = (await alice.tim.createGroup({ name: '同学', groupID: `made${number}` })).data.group;
    const joined = (await alice.tim.joinGroup({ groupID: `joined${number}` })).data.group;
    same([made.groupID, made.selfInfo.role, joined.groupID, joined.selfInfo.role], [`made${number}`, 'Owner', `joined${number}`, 'Member']);
  }
  await until(() => groupsOf(alice).length === 4);
  server.push('onMessageReceived', [message('joined0', 5, 'bob')]);
  await until(() => alice.texts.includes('5'));
  // What is not said is not said: no ID, no type.
  const nothing = { groupID: '', type: undefined, memberList: undefined } as object;
  const { group: { groupID, type } } = (await alice.tim.createGroup({ name: '同学', ...nothing })).data;
  assert.match(groupID, /^@TGS#[0-9A-Z]{12}$/);
  assert.equal(type, 'Private');
});

test('a group is made also when some cannot be brought into it, and its admins come first', async () => {
  const alice = await join();
  const memberList = [...Array.from({ length: 17 }, (_, at) => ({ userID: `u${at}`, role: 'Member' })), { userID: 'admin', role: 'Admin' }];
  server.script['createGroup'] = (data) => ({ group: group(data['groupID'], { ownerID: 'alice' }) });
  server.script['getConversationList'] = ({ conversationIDList: [id] }) => pageOf(listed(id.slice(5), 0));
  server.script['addGroupMember'] = ({ groupID, userIDList }) => (userIDList.includes('u5') ? { code: 10014, message: 'full' }
    : { successUserIDList: userIDList, existedUserIDList: [], group: group(groupID, { ownerID: 'alice', memberCount: 13 }) });
  const { data } = await alice.tim.createGroup({ name: '同学', memberList });
  same(dataOf('createGroup')[0]?.['memberList'].map(({ userID, role }: Data) => [userID, role]), [
    ['admin', 'Admin'], ...['u0', 'u1', 'u2', 'u3', 'u4'].map((userID) => [userID, 'Member']),
  ]);
  same(data.overLimitUserIDList, ['u5', 'u6', 'u7', 'u8', 'u9', 'u10']);
  same([dataOf('addGroupMember').at(-1)?.['userIDList'], data.group.memberNum], [['u11', 'u12', 'u13', 'u14', 'u15', 'u16'], 13]);
});

test('a group that is left while a page of it loads does not come back', async () => {
  server.page = pageOf(listed('g1', 3), listed('g2', 1));
  const alice = await join();
  server.script['getMessageList'] = () => {
    server.push('onGroupNotice', { operationType: 5, groupID: 'g1', groupName: 'x', type: 'Public', operatorID: 'bob', time: 1 });
    return { messageList: [1, 2, 3].map((sequence) => message('g1', sequence, 'bob')), nextReqMessageID: 'more', isCompleted: false };
  };
  same((await alice.tim.getMessageList({ conversationID: 'GROUPg1' })).data, { messageList: [], nextReqMessageID: '', isCompleted: true });
  const { conversationList } = (await alice.tim.getConversationList()).data;
  same(conversationList.map(({ conversationID }) => conversationID).sort(), ['@TIM#SYSTEM', 'GROUPg2']);
});

test('the last message of a group is that of its conversation, recalled and cleared as well, and its mentions go with it', async () => {
  server.page = pageOf(listed('g1', 5), listed('g2', 7));
  const alice = await join();
  const lasts = (): unknown[] => groupsOf(alice).map(({ groupID, lastMessage }) => [groupID, lastMessage.lastSequence, lastMessage.fromAccount, lastMessage.messageForShow]);
  same(lasts(), [['g2', 7, 'bob', '7'], ['g1', 5, 'bob', '5']]);
  server.push('onMessageReceived', [message('g1', 6, 'bob', { time: 1_795_000_100, atUserList: ['alice'] })]);
  await until(() => alice.received.length === 1);
  same(lasts(), [['g1', 6, 'bob', '6'], ['g2', 7, 'bob', '7']]);
  server.push('onMessageRevoked', [message('g1', 6, 'bob', { time: 1_795_000_100, payload: {}, isRevoked: true, revoker: 'bob' })]);
  await until(() => alice.told('onMessageRevoked').length === 1);
  same((await alice.tim.getGroupList()).data.groupList[0]?.lastMessage.messageForShow, '[消息已撤回]');
  same(alice.received[0]?.revokerInfo, { userID: 'bob', nick: 'bob的昵称', avatar: '' });
  same((await alice.tim.getConversationProfile('GROUPg1')).data.conversation.groupAtInfoList.length, 1);
  server.script['deleteConversation'] = ({ conversationID, sequence }) => ({ conversationID, clearedSequence: sequence });
  await alice.tim.deleteConversation('GROUPg1');
  same((await alice.tim.getGroupList()).data.groupList.find(({ groupID }) => groupID === 'g1')?.lastMessage, { lastTime: 0, lastSequence: 0, fromAccount: '', messageForShow: '' });
  same((await alice.tim.getConversationProfile('GROUPg1')).data.conversation.groupAtInfoList, []);
});

test('what a tip changes is told at once, whatever is still to be asked for of who has spoken before it', async () => {
  server.page = pageOf(listed('g1', 1));
  const alice = await join();
  alice.device.loses = ({ action }) => action === 'getUserProfile';
  server.push('onMessageReceived', [message('g1', 2, 'bob')]);
  await until(() => dataOf('getUserProfile').length === 1);
  server.push('onMessageReceived', [tip('g1', 3, 'bob', 6, { newGroupProfile: { groupName: '新名字' } })]);
  await until(() => groupsOf(alice)[0]?.name === '新名字');
  assert.equal(alice.received.length, 0);
});

test('a card of one\'s own is in the group at once, and a card that was taken off is gone', async () => {
  server.page = pageOf(listed('g1', 1));
  server.script['setGroupMember'] = ({ userID, nameCard }) => ({ member: { userID, role: 'Member', joinTime: 1, ...(nameCard && { nameCard }) } });
  const alice = await join();
  for (const nameCard of ['小爱', '']) {
    const { group: { selfInfo } } = (await alice.tim.setGroupMemberNameCard({ groupID: 'g1', nameCard })).data;
    assert.equal(selfInfo.nameCard, nameCard);
    await until(() => groupsOf(alice)[0]?.selfInfo.nameCard === nameCard);
  }
  server.push('onMessageReceived', [message('g1', 2, 'bob', { nick: '鲍勃', nameCard: '老鲍' })]);
  await until(() => alice.received.length === 1);
  assert.equal(alice.received[0]?.nameCard, '老鲍');
  server.push('onMessageReceived', [message('g1', 3, 'bob', { nick: '鲍勃' })]);
  await until(() => alice.received.length === 2);
  assert.equal(alice.received[1]?.nameCard, '');
});

test('who hands a group over is a member, and who is put out while they change something hears that', async () => {
  server.page = pageOf(listed('g1', 1, { groupProfile: group('g1', { ownerID: 'alice', nextMessageSeq: 2, selfInfo: { role: 'Owner', joinTime: 1, messageRemindType: 'AcceptAndNotify' } }) }));
  const alice = await join();
  server.script['changeGroupOwner'] = ({ newOwnerID }) => ({ group: group('g1', { ownerID: newOwnerID, nextMessageSeq: 3, selfInfo: undefined }) });
  same((await alice.tim.changeGroupOwner({ groupID: 'g1', newOwnerID: 'bob' })).data.group.selfInfo.role, 'Member');
  for (const change of [
    () => alice.tim.setGroupMemberNameCard({ groupID: 'g1', nameCard: 'x' }),
    () => alice.tim.setMessageRemindType({ groupID: 'g1', messageRemindType: 'Discard' }),
  ]) {
    const { length } = dataOf('getConversationList');
    server.script['getConversationList'] = () => pageOf(listed('g1', 2));
    server.push('onGroupNotice', { operationType: 7, groupID: 'g1', groupName: 'x', type: 'Public', operatorID: 'alice', time: 1 });
    await until(() => dataOf('getConversationList').length > length);
    await alice.tim.getUserProfile({ userIDList: ['bob'] });
    server.script['setGroupMember'] = () => {
      server.push('onGroupNotice', { operationType: 4, groupID: 'g1', groupName: 'x', type: 'Public', operatorID: 'bob', time: 1 });
      return { member: { userID: 'alice', role: 'Member', joinTime: 1 }, selfInfo: { role: 'Member', joinTime: 1, messageRemindType: 'Discard' } };
    };
    assert.equal(await codeOf(change()), 2623);
  }
  assert.equal(await codeOf(alice.tim.setMessageRemindType({ userIDList: ['bob'], messageRemindType: 'Discard' } as never)), 2905);
});

test('one look more asks for every group, goes on where one reply has no room for all, and leaves what is not in a whole one', async () => {
  const names = Array.from({ length: 60 }, (_, at) => `g${at}`);
  // Of one there is no message, so that no list shows it.
  server.page = pageOf(...names.map((name, at) => listed(name, at === 7 ? 0 : 1)));
  const alice = await join();
  const left = new Set(['GROUPg9']);
  server.script['getConversationList'] = ({ conversationIDList }) => {
    const there = (conversationIDList as string[]).filter((id) => !left.has(id));
    return { ...pageOf(...there.slice(0, 14).map((id) => listed(id.slice(5), 1))), isCompleted: there.length <= 14 };
  };
  await alice.device.pass(5_000);
  await until(() => groupsOf(alice).length === 59);
  same(groupsOf(alice).map(({ groupID }) => groupID).sort(), names.filter((name) => name !== 'g9').sort());
  const asked = dataOf('getConversationList').map(({ conversationIDList }) => conversationIDList as string[]);
  same([new Set(asked.flat()).size, Math.max(...asked.map(({ length }) => length))], [60, 50]);
  assert.ok(asked.length <= 6, `${asked.length} requests`);
  // One that has room for nothing says nothing of any group.
  server.script['getConversationList'] = () => ({ ...pageOf(), isCompleted: false });
  alice.device.cut();
  await until(() => dataOf('login').length === 2);
  const { length } = dataOf('getConversationList');
  await alice.device.pass(5_000);
  await until(() => dataOf('getConversationList').length === length + 2);
  await alice.tim.getUserProfile({ userIDList: ['bob'] });
  assert.equal((await alice.tim.getGroupList()).data.groupList.length, 60);
});

test('after a lost network the newest 500 messages of a group are fetched', async () => {
  server.page = pageOf(listed('g1', 10));
  const alice = await join();
  server.push('onMessageReceived', [message('g1', 11, 'bob', { time: Math.floor(Date.now() / 1000) })]);
  await until(() => alice.received.length === 1);
  server.page = pageOf(listed('g1', 9_000, { readSequence: 11, unreadCount: 8_989 }));
  alice.device.cut();
  await until(() => dataOf('getMessageList').length > 0);
  same(dataOf('getMessageList').flatMap(({ ranges }) => ranges), [{ conversationID: 'GROUPg1', fromSequence: 8_501, toSequence: 8_999 }]);
  await until(() => alice.texts.includes('9000'));
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 8_989);
});
