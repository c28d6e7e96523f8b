/**
 * Every method of tim-wx-sdk 2.0.9 and 2.27.6 and of @tencentcloud/chat 3.6.6 that Hongyan does not serve. They exist
 * and reject with a reason, because a program that touches an undefined method dies without one.
 */

import { INVALID_OPERATION } from './codes.js';
import { ChatError } from './errors.js';

// What is not served, and which methods it is made of. Names in one text take less room than a text for each.
const NOT_SERVED = {
  'a media message': [
    'createAudioMessage createFileMessage createImageMessage createVideoMessage convertVoiceToText',
  ],
  'a merged, forwarded or @ message': [
    'createForwardMessage createMergerMessage createTextAtMessage downloadMergerMessage',
  ],
  'a group': [
    'addGroupMember changeGroupOwner createGroup decreaseGroupCounter deleteGroupAttributes deleteGroupMember',
    'dismissGroup getGroupApplicationList getGroupAttributes getGroupCounters getGroupList getGroupMemberList',
    'getGroupMemberProfile getGroupMessageReadMemberList getGroupOnlineMemberCount getGroupProfile',
    'getGroupProfileAdvance getPinnedGroupMessageList handleGroupApplication increaseGroupCounter',
    'initGroupAttributes joinGroup markGroupMemberList pinGroupMessage quitGroup searchGroupByID',
    'setGroupAttributes setGroupCounters setGroupMemberCustomField setGroupMemberMuteTime',
    'setGroupMemberNameCard setGroupMemberRole updateGroupProfile createTopicInCommunity',
    'deleteTopicFromCommunity getJoinedCommunityList getTopicList updateTopicProfile',
  ],
  'a friend list': [
    'acceptFriendApplication addFriend addToFriendGroup applyAddFriend checkFriend createFriendGroup',
    'deleteFriend deleteFriendApplication deleteFriendGroup deletePendency getFriendApplicationList',
    'getFriendGroupList getFriendList getFriendProfile getPendency getPendencyReport refuseFriendApplication',
    'removeFromFriendGroup renameFriendGroup replyPendency setFriendApplicationRead updateFriend',
    'checkFollowType followUser getMutualFollowersList getMyFollowersList getMyFollowingList getUserFollowInfo',
    'unfollowUser',
  ],
  'a label of a conversation': [
    'addConversationsToGroup createConversationGroup deleteConversationGroup deleteConversationsFromGroup',
    'getConversationGroupList markConversation renameConversationGroup setConversationCustomData',
    'setConversationDraft getAllReceiveMessageOpt setAllReceiveMessageOpt setMessageRemindType',
  ],
  'a change, receipt, extension or reaction of a message': [
    'addMessageReaction deleteMessageExtensions getAllUserListOfMessageReaction getMessageExtensions',
    'getMessageReactions getMessageReadReceiptList modifyMessage removeMessageReaction sendMessageReadReceipt',
    'setMessageExtensions',
  ],
  'this part of the history': ['clearHistoryMessage getMessageListHopping'],
  'a subscription to user status': ['setSelfStatus subscribeUserStatus unsubscribeUserStatus'],
  'a call': [
    'accept addSignalingListener cancel getSignalingInfo invite inviteInGroup inviteInGroupSync inviteSync',
    'modifyInvitation reject removeSignalingListener',
  ],
  'a search or translation': [
    'searchCloudGroupMembers searchCloudGroups searchCloudMessages searchCloudUsers translateText',
  ],
  'an internal API': ['callExperimentalAPI downloadLog'],
} as const;

type Served = typeof NOT_SERVED;

type Words<Line> = Line extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Line;

/** The name of a method that always rejects. */
export type UnsupportedName = Words<Served[keyof Served][number]> & string;

/** The methods that always reject, with code 2905. */
export type UnsupportedMethods = { [Name in UnsupportedName]: (...args: unknown[]) => Promise<never> };

/** Defines the methods that always reject on an object, which may be the prototype of a class. */
export function addUnsupported(target: object): void {
  for (const [what, lines] of Object.entries(NOT_SERVED)) {
    const instead = what === 'a media message' ? ' yet: upload it yourself and send its link as a custom message' : '';
    for (const name of lines.join(' ').split(' ')) {
      const message = `${name}: ${what} is not served by Hongyan${instead}, see docs/client.md`;
      Object.defineProperty(target, name, {
        value: () => Promise.reject(new ChatError(INVALID_OPERATION, message)),
        configurable: true,
        writable: true,
      });
    }
  }
}
