/** Groups as the app sees them, made from what the wire says. No I/O. */

import type { Group, GroupMember, GroupNoticePayload, GroupTipPayload, Message, Profile } from '../types.js';
import type { WireGroup, WireMember, WireNotice } from '../wire.js';
import { messageForShow } from './message.js';

/** A group but for its last message, which is that of its conversation. */
export type KnownGroup = Omit<Group, 'lastMessage'>;

/** A group with everything that nobody has set. What it says nothing of stays as it was `before`. */
export function groupOf(wire: WireGroup, userID: string, before?: KnownGroup): KnownGroup {
  const { memberCount, maxMemberCount, selfInfo } = wire;
  const group: KnownGroup = {
    avatar: '', introduction: '', notification: '', ownerID: '', muteAllMembers: false, groupCustomField: [], isSupportTopic: false,
    ...wire,
    // Tips that are still to come say what this user may do in it now.
    nextMessageSeq: (selfInfo ? wire : before ?? wire).nextMessageSeq,
    memberNum: memberCount,
    maxMemberNum: maxMemberCount,
    selfInfo: {
      userID, role: '', messageRemindType: 'AcceptAndNotify', joinTime: 0, nameCard: '', memberCustomField: [],
      readedSequence: 0, excludedUnreadSequenceList: [], ...(selfInfo ?? before?.selfInfo),
    },
  };
  settleOwner(group);
  return group;
}

/** There is one owner, and who was it is a member. */
function settleOwner({ ownerID, selfInfo }: KnownGroup): void {
  if (ownerID === selfInfo.userID) selfInfo.role = 'Owner';
  else if (ownerID && selfInfo.role === 'Owner') selfInfo.role = 'Member';
}

export function memberOf(wire: WireMember, { nick, avatar }: Profile): GroupMember {
  return { nick, avatar, nameCard: '', muteUntil: 0, lastSendMsgTime: 0, memberCustomField: [], ...wire };
}

/** Another message of a group, which may say what has changed in it. One from before what is known of it says nothing new. */
export function takeMessage(group: KnownGroup, { sequence, type, payload }: Message): void {
  if (sequence < group.nextMessageSeq) return;
  group.nextMessageSeq = sequence + 1;
  if (type !== 'TIMGroupTipElem') return;
  const { operationType, memberNum, newGroupProfile, userIDList } = payload as GroupTipPayload;
  if (memberNum > 0) group.memberCount = group.memberNum = memberNum;
  const { selfInfo } = group;
  const isMine = userIDList.includes(selfInfo.userID);
  if (isMine && operationType === 4) selfInfo.role = 'Admin';
  if (isMine && operationType === 5) selfInfo.role = 'Member';
  const { groupName, maxMemberCount, ...changes } = newGroupProfile;
  Object.assign(group, changes, groupName !== undefined && { name: groupName },
    maxMemberCount !== undefined && { maxMemberCount, maxMemberNum: maxMemberCount });
  settleOwner(group);
}

export function noticeOf({ operationType, operatorID, groupID, groupName, type, handleMessage = '', authentication = '', messageKey = 0, userDefinedField = '' }: WireNotice): GroupNoticePayload {
  return {
    operationType, operatorID, groupProfile: { groupID, groupName, name: groupName, type }, handleMessage, authentication, messageKey,
    userDefinedField,
  };
}

/** What the app gets, and may change. `last` is the newest message of it. */
export function copyOf(group: KnownGroup, last?: Message): Group {
  return {
    ...group,
    selfInfo: { ...group.selfInfo },
    lastMessage: {
      lastTime: last?.time ?? 0, lastSequence: last?.sequence ?? 0, fromAccount: last?.from ?? '', messageForShow: last ? messageForShow(last) : '',
    },
  };
}
