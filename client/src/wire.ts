// The frames on the socket: docs/protocol.md. Generated from shared/src/protocol by `make wire`
// (UPDATE=1 cargo test -p hongyan-shared); a test compares the two.

/** The largest frame that API Gateway takes, in bytes. */
export const MAX_FRAME_BYTES = 32768;

/** The frame of a reply. */
export type Reply = { action: string, requestID: string,
  /** 0, or what was refused. */
  code: number,
  /** What to do about it, empty when the code is 0. */
  message: string, data: object,
};

/** What a client is told besides code and text, to take the next step. */
export type ErrorData = {
  /** The newest number of the conversation, when `base` does not fit it. */
  lastSequence?: number,
  /** When there is room for the request, in seconds from now. */
  retryAfterSeconds?: number,
};

/** How much a message matters. Everything is delivered at once all the same: it is the clients' to use. */
export type Priority = "High" | "Normal" | "Low" | "Lowest";

/** What a message does not count for. */
export type MessageControlInfo = {
  /** It is never unread. */
  excludedFromUnreadCount?: boolean,
  /** No list shows it as the last message. */
  excludedFromLastMessage?: boolean,
};

/** What the sender wants done with a message besides having it delivered, wherever it is shown. What is
 * not set is left out. */
export type MessageOptions = {
  /** `Normal` unless it says otherwise. */
  priority?: Priority, needReadReceipt?: boolean, isSupportExtension?: boolean, messageControlInfo?: MessageControlInfo,
  /** It goes to those who are connected, and is not stored: its `sequence` is 0. */
  onlineUserOnly?: boolean,
};

/** A message on the wire, the same for all of its conversation. */
export type WireMessage = { from: string,
  /** The other user, or the group. */
  to: string, conversationType: "C2C" | "GROUP", clientID: string, sequence: number,
  /** Seconds, as everywhere in Tencent's API. */
  time: number, type: string, payload: Record<string, unknown>, cloudCustomData?: string,
  /** The sender's name for others to see, with a message that comes in. */
  nick?: string,
  /** The URL of the sender's picture, as well. */
  avatar?: string,
  /** The sender's name in the group, as well. */
  nameCard?: string,
  /** Whom it concerns by name: members of the group, `__kImSDK_MesssageAtALL__` for all of them. */
  atUserList?: Array<string>,
  /** The sender has recalled it. */
  isRevoked?: boolean,
  /** Who has recalled it, when that was not the sender. */
  revoker?: string,
  /** The business server has rewritten it before it was sent. */
  isModified?: boolean,
  /** `Normal` unless it says otherwise. */
  priority?: Priority, needReadReceipt?: boolean, isSupportExtension?: boolean, messageControlInfo?: MessageControlInfo,
  /** It goes to those who are connected, and is not stored: its `sequence` is 0. */
  onlineUserOnly?: boolean,
};

/** A conversation in the list. */
export type WireConversation = {
  /** `C2C` and the peer, or `GROUP` and the group. */
  conversationID: string,
  /** Which of the two. */
  type: "C2C" | "GROUP",
  /** The peer's messages behind what the user has read and cleared. */
  unreadCount: number,
  /** The newest message that the user has neither deleted nor cleared. */
  lastMessage?: WireMessage,
  /** The newest message's number, whatever the user has deleted. */
  lastSequence: number,
  /** How far the user has read. */
  readSequence: number,
  /** How far the peer has read. */
  peerReadSequence: number,
  /** The time of the message up to which the peer has read, in seconds. */
  peerReadTime: number,
  /** Up to which message the user has deleted the conversation. */
  clearedSequence: number,
  /** Up to which message the user has taken it out of the list, with its history kept. It is in the list when
   * there is a message behind. */
  unlistedSequence?: number,
  /** The user keeps it on top. */
  isPinned: boolean,
  /** Of a group: up to this message nothing is shown to the user, who came behind it. */
  joinedSequence?: number,
  /** Of a group: what it is, and what the user has of it. */
  groupProfile?: WireGroup,
  /** Of a group: the unread messages that concern the user by name, oldest first. */
  groupAtInfoList?: Array<GroupAtInfo>,
};

/** A gender. */
export type Gender = "Gender_Type_Unknown" | "Gender_Type_Female" | "Gender_Type_Male";

/** Who may become a friend. */
export type AllowType = "AllowType_Type_AllowAny" | "AllowType_Type_NeedConfirm" | "AllowType_Type_DenyAny";

/** Whether a user may ask others to become their friends. */
export type AdminForbid = "AdminForbid_Type_None" | "AdminForbid_Type_SendOut";

/** A field that the team has made up. */
export type CustomField = { key: string, value: string, };

/** The fields of a profile, each left out when it is not set: what `updateMyProfile` changes, and
 * what a profile shows. */
export type ProfileFields = { nick?: string, avatar?: string, gender?: Gender, selfSignature?: string, allowType?: AllowType, birthday?: number, location?: string, language?: number, messageSettings?: number, adminForbidType?: AdminForbid, level?: number, role?: number, profileCustomField?: Array<CustomField>, };

/** A user's profile. */
export type WireProfile = {
  /** The user. */
  userID: string,
  /** When it was changed, in seconds; 0 if it never was. */
  lastUpdatedTime: number, nick?: string, avatar?: string, gender?: Gender, selfSignature?: string, allowType?: AllowType, birthday?: number, location?: string, language?: number, messageSettings?: number, adminForbidType?: AdminForbid, level?: number, role?: number, profileCustomField?: Array<CustomField>,
};

/** Whether a user is online. */
export type UserStatus = { userID: string,
  /** 1 online, 2 offline. */
  statusType: number,
  /** Always empty for now. */
  customStatus: string,
};

/** A user for whom a part of a request was refused. */
export type FailedUser = { userID: string, code: number, message: string, };

/** What kind of group it is, by the names of Tencent's wire. */
export type GroupType = "Private" | "Public" | "ChatRoom";

/** What a member is, the highest last. */
export type Role = "Member" | "Admin" | "Owner";

/** How somebody comes into a public group of their own accord. */
export type JoinOption = "FreeAccess" | "NeedPermission" | "DisableApply";

/** Who may bring others into a public group or a meeting. */
export type InviteOption = "FreeAccess" | "DisableInvite";

/** What a member wants to hear of a group. */
export type RemindType = "AcceptAndNotify" | "AcceptNotNotify" | "Discard";

/** Somebody who is in a group from its beginning. */
export type FirstMember = { userID: string, role?: Role, };

/** A group on the wire. */
export type WireGroup = { groupID: string, type: GroupType, name: string, avatar?: string, introduction?: string, notification?: string,
  /** A Private group may have none. */
  ownerID?: string,
  /** Seconds. */
  createTime: number,
  /** When it last changed what it says about itself, in seconds. */
  lastInfoTime: number,
  /** How often it has done so. */
  infoSequence: number, memberCount: number, maxMemberCount: number, joinOption: JoinOption,
  /** Every member invites, or the owner and the admins do. */
  inviteOption: InviteOption,
  /** Only the owner and the admins may speak. */
  muteAllMembers?: boolean,
  /** The number that the next message gets. */
  nextMessageSeq: number,
  /** What the user has of it, if they are in it. */
  selfInfo?: SelfInfo,
};

/** What a member has of a group. */
export type SelfInfo = { role: Role,
  /** Seconds. */
  joinTime: number,
  /** By which name they go in it. */
  nameCard?: string, messageRemindType: RemindType,
};

/** A member of a group on the wire. */
export type WireMember = { userID: string, role: Role,
  /** Seconds. */
  joinTime: number,
  /** By which name they go in the group. */
  nameCard?: string,
  /** Until which second they may not speak. */
  muteUntil?: number,
};

/** A group for which a part of a request was refused. */
export type FailedGroup = { groupID: string, code: number, message: string, };

/** How an attempt to join has ended. */
export type JoinStatus = "JoinedSuccess" | "WaitAdminApproval" | "AlreadyInGroup";

/** Somebody who wants to join a group. */
export type WireApplication = {
  /** Who. */
  applicant: string,
  /** Which group. */
  groupID: string,
  /** What that is called. */
  groupName: string,
  /** What they say. */
  applyMessage: string,
  /** To be given back with the decision. */
  authentication: string,
  /** When they have applied, in milliseconds. */
  messageKey: number,
  /** They want to join themselves: 0. */
  applicationType: number,
  /** Who. */
  userID: string,
  /** When they have applied, in seconds. */
  time: number,
};

/** A notice on the wire. */
export type WireNotice = { operationType: number, groupID: string, groupName: string, type: GroupType, operatorID: string,
  /** Seconds. */
  time: number,
  /** What was said with it. */
  handleMessage?: string,
  /** Of an application: to be given back with the decision. */
  authentication?: string,
  /** Of an application: when it was made, in milliseconds. */
  messageKey?: number,
  /** What the user wants to hear now. */
  messageRemindType?: RemindType,
  /** What the business server says. */
  userDefinedField?: string,
};

/** A message that concerns the user by name, in the list. */
export type GroupAtInfo = { from: string, messageSequence: number,
  /** 1: the user, 2: all, 3: both. */
  atTypeArray: Array<number>,
};

/** A part of a conversation that is missing. */
export type RangeOf = { conversationID: string, fromSequence: number, toSequence: number, };

/** What there is of one of them. */
export type RangeInConversation = {
  /** The conversation. */
  conversationID: string,
  /** Oldest first. */
  messageList: Array<WireMessage>,
  /** Where to go on from, unless it is completed. */
  nextSequence: number,
  /** The range ends here. */
  isCompleted: boolean,
};

/** What a message of media carries. */
export type MediaKind = "image" | "audio" | "video" | "file";

/** The form of a preview. */
export type PreviewForm = {
  /** Where it will lie. */
  key: string,
  /** What shows it, once it is there. */
  mediaUrl: string,
  /** What is posted before the `file`. */
  fields: { [key in string]: string },
};

/** A frame that nobody asked for. The names are the official SDK's event values. */
export type Push = { "event": "onMessageReceived", "data": Array<WireMessage> } | { "event": "onMessageRevoked", "data": Array<WireMessage> } | { "event": "onMessageDeleted", "data": DeletedMessages } | { "event": "onMessageReadByPeer", "data": ReadByPeer } | { "event": "onConversationListUpdated", "data": Array<ConversationUpdate> } | { "event": "onProfileUpdated", "data": Array<WireProfile> } | { "event": "blacklistUpdated", "data": Array<string> } | { "event": "onGroupNotice", "data": WireNotice } | { "event": "onUserStatusUpdated", "data": Array<UserStatus> } | { "event": "kickedOut", "data": {
  /** Why. */
  type: KickedOut, } };

/** How far the peer has read. */
export type ReadByPeer = {
  /** The conversation in the eyes of the one who is told. */
  conversationID: string,
  /** The last message that the peer has read. */
  sequence: number,
  /** That message's time, in seconds. */
  time: number,
};

/** What a client knows a message by. */
export type MessageName = number | string;

/** Which messages are gone for the user: the reply to `deleteMessage`, and what other devices are told. */
export type DeletedMessages = {
  /** The conversation. */
  conversationID: string,
  /** The messages. */
  messages: Array<MessageName>,
};

/** What another device has changed. What it has not is left out. */
export type ConversationUpdate = {
  /** The conversation. */
  conversationID: string,
  /** How far the user has read. */
  readSequence?: number,
  /** What is left unread. */
  unreadCount?: number,
  /** Up to which message the user has deleted the conversation. */
  clearedSequence?: number,
  /** Up to which message the user has taken it out of the list, with its history kept. */
  unlistedSequence?: number,
  /** The user keeps it on top. */
  isPinned?: boolean,
};

/** Why a connection is kicked out. */
export type KickedOut = "multipleAccount" | "multipleDevice" | "REST_API_Kick";

/** `login`: with a `count` the reply has a page of the list, of so many conversations besides those that are pinned. */
export type Login = {
  /** How many conversations the page may hold. Without it there is none. */
  count?: number,
  /** The `serverTime` of the last reply behind which nothing is missing: the page has what changed since then. */
  since?: number,
  /** Conversations that the page has besides, whether they have changed or not: at most 50. */
  conversationIDList?: Array<string>,
};

/** The reply to `login`: what a client needs to start. */
export type LoginReply = {
  /** The user. */
  userID: string,
  /** The kind of device. */
  platform: string,
  /** Unix seconds. */
  serverTime: number,
  /** When a new UserSig is needed. */
  userSigExpireTime: number,
  /** When this connection was made. */
  connectedTime: number,
  /** How long a connection lasts at the most. */
  connectionSeconds: number,
  /** How often to say `ping`. */
  heartbeatSeconds: number,
  /** The most messages of a page. */
  pageSize: number,
  /** The most bytes of a message. */
  maxMessageBytes: number,
  /** For how long a message can be recalled. */
  recallSeconds: number,
  /** The version of the server, such as `1.2.3`. */
  version: string,
  /** What the user says about themselves, with the newest page. */
  profile?: WireProfile,
  /** A page of the list, if the request has a `count`. Left out as well when it is more than this request may
   * read: `getConversationList` has it. */
  conversationPage?: ConversationPage,
};

/** The data of an action or of a reply that has none. */
export type NoData = Record<string, never>;

/** `sendMessage`. */
export type SendMessage = { to: string, conversationType: string, clientID: string, base?: number, type: string, payload: Record<string, unknown>, cloudCustomData?: string,
  /** In a group: up to 15 members whom it concerns by name, `__kImSDK_MesssageAtALL__` for all of them. */
  atUserList?: Array<string>,
  /** `Normal` unless it says otherwise. */
  priority?: Priority, needReadReceipt?: boolean, isSupportExtension?: boolean, messageControlInfo?: MessageControlInfo,
  /** It goes to those who are connected, and is not stored: its `sequence` is 0. */
  onlineUserOnly?: boolean,
  /** What a notification is to be like, for the business server. */
  offlinePushInfo?: object,
};

/** The reply to `sendMessage` and to `revokeMessage`. */
export type MessageReply = {
  /** The message as it is now. */
  message: WireMessage,
};

/** `getMessageList`: a page of history going back, a range to fill a gap, or ranges of several conversations. */
export type GetMessageList = { conversationID?: string, nextReqMessageID?: string, count?: number, fromSequence?: number, toSequence?: number,
  /** Instead of all these: what is missing of several conversations, at most 100. */
  ranges?: Array<RangeOf>,
};

/** The reply to `getMessageList` for a page. */
export type MessagePage = {
  /** Oldest first. */
  messageList: Array<WireMessage>,
  /** What to ask for the page before this one with. Opaque. */
  nextReqMessageID: string,
  /** Nothing is before this page. */
  isCompleted: boolean,
};

/** The reply to `getMessageList` for a range. */
export type MessageRange = {
  /** Oldest first. */
  messageList: Array<WireMessage>,
  /** Where to go on from, unless it is completed. */
  nextSequence: number,
  /** The range ends here. */
  isCompleted: boolean,
};

/** The reply to `getMessageList` for several ranges. */
export type MessageRanges = {
  /** In the order asked for. What is not completed goes on at its `nextSequence`, with the next request. */
  rangeList: Array<RangeInConversation>,
};

/** `setMessageRead`. */
export type SetMessageRead = { conversationID: string, sequence?: number, };

/** The reply to `setMessageRead`. */
export type ReadReply = {
  /** The conversation. */
  conversationID: string,
  /** How far the user has read. */
  readSequence: number,
  /** What is left unread. */
  unreadCount: number,
};

/** `getConversationList`. */
export type GetConversationList = {
  /** Where the previous page ended, if that was not the end. */
  nextReqConversationID?: string,
  /** How many conversations the page may hold besides those that are pinned: 100 unless it is a number from 1 to 100. */
  count?: number,
  /** Instead of a page: these, at most 50. */
  conversationIDList?: Array<string>,
};

/** The reply to `getConversationList`, and what `login` says of the list. */
export type ConversationPage = {
  /** What is pinned, and then the rest, newest first. */
  conversationList: Array<WireConversation>,
  /** The peers in it who have a profile. */
  profileList: Array<WireProfile>,
  /** What to ask for the next part with. Opaque. */
  nextReqConversationID: string,
  /** There is no further part. */
  isCompleted: boolean,
  /** No conversation is missing that has a message from this second on or later; 0 if none is missing. */
  completeFrom: number,
  /** The user is in further groups, which the next part begins with. Groups come first, all of them. */
  groupsGoOn?: boolean,
};

/** `getUploadForm`. */
export type GetUploadForm = { kind: MediaKind,
  /** An extension, or the second half of a MIME type. */
  type: string,
  /** In bytes. */
  size: number, name?: string,
  /** The sizes of JPEG pictures to be uploaded beside it, in bytes. */
  previews?: Array<number>,
};

/** The reply to `getUploadForm`. */
export type UploadFormReply = {
  /** Where forms are posted. */
  url: string,
  /** Until when, in Unix seconds. */
  expires: number,
  /** Where it will lie. */
  key: string,
  /** What shows it, once it is there. */
  mediaUrl: string,
  /** What is posted before the `file`. */
  fields: { [key in string]: string },
  /** The same of each preview, in the order of the request. */
  previews: Array<PreviewForm>,
};

/** `revokeMessage`. */
export type RevokeMessage = { conversationID: string, sequence: number, };

/** `deleteMessage`. */
export type DeleteMessage = { conversationID: string, messages: Array<MessageName>, };

/** `deleteConversation`. */
export type DeleteConversation = { conversationID: string, sequence?: number,
  /** Its history goes as well, unless this is false. */
  clearHistoryMessage?: boolean,
};

/** The reply to `deleteConversation`. */
export type ClearedReply = {
  /** The conversation. */
  conversationID: string,
  /** The last message that is gone for the user. */
  clearedSequence: number,
  /** The last one that is gone from the list alone. */
  unlistedSequence?: number,
};

/** `pinConversation`. */
export type PinConversation = { conversationID: string, isPinned: boolean, };

/** The reply to `pinConversation`. */
export type PinnedReply = {
  /** The conversation. */
  conversationID: string,
  /** Whether it is on top now. */
  isPinned: boolean,
};

/** `createGroup`. */
export type CreateGroup = { groupID: string, type: string, name: string, avatar?: string, introduction?: string, notification?: string, joinOption?: string, inviteOption?: string, maxMemberNum?: number, memberList?: Array<FirstMember>, };

/** The reply to what changes a group. */
export type GroupReply = {
  /** The group as it is now. */
  group: WireGroup,
};

/** `joinGroup`. */
export type JoinGroup = { groupID: string, applyMessage?: string, clientID: string, base?: number, };

/** The reply to `joinGroup`. */
export type JoinReply = {
  /** How it has ended. */
  status: JoinStatus,
  /** The group as it is now. */
  group: WireGroup,
};

/** `quitGroup`. */
export type QuitGroup = { groupID: string, clientID: string, base?: number, };

/** `dismissGroup`. */
export type DismissGroup = { groupID: string, };

/** `addGroupMember` and `deleteGroupMember`. */
export type ChangeGroupMembers = { groupID: string,
  /** 1 to 6 users. */
  userIDList: Array<string>,
  /** Why, when they are put out. */
  reason?: string, clientID: string, base?: number,
};

/** The reply to `addGroupMember`. */
export type AddedMembers = {
  /** Who has come by it. */
  successUserIDList: Array<string>,
  /** Who was in it. */
  existedUserIDList: Array<string>,
  /** The group as it is now. */
  group: WireGroup,
};

/** The reply to `deleteGroupMember`. */
export type RemovedMembers = {
  /** Who has gone by it. */
  userIDList: Array<string>,
  /** The group as it is now. */
  group: WireGroup,
};

/** `getGroupProfile`. */
export type GetGroupProfile = {
  /** 1 to 20 groups. */
  groupIDList: Array<string>,
};

/** The reply to `getGroupProfile`. */
export type GroupList = {
  /** In the order asked for. */
  groupList: Array<WireGroup>,
  /** Those that are not there, or not for the user to see. */
  failureGroupList: Array<FailedGroup>,
};

/** `updateGroupProfile`. */
export type UpdateGroupProfile = { groupID: string, name?: string, avatar?: string, introduction?: string, notification?: string, joinOption?: string, inviteOption?: string, muteAllMembers?: boolean, maxMemberNum?: number, clientID: string, base?: number, };

/** `getGroupMemberList`. */
export type GetGroupMemberList = { groupID: string,
  /** How many members the page may have: 15 unless it is a number from 1 to 100. */
  count?: number,
  /** Where the previous page ended, if that was not the end. */
  next?: string,
  /** Only those who are this. */
  role?: Role,
};

/** The reply to `getGroupMemberList`. */
export type MemberList = {
  /** By their IDs. */
  memberList: Array<WireMember>,
  /** What to ask for the next page with; empty at the end. */
  next: string,
};

/** `getGroupMemberProfile`. */
export type GetGroupMemberProfile = { groupID: string,
  /** 1 to 50 users. */
  userIDList: Array<string>,
};

/** The reply to `getGroupMemberProfile`. */
export type MemberProfiles = {
  /** In the order asked for, without those who are not in it. */
  memberList: Array<WireMember>,
};

/** `setGroupMember`. */
export type SetGroupMember = { groupID: string,
  /** Whom it concerns: the user themselves unless it says otherwise. */
  userID?: string,
  /** What they are to be, if that is to change: Admin or Member. */
  role?: Role,
  /** For how many seconds they may not speak from now on, if that is to change; 0 lets them. */
  muteTime?: number,
  /** By which name they go in the group, if that is to change. */
  nameCard?: string,
  /** What the user themselves wants to hear of the group, if that is to change. */
  messageRemindType?: RemindType,
  /** For a role or a mute, of which there is a tip. */
  clientID?: string, base?: number,
};

/** The reply to `setGroupMember`. */
export type MemberReply = {
  /** The member as they are now. */
  member?: WireMember,
  /** What the user has of the group, when that has changed. */
  selfInfo?: SelfInfo,
};

/** `changeGroupOwner`. */
export type ChangeGroupOwner = { groupID: string, newOwnerID: string, clientID: string, base?: number, };

/** `handleGroupApplication`. */
export type HandleGroupApplication = { groupID: string,
  /** Who has applied. */
  userID: string,
  /** As the notice or the list of applications says. */
  authentication: string, handleAction: "Agree" | "Reject", handleMessage?: string, clientID: string, base?: number,
};

/** `getGroupApplicationList`. */
export type GetGroupApplicationList = {
  /** Where the previous reply ended, if that was not the end. */
  next?: string,
};

/** The reply to `getGroupApplicationList`. */
export type ApplicationList = {
  /** Of groups that the user looks after, by the IDs of those. */
  applicationList: Array<WireApplication>,
  /** What to ask for those of further groups with, if not all have been looked at. */
  next?: string,
};

/** `getUserProfile`, `getUserStatus`, `subscribeUserStatus`, `unsubscribeUserStatus`, `addToBlacklist`
 * and `removeFromBlacklist`. A change of the blacklist may name 15 users, one of what is watched 30,
 * `getUserStatus` 40 and `getUserProfile` 100. */
export type UserIdList = { userIDList: Array<string>, };

/** The reply to `getUserProfile`. */
export type ProfileList = {
  /** In the order asked for. */
  profileList: Array<WireProfile>,
};

/** The reply to `updateMyProfile`. */
export type ProfileReply = {
  /** The profile as it is now. */
  profile: WireProfile,
};

/** The reply to `getBlacklist`, `addToBlacklist` and `removeFromBlacklist`. */
export type BlacklistReply = {
  /** The whole list as it is now, sorted. */
  blacklist: Array<string>,
};

/** The reply to `getUserStatus`. */
export type StatusReply = {
  /** In the order asked for. */
  successUserList: Array<UserStatus>,
  /** Those whose status the user may not see. */
  failureUserList: Array<FailedUser>,
};

/** The reply to `subscribeUserStatus` and `unsubscribeUserStatus`. */
export type SubscriptionReply = {
  /** Those whose status the user may not see. */
  failureUserList: Array<FailedUser>,
};

/** Every action, what it takes, and what it answers. */
export interface Actions {
  login: { data: Login; reply: LoginReply };
  logout: { data: NoData; reply: NoData };
  sendMessage: { data: SendMessage; reply: MessageReply };
  getMessageList: { data: GetMessageList; reply: MessagePage | MessageRange | MessageRanges };
  setMessageRead: { data: SetMessageRead; reply: ReadReply };
  getConversationList: { data: GetConversationList; reply: ConversationPage };
  getUploadForm: { data: GetUploadForm; reply: UploadFormReply };
  revokeMessage: { data: RevokeMessage; reply: MessageReply };
  deleteMessage: { data: DeleteMessage; reply: DeletedMessages };
  deleteConversation: { data: DeleteConversation; reply: ClearedReply };
  pinConversation: { data: PinConversation; reply: PinnedReply };
  createGroup: { data: CreateGroup; reply: GroupReply };
  joinGroup: { data: JoinGroup; reply: JoinReply };
  quitGroup: { data: QuitGroup; reply: NoData };
  dismissGroup: { data: DismissGroup; reply: NoData };
  addGroupMember: { data: ChangeGroupMembers; reply: AddedMembers };
  deleteGroupMember: { data: ChangeGroupMembers; reply: RemovedMembers };
  getGroupProfile: { data: GetGroupProfile; reply: GroupList };
  updateGroupProfile: { data: UpdateGroupProfile; reply: GroupReply };
  getGroupMemberList: { data: GetGroupMemberList; reply: MemberList };
  getGroupMemberProfile: { data: GetGroupMemberProfile; reply: MemberProfiles };
  setGroupMember: { data: SetGroupMember; reply: MemberReply };
  changeGroupOwner: { data: ChangeGroupOwner; reply: GroupReply };
  handleGroupApplication: { data: HandleGroupApplication; reply: GroupReply };
  getGroupApplicationList: { data: GetGroupApplicationList; reply: ApplicationList };
  getUserProfile: { data: UserIdList; reply: ProfileList };
  updateMyProfile: { data: ProfileFields; reply: ProfileReply };
  getBlacklist: { data: NoData; reply: BlacklistReply };
  addToBlacklist: { data: UserIdList; reply: BlacklistReply };
  removeFromBlacklist: { data: UserIdList; reply: BlacklistReply };
  getUserStatus: { data: UserIdList; reply: StatusReply };
  subscribeUserStatus: { data: UserIdList; reply: SubscriptionReply };
  unsubscribeUserStatus: { data: UserIdList; reply: SubscriptionReply };
}
