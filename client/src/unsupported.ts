/**
 * Every method of tim-wx-sdk 2.0.9 and 2.27.6 and of @tencentcloud/chat 3.6.6 that Hongyan does not serve. They exist
 * and answer in the way of the SDK, because a program that touches an undefined method dies without a reason: what is
 * asked for at start is an empty list, what is synchronous stays so, and the rest rejects.
 */

import { INVALID_OPERATION } from './codes.js';
import { ChatError } from './errors.js';

// What is not served, and which methods it is made of. Names in one text take less room than a text for each.
const NOT_SERVED = {
  'a merged message': ['downloadMergerMessage'],
  'this of a group': [
    'decreaseGroupCounter deleteGroupAttributes getGroupAttributes getGroupCounters getGroupMessageReadMemberList',
    'getGroupOnlineMemberCount getGroupProfileAdvance getPinnedGroupMessageList increaseGroupCounter initGroupAttributes',
    'markGroupMemberList pinGroupMessage setGroupAttributes setGroupCounters setGroupMemberCustomField',
    'createTopicInCommunity deleteTopicFromCommunity getTopicList updateTopicProfile',
  ],
  'a friend list': [
    'acceptFriendApplication addFriend addToFriendGroup applyAddFriend checkFriend createFriendGroup',
    'deleteFriend deleteFriendApplication deleteFriendGroup deletePendency getFriendProfile',
    'getPendency getPendencyReport refuseFriendApplication removeFromFriendGroup',
    'renameFriendGroup replyPendency setFriendApplicationRead updateFriend',
    'checkFollowType followUser getMutualFollowersList getMyFollowersList getMyFollowingList getUserFollowInfo',
    'unfollowUser',
  ],
  'a label of a conversation': [
    'addConversationsToGroup createConversationGroup deleteConversationGroup deleteConversationsFromGroup',
    'markConversation renameConversationGroup setConversationCustomData',
    'setConversationDraft getAllReceiveMessageOpt setAllReceiveMessageOpt',
  ],
  'a change, receipt, extension or reaction of a message': [
    'addMessageReaction deleteMessageExtensions getAllUserListOfMessageReaction getMessageExtensions',
    'getMessageReactions getMessageReadReceiptList modifyMessage removeMessageReaction sendMessageReadReceipt',
    'setMessageExtensions',
  ],
  'this part of the history': ['clearHistoryMessage getMessageListHopping'],
  'a status of one\'s own': ['setSelfStatus'],
  'a call': [
    'accept cancel invite inviteInGroup inviteInGroupSync inviteSync modifyInvitation reject',
  ],
  'a search or translation': [
    'searchCloudGroupMembers searchCloudGroups searchCloudMessages searchCloudUsers translateText convertVoiceToText',
  ],
  'an internal API': ['downloadLog'],
} as const;

type Served = typeof NOT_SERVED;

type Words<Line> = Line extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Line;

/** The name of a method that always rejects. */
export type UnsupportedName = Words<Served[keyof Served][number]> & string;

/** The methods that always reject, with code 2905. */
export type UnsupportedMethods = { [Name in UnsupportedName]: (...args: unknown[]) => Promise<never> };

/** What an app asks for at start, and there is none of. A record stands for what Hongyan has no type for yet. */
const EMPTY = {
  getJoinedCommunityList: () => ({ groupList: [] as Entry[] }),
  getFriendList: () => [] as Entry[],
  getFriendGroupList: () => [] as Entry[],
  getFriendApplicationList: () => ({ friendApplicationList: [] as Entry[], unreadCount: 0 }),
  getConversationGroupList: () => [] as string[],
} as const;

type Entry = Record<string, unknown>;

/** The methods whose list is always empty. */
export type EmptyMethods = {
  [Name in keyof typeof EMPTY]: (...args: unknown[]) => Promise<{ code: 0; data: ReturnType<(typeof EMPTY)[Name]> }>;
};

/** What is synchronous in the SDK too. */
export interface SynchronousMethods {
  /** No message is an invitation to a call. */
  getSignalingInfo(message: object): null;
  addSignalingListener(eventName: string, handler: Function, context?: unknown): void;
  removeSignalingListener(eventName: string, handler: Function, context?: unknown): void;
  /** What a key answers is the SDK's: a boolean, a promise or nothing. A key that means nothing here rejects with 2905. */
  callExperimentalAPI(key: string, options?: unknown): any;
}

const SYNCHRONOUS: SynchronousMethods = {
  getSignalingInfo: () => null,
  addSignalingListener() {},
  removeSignalingListener() {},
  callExperimentalAPI(key) {
    switch (key) {
      case 'isIntl':
      case 'canIUseModule':
        return false;
      case 'isCommercialAbilityEnabled':
        return Promise.resolve({ code: 0, data: { enabled: false } });
      // Statistics, which nobody keeps here.
      case 'isFeatureEnabledForStat':
      case 'statTUIKeyFeatures':
        return undefined;
      default:
        return refuse(String(key));
    }
  },
};

/** Rejects, with what is not served. */
export function refuse(what: string): Promise<never> {
  return Promise.reject(new ChatError(INVALID_OPERATION, `${what} is not served by Hongyan, see docs/client.md`));
}

/** Gives an object all of these methods. */
export function addUnsupported(target: object): void {
  const methods: Record<string, unknown> = { ...SYNCHRONOUS };
  for (const [name, data] of Object.entries(EMPTY)) methods[name] = () => Promise.resolve({ code: 0, data: data() });
  for (const [what, lines] of Object.entries(NOT_SERVED)) {
    for (const name of lines.join(' ').split(' ')) {
      methods[name] = () => refuse(what);
    }
  }
  Object.assign(target, methods);
}
