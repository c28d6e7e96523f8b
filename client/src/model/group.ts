/** Groups as the app sees them, made from what the wire says. No I/O. */

import type { Group, GroupMember, GroupNoticePayload, GroupTipPayload, Message, Profile } from '../types.js';
import type { WireGroup, WireMember, WireNotice } from '../wire.js';
import { messageForShow } from './message.js';

/** A group with everything that nobody has set. What it says nothing of stays as it was `before`. */
export function groupOf(wire: WireGroup, userID: string, before?: Group): Group {
  const { memberCount, maxMemberCount, selfInfo } = wire;
  return {
    avatar: '', introduction: '', notification: '', ownerID: '', muteAllMembers: false, groupCustomField: [], isSupportTopic: false,
    lastMessage: before?.lastMessage ?? { lastTime: 0, lastSequence: 0, fromAccount: '', messageForShow: '' },
    ...wire,
    memberNum: memberCount,
    maxMemberNum: maxMemberCount,
    selfInfo: {
      userID, role: '', messageRemindType: 'AcceptAndNotify', joinTime: 0, nameCard: '', memberCustomField: [],
      readedSequence: 0, excludedUnreadSequenceList: [], ...(selfInfo ?? before?.selfInfo),
    },
  };
}

export function memberOf(wire: WireMember, { nick, avatar }: Profile): GroupMember {
  return { nick, avatar, nameCard: '', muteUntil: 0, lastSendMsgTime: 0, memberCustomField: [], ...wire };
}

/** Another message of a group, which may say what has changed in it. One from before what is known of it says nothing new. */
export function takeMessage(group: Group, message: Message): void {
  const { sequence, time, from, messageControlInfo, type } = message;
  if (sequence < group.nextMessageSeq) return;
  group.nextMessageSeq = sequence + 1;
  if (!messageControlInfo.excludedFromLastMessage) {
    group.lastMessage = { lastTime: time, lastSequence: sequence, fromAccount: from, messageForShow: messageForShow(message) };
  }
  if (type !== 'TIMGroupTipElem') return;
  const { operationType, memberNum, newGroupProfile, userIDList } = message.payload as GroupTipPayload;
  if (memberNum > 0) group.memberCount = group.memberNum = memberNum;
  const { selfInfo } = group;
  const isMine = userIDList.includes(selfInfo.userID);
  if (isMine && operationType === 4) selfInfo.role = 'Admin';
  if (isMine && operationType === 5) selfInfo.role = 'Member';
  const { groupName, maxMemberCount, ...changes } = newGroupProfile;
  Object.assign(group, changes, groupName !== undefined && { name: groupName },
    maxMemberCount !== undefined && { maxMemberCount, maxMemberNum: maxMemberCount });
  // There is one owner, and who was it is a member.
  if (changes['ownerID'] === selfInfo.userID) selfInfo.role = 'Owner';
  else if (changes['ownerID'] && selfInfo.role === 'Owner') selfInfo.role = 'Member';
}

export function noticeOf({ operationType, operatorID, groupID, groupName, type, handleMessage = '', authentication = '', messageKey = 0, userDefinedField = '' }: WireNotice): GroupNoticePayload {
  return {
    operationType, operatorID, groupProfile: { groupID, groupName, name: groupName, type }, handleMessage, authentication, messageKey,
    userDefinedField,
  };
}

/** What the app gets, and may change. */
export function copyOf(group: Group): Group {
  return { ...group, selfInfo: { ...group.selfInfo }, lastMessage: { ...group.lastMessage } };
}
