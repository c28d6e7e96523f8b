/** What callers see. Nothing here exists at run time. */

import type { EVENT, TSignaling, TYPES } from './constants.js';
import type { EmptyMethods, SynchronousMethods, UnsupportedMethods } from './unsupported.js';

type Types = typeof TYPES;

/** What every promise resolves to. What it rejects with is a `ChatError`. */
export interface Result<T> {
  code: 0;
  data: T;
}

/** The data of an API that tells nothing but success. */
export type Nothing = Record<string, never>;

// Creating and logging in

/** What the package is. */
export interface TIMStatic {
  /** The same SDKAppID gives the same instance, until that one is destroyed. */
  create(options: CreateOptions): ChatSDK;
  readonly EVENT: typeof EVENT;
  readonly TYPES: typeof TYPES;
  readonly TSignaling: typeof TSignaling;
  /** The version of this package, not of the one it stands in for. */
  readonly VERSION: string;
}

export interface CreateOptions {
  SDKAppID: number;
  /** Your own server: wss://<host>/<stage>. There is no other: without one, `login` says so. */
  proxyServer?: string;
  /** So many conversations are loaded by themselves, the newest; 500 unless it is said. Others are found when they are needed. */
  conversationLimit?: number;
  /**
   * Keeps the list on the device, not encrypted, so that the next start shows it at once: in the storage of `wx`, or in
   * IndexedDB. A logout removes it.
   */
  cache?: boolean;
  /** This and the rest are accepted and mean nothing here. */
  oversea?: boolean;
  unlimitedAVChatRoom?: boolean;
  fileUploadProxy?: string;
  fileDownloadProxy?: string;
  devMode?: boolean;
  scene?: string;
}

export interface LoginOptions {
  userID: string;
  /** Signed by your own backend. It is never made on the device. */
  userSig: string;
}

export interface LoginData {
  actionStatus: 'OK';
  errorCode: 0;
  errorInfo: string;
  /** This user was logged in already. */
  repeatLogin?: boolean;
}

// Messages

export interface TextPayload {
  text: string;
}

export interface CustomPayload {
  data: string;
  description: string;
  extension: string;
}

export interface FacePayload {
  index: number;
  data: string;
}

export interface LocationPayload {
  description: string;
  longitude: number;
  latitude: number;
}

/** One of the three sizes of a picture. What is not known of it, or does not lie anywhere, is 0 or empty. */
export interface ImageInfo {
  /** 0 is the original, 1 the thumbnail and 2 the large one. */
  type: number;
  /** The same in the numbers of Tencent's REST API: 1, 3 and 2. */
  sizeType: number;
  /** In bytes. */
  size: number;
  width: number;
  height: number;
  /** Where it lies: on the device until it is sent. */
  url: string;
  /** The same. */
  imageUrl: string;
}

export interface ImagePayload {
  uuid: string;
  /** 1 is JPEG, 2 GIF, 3 PNG, 4 BMP, and 255 any other. */
  imageFormat: number | string;
  /**
   * Always three: the original, a thumbnail whose shorter side has 198 pixels, a large one of 720. A picture that is no
   * larger has the original in their places.
   */
  imageInfoArray: ImageInfo[];
}

export interface AudioPayload {
  uuid: string;
  /** Where it lies: on the device until it is sent. */
  url: string;
  /** The same, and empty until it is sent. */
  remoteAudioUrl: string;
  /** In bytes. */
  size: number;
  second: number;
  downloadFlag: number;
}

export interface VideoPayload {
  videoUUID: string;
  /** Where it lies: on the device until it is sent. */
  videoUrl: string;
  /** The same, and empty until it is sent. */
  remoteVideoUrl: string;
  /** `mp4`, say. */
  videoFormat: string;
  videoSecond: number;
  /** In bytes. */
  videoSize: number;
  thumbUUID: string;
  /** A picture of it, empty when there is none. */
  thumbUrl: string;
  thumbSize: number;
  thumbWidth: number;
  thumbHeight: number;
  /** This and the next two are the same picture under other names. */
  snapshotUrl: string;
  snapshotWidth: number;
  snapshotHeight: number;
}

export interface FilePayload {
  uuid: string;
  fileName: string;
  /** Where it lies: on the device until it is sent. */
  fileUrl: string;
  /** In bytes. */
  fileSize: number;
  downloadFlag: number;
}

export interface MergerPayload {
  title: string;
  abstractList: string[];
  compatibleText: string;
  messageList: Message[];
}

/** The payload that belongs to each `message.type`. */
export interface Payloads {
  TIMTextElem: TextPayload;
  TIMCustomElem: CustomPayload;
  TIMFaceElem: FacePayload;
  TIMLocationElem: LocationPayload;
  TIMImageElem: ImagePayload;
  TIMSoundElem: AudioPayload;
  TIMVideoFileElem: VideoPayload;
  TIMFileElem: FilePayload;
  TIMRelayElem: MergerPayload;
  TIMGroupTipElem: GroupTipPayload;
  TIMGroupSystemNoticeElem: GroupNoticePayload;
}

/** What has happened in a group, for all who are in it. */
export interface GroupTipPayload {
  /** One of TYPES.GRP_TIP_*. */
  operationType: number;
  operatorID: string;
  /** Whom it is about. */
  userIDList: string[];
  memberList: { userID: string; nick: string; avatar: string; muteTime?: number; reason?: string }[];
  /** How many members there are after it; 0 where it does not change. */
  memberNum: number;
  memberCount: number;
  groupProfile: { groupID: string; groupName: string; name: string };
  /** What has changed in the group: `groupName`, `ownerID`, `introduction` and so on. */
  newGroupProfile: Record<string, unknown>;
}

/** What has happened to this user in a group. */
export interface GroupNoticePayload {
  /**
   * 1 somebody applies, 2 an application was accepted and 3 rejected, 4 this user was put out, 5 the group was dismissed,
   * 6 created on another device, 7 this user was added, 8 has left on another device, 9 is an admin and 10 no longer.
   */
  operationType: number;
  operatorID: string;
  groupProfile: { groupID: string; groupName: string; name: string; type: string };
  handleMessage: string;
  userDefinedField: string;
  authentication: string;
  messageKey: number;
}

export type MessageType = keyof Payloads;
export type ConversationType = Types['CONV_C2C' | 'CONV_GROUP' | 'CONV_TOPIC' | 'CONV_SYSTEM'];
export type Priority = Types['MSG_PRIORITY_HIGH' | 'MSG_PRIORITY_NORMAL' | 'MSG_PRIORITY_LOW' | 'MSG_PRIORITY_LOWEST'];

/** A message of one type. Its own fields are plain data and survive `setData` and `JSON`. */
export interface MessageOf<Type extends MessageType> {
  /** Given when the message is built, and the same for ever and for everybody. */
  ID: string;
  type: Type;
  /** Of a revoked message, the same fields with empty values. */
  payload: Payloads[Type];
  conversationID: string;
  conversationType: ConversationType;
  conversationSubType: string;
  from: string;
  to: string;
  flow: 'in' | 'out';
  /** In seconds. */
  time: number;
  /** Its number in the conversation, and 0 before it is sent. */
  sequence: number;
  status: 'unSend' | 'success' | 'fail';
  priority: Priority;
  cloudCustomData: string;
  nick: string;
  avatar: string;
  nameCard: string;
  atUserList: string[];
  isRead: boolean;
  isPeerRead: boolean;
  isRevoked: boolean;
  isDeleted: boolean;
  isModified: boolean;
  isResend: boolean;
  isPlaceMessage: number;
  isSystemMessage: boolean;
  isBroadcastMessage: boolean;
  isSupportExtension: boolean;
  hasRiskContent: boolean;
  /** It went to those who were connected, and is not stored: its `sequence` is 0. */
  onlineOnlyFlag: boolean;
  /** What it does not count for. */
  messageControlInfo: { excludedFromUnreadCount: boolean; excludedFromLastMessage: boolean };
  needReadReceipt: boolean;
  readReceiptInfo: { readCount: number; unreadCount: number; isPeerRead: boolean };
  revoker: string;
  revokerInfo: { userID: string; nick: string; avatar: string };
  revokeReason: string;
  clientSequence: number;
  clientTime: number;
  random: number;
  senderTinyID: string;
  protocol: string;
  version: number;
  /** Derived from type and payload, and not a field of its own. */
  readonly elements: MessageElement[];
  getElements(): MessageElement[];
}

/** Any message: what `type` is says what `payload` is. */
export type Message = { [Type in MessageType]: MessageOf<Type> }[MessageType];

/** For those who hang fields of their own on a message: `(message as MutableMessage).percent = 50`. */
export type MutableMessage = Message & { [field: string]: unknown };

export interface MessageElement {
  type: MessageType;
  content: Payloads[MessageType];
}

/** What every builder takes. */
export interface MessageOptions<Payload> {
  to: string;
  /** TYPES.CONV_C2C or CONV_GROUP. A program has it from its own data, so any text compiles. */
  conversationType: string;
  payload: Payload;
  cloudCustomData?: string;
  priority?: Priority;
  needReadReceipt?: boolean;
  receiverList?: string[];
  isSupportExtension?: boolean;
}

export type CreateTextMessageOptions = MessageOptions<TextPayload>;
/** Whom it concerns by name: members of the group, or TYPES.MSG_AT_ALL for all of them. 15 at most. */
export type CreateTextAtMessageOptions = MessageOptions<TextPayload & { atUserList: string[] }>;
export type CreateCustomMessageOptions = MessageOptions<Partial<CustomPayload>>;
export type CreateFaceMessageOptions = MessageOptions<FacePayload>;
export type CreateLocationMessageOptions = MessageOptions<LocationPayload>;

/** A file as a browser has it: a `File`, or a `Blob`. */
export interface BrowserFile {
  readonly size: number;
  readonly type: string;
  readonly name?: string;
  /** Of a recorder: in milliseconds for a sound, and in seconds for a video. */
  readonly duration?: number;
  slice(start?: number, end?: number): unknown;
}

/** A file as a chooser or a recorder of WeChat has it. */
export interface ChosenFile {
  /** Where it lies on the device, under one of two names. */
  tempFilePath?: string;
  path?: string;
  /** In bytes, under one of two names. */
  size?: number;
  fileSize?: number;
  name?: string;
  /** In milliseconds for a sound, and in seconds for a video. */
  duration?: number;
  width?: number;
  height?: number;
  /** A picture of a video. */
  thumbTempFilePath?: string;
}

/**
 * What is sent: the result of `wx.chooseImage`, `chooseMedia`, `chooseVideo`, `chooseMessageFile` or of a recorder's
 * `onStop`, of the same calls of uni-app, an `<input type="file">`, or a `File`. Of several files it is the first.
 */
export type MediaFile = BrowserFile | (ChosenFile & {
  readonly tempFiles?: readonly (ChosenFile | BrowserFile)[] | ChosenFile | BrowserFile;
  readonly tempFilePaths?: readonly string[] | string;
  readonly tempFile?: BrowserFile;
  readonly files?: { readonly length: number; readonly [index: number]: BrowserFile } | null;
});

/** For a picture, a sound, a video or another file. It is uploaded when the message is sent. */
export interface CreateMediaMessageOptions extends MessageOptions<{ file: MediaFile }> {
  /** How much of it is uploaded, from 0 to 1. It never goes back while the message is being sent. */
  onProgress?: (percent: number) => void;
}

/** What forwards a message that was sent, with its own `cloudCustomData` unless it says another. */
export type CreateForwardMessageOptions = MessageOptions<Message>;

/** For what can be built, and fails when it is sent. */
export type CreateUnservedMessageOptions = MessageOptions<object>;

export interface SendOptions {
  /** It goes to those who are connected, is not stored, and counts for nothing: a hint that somebody is typing. */
  onlineUserOnly?: boolean;
  /** What a notification is to be like. It is for your own server: see docs/rest.md. */
  offlinePushInfo?: object;
  messageControlInfo?: { excludedFromUnreadCount?: boolean; excludedFromLastMessage?: boolean };
}

export interface MessageListOptions {
  conversationID: string;
  /** From the page before this one. */
  nextReqMessageID?: string;
  /** 15 at most, which is the default. */
  count?: number;
}

export interface MessageListData {
  /** The oldest comes first. */
  messageList: Message[];
  nextReqMessageID: string;
  isCompleted: boolean;
}

// Conversations

/** The newest message of a conversation, as a list shows it. */
export interface LastMessage {
  lastTime: number;
  lastSequence: number;
  /** 0 when there is no message. */
  fromAccount: string | 0;
  messageForShow: string;
  type: MessageType | '';
  payload: Payloads[MessageType] | null;
  cloudCustomData: string;
  isRevoked: boolean;
  isPeerRead: boolean;
  onlineOnlyFlag: boolean;
  nick: string;
  nameCard: string;
  version: number;
  revoker: string;
}

export interface Conversation {
  conversationID: string;
  type: ConversationType;
  subType: string;
  toAccount: string;
  unreadCount: number;
  lastMessage: LastMessage;
  userProfile: Profile;
  /** Of a group; an empty object of a conversation of two. */
  groupProfile: Group;
  groupAtInfoList: GroupAtInfo[];
  remark: string;
  isPinned: boolean;
  messageRemindType: string;
  markList: number[];
  customData: string;
  conversationGroupList: string[];
  peerReadTime: number;
  draftText: string;
}

/** An unread message that concerns this user by name. */
export interface GroupAtInfo {
  from: string;
  groupID: string;
  topicID: string;
  messageSequence: number;
  /** 1 is this user, 2 everybody, 3 both. */
  atTypeArray: number[];
}

export interface ConversationFilter {
  type?: ConversationType;
  markType?: number;
  groupName?: string;
  hasUnreadCount?: boolean;
  hasGroupAtInfo?: boolean;
  /** Loads a page of older conversations first, if there is one. Not in the SDK. */
  loadOlder?: boolean;
}

export interface ConversationListData {
  conversationList: Conversation[];
  isSyncCompleted: boolean;
}

// Users

export type Gender = Types['GENDER_UNKNOWN' | 'GENDER_FEMALE' | 'GENDER_MALE'];
export type AllowType = Types['ALLOW_TYPE_ALLOW_ANY' | 'ALLOW_TYPE_NEED_CONFIRM' | 'ALLOW_TYPE_DENY_ANY'];
export type ForbidType = Types['FORBID_TYPE_NONE' | 'FORBID_TYPE_SEND_OUT'];

/** What users may change of their own profiles. */
export interface ProfileFields {
  nick: string;
  avatar: string;
  gender: Gender;
  selfSignature: string;
  allowType: AllowType;
  birthday: number;
  location: string;
  language: number;
  messageSettings: number;
  adminForbidType: ForbidType;
  level: number;
  role: number;
  profileCustomField: { key: string; value: string }[];
}

export interface Profile extends ProfileFields {
  userID: string;
  /** In seconds, and 0 for somebody who has never had a profile. */
  lastUpdatedTime: number;
}

export interface UserStatus {
  userID: string;
  /** One of TYPES.USER_STATUS_*. */
  statusType: number;
  customStatus: string;
}

export interface UserStatusData {
  successUserList: UserStatus[];
  failureUserList: { userID: string; code: number; message: string }[];
}

export interface SubscriptionData {
  failureUserList: { userID: string; code: number; message: string }[];
}

export interface UserList {
  userIDList: string[];
}

// Groups

export type GroupType = Types['GRP_WORK' | 'GRP_PUBLIC' | 'GRP_MEETING'];
export type GroupRole = Types['GRP_MBR_ROLE_OWNER' | 'GRP_MBR_ROLE_ADMIN' | 'GRP_MBR_ROLE_MEMBER'];
export type JoinOption = Types['JOIN_OPTIONS_FREE_ACCESS' | 'JOIN_OPTIONS_NEED_PERMISSION' | 'JOIN_OPTIONS_DISABLE_APPLY'];
export type RemindType = Types['MSG_REMIND_ACPT_AND_NOTE' | 'MSG_REMIND_ACPT_NOT_NOTE' | 'MSG_REMIND_DISCARD'];

/** What a group says about itself, in its limits of bytes. */
export interface GroupFields {
  /** 30. */
  name: string;
  /** A URL of 100. */
  avatar: string;
  /** 240. */
  introduction: string;
  /** 300. */
  notification: string;
  /** Of a public group. */
  joinOption: JoinOption;
  /** Whether every member may invite (`FreeAccess`), or owner and admins (`DisableInvite`). */
  inviteOption: string;
  /** From 2 to 200, which it is unless it is said. */
  maxMemberNum: number;
}

export interface Group extends GroupFields {
  groupID: string;
  type: GroupType;
  /** Empty when there is none. */
  ownerID: string;
  createTime: number;
  infoSequence: number;
  lastInfoTime: number;
  /** What this user is in it; `role` is empty when they are not in it. */
  selfInfo: {
    userID: string;
    role: GroupRole | '';
    messageRemindType: RemindType;
    joinTime: number;
    nameCard: string;
    memberCustomField: object[];
    readedSequence: number;
    excludedUnreadSequenceList: number[];
  };
  lastMessage: { lastTime: number; lastSequence: number; fromAccount: string; messageForShow: string };
  nextMessageSeq: number;
  memberCount: number;
  /** The same. */
  memberNum: number;
  maxMemberCount: number;
  muteAllMembers: boolean;
  groupCustomField: object[];
  isSupportTopic: boolean;
}

export interface GroupMember {
  userID: string;
  avatar: string;
  nick: string;
  role: GroupRole;
  joinTime: number;
  lastSendMsgTime: number;
  nameCard: string;
  /** In seconds; 0 when they are not muted. */
  muteUntil: number;
  memberCustomField: object[];
}

export interface GroupApplication {
  applicant: string;
  applicantNick: string;
  groupID: string;
  groupName: string;
  applyMessage: string;
  authentication: string;
  messageKey: number;
  applicationType: number;
  userID: string;
}

export interface CreateGroupOptions extends Partial<GroupFields> {
  name: string;
  /** TYPES.GRP_WORK unless it is said. Rooms and communities are refused with 2600. */
  type?: string;
  /** One is made up unless it is said: up to 48 printable ASCII characters, not beginning with `@TGS#`. */
  groupID?: string;
  memberList?: { userID: string; role?: string }[];
}

export interface MemberListOptions {
  groupID: string;
  /** 15 unless it is said, and 100 at most. */
  count?: number;
  /** That of the page before this one. */
  offset?: number;
  role?: string;
}

// Events

export type EventName = (typeof EVENT)[keyof typeof EVENT];
export type NetState = Types['NET_STATE_CONNECTED' | 'NET_STATE_CONNECTING' | 'NET_STATE_DISCONNECTED'];
export type KickedOutType = Types[
  'KICKED_OUT_MULT_ACCOUNT' | 'KICKED_OUT_MULT_DEVICE' | 'KICKED_OUT_USERSIG_EXPIRED' | 'KICKED_OUT_REST_API'
];

/** The events that are fired, and their data. */
interface FiredEvents {
  sdkStateReady: undefined;
  sdkStateNotReady: undefined;
  sdkDestroy: undefined;
  onMessageReceived: Message[];
  onMessageRevoked: Message[];
  onMessageModified: Message[];
  onMessageReadByPeer: Message[];
  onConversationListUpdated: Conversation[];
  onTotalUnreadMessageCountUpdated: number;
  onGroupListUpdated: Group[];
  onProfileUpdated: Profile[];
  onUserStatusUpdated: UserStatus[];
  blacklistUpdated: string[];
  kickedOut: { type: KickedOutType };
  error: { code: number; message: string };
  netStateChange: { state: NetState };
}

/** The data of every event. Those of `unknown` data can be listened to, and are never fired. */
export type EventMap = FiredEvents & { [Name in Exclude<EventName, keyof FiredEvents>]: unknown };

/** What a handler is called with. */
export interface ChatEvent<Name extends EventName> {
  name: Name;
  data: EventMap[Name];
}

export type ChatEventHandler<Name extends EventName> = (event: ChatEvent<Name>) => void;

// The instance

/** What `TIM.create` returns. The methods it has besides, which always reject, are in `UnsupportedMethods`. */
export interface ChatSDK extends UnsupportedMethods, EmptyMethods, SynchronousMethods {
  /** Any key is accepted, and nothing is done with it: files are uploaded without a plugin. */
  registerPlugin(plugins: object): void;
  /** The same for @tencentcloud/lite-chat: a plugin or a list of them, and nothing is done with it. */
  use(plugin: unknown, subPlugins?: unknown[]): void;
  /** 0 is everything, 4 is nothing. */
  setLogLevel(level: number): void;
  on<Name extends EventName>(name: Name, handler: ChatEventHandler<Name>, context?: unknown): void;
  once<Name extends EventName>(name: Name, handler: ChatEventHandler<Name>, context?: unknown): void;
  off<Name extends EventName>(name: Name, handler: ChatEventHandler<Name>, context?: unknown): void;

  login(options: LoginOptions): Promise<Result<LoginData>>;
  logout(): Promise<Result<Nothing>>;
  destroy(): Promise<Result<Nothing>>;
  isReady(): boolean;
  /** The name of `isReady` in 2.0.9. With a callback, that is called once it is so. */
  ready(callback?: () => void): boolean;
  /** Empty when nobody is logged in. */
  getLoginUser(): string;
  /** In seconds. */
  getServerTime(): number;

  createTextMessage(options: CreateTextMessageOptions): Message;
  createCustomMessage(options: CreateCustomMessageOptions): Message;
  createFaceMessage(options: CreateFaceMessageOptions): Message;
  createLocationMessage(options: CreateLocationMessageOptions): Message;
  /** At most 20 MB of JPEG, PNG, GIF, BMP or WebP. A file that cannot be sent is told by `sendMessage`, here and in the next. */
  createImageMessage(options: CreateMediaMessageOptions): Message;
  /** At most 20 MB of MP3, AAC, M4A, WAV, AMR, Ogg or WebM. */
  createAudioMessage(options: CreateMediaMessageOptions): Message;
  /** At most 100 MB of MP4 or QuickTime. */
  createVideoMessage(options: CreateMediaMessageOptions): Message;
  /** At most 100 MB of anything. */
  createFileMessage(options: CreateMediaMessageOptions): Message;
  /** `payload` is the message. Its file is not uploaded again. */
  createForwardMessage(options: CreateForwardMessageOptions): Message;
  createTextAtMessage(options: CreateTextAtMessageOptions): Message;
  /** A message that fails with 2905 when it is sent. */
  createMergerMessage(options: CreateUnservedMessageOptions): Message;
  sendMessage(message: Message, options?: SendOptions): Promise<Result<{ message: Message }>>;
  resendMessage(message: Message, options?: SendOptions): Promise<Result<{ message: Message }>>;
  revokeMessage(message: Message): Promise<Result<{ message: Message }>>;
  deleteMessage(messages: Message[]): Promise<Result<{ messageList: Message[] }>>;
  findMessage(messageID: string): Message | null;
  getMessageList(options: MessageListOptions): Promise<Result<MessageListData>>;
  setMessageRead(options: { conversationID: string }): Promise<Result<Nothing>>;
  setAllMessageRead(options?: {
    scope?: Types['READ_ALL_C2C_MSG' | 'READ_ALL_GROUP_MSG' | 'READ_ALL_MSG'];
  }): Promise<Result<Nothing>>;

  getConversationList(filter?: string[] | ConversationFilter): Promise<Result<ConversationListData>>;
  getConversationProfile(conversationID: string): Promise<Result<{ conversation: Conversation }>>;
  deleteConversation(conversationID: string): Promise<Result<{ conversationID: string }>>;
  deleteConversation(options: {
    conversationIDList: string[];
    clearHistoryMessage?: boolean;
  }): Promise<Result<{ conversationIDList: string[] }>>;
  pinConversation(options: {
    conversationID: string;
    isPinned: boolean;
  }): Promise<Result<{ conversationID: string }>>;
  getTotalUnreadMessageCount(): number;

  /**
   * In every group method a list of users may be of any length: it is sent in parts of six. Six of those who come with the
   * group can be admins; `overLimitUserIDList` has those who could not be brought.
   */
  createGroup(options: CreateGroupOptions): Promise<Result<{ group: Group; overLimitUserIDList: string[] }>>;
  joinGroup(options: {
    groupID: string;
    applyMessage?: string;
    type?: string;
  }): Promise<Result<{ status: Types['JOIN_STATUS_SUCCESS' | 'JOIN_STATUS_ALREADY_IN_GROUP' | 'JOIN_STATUS_WAIT_APPROVAL']; group: Group }>>;
  quitGroup(groupID: string): Promise<Result<{ groupID: string }>>;
  dismissGroup(groupID: string): Promise<Result<{ groupID: string }>>;
  searchGroupByID(groupID: string): Promise<Result<{ group: Group }>>;
  getGroupList(options?: object): Promise<Result<{ groupList: Group[] }>>;
  getGroupProfile(options: { groupID: string }): Promise<Result<{ group: Group }>>;
  updateGroupProfile(options: Partial<GroupFields> & { groupID: string; muteAllMembers?: boolean }): Promise<Result<{ group: Group }>>;
  changeGroupOwner(options: { groupID: string; newOwnerID: string }): Promise<Result<{ group: Group }>>;
  addGroupMember(options: UserList & { groupID: string }): Promise<Result<{
    successUserIDList: string[];
    failureUserIDList: string[];
    existedUserIDList: string[];
    overLimitUserIDList: string[];
    group: Group;
  }>>;
  deleteGroupMember(options: UserList & { groupID: string; reason?: string }): Promise<Result<{ group: Group; userIDList: string[] }>>;
  /** `offset` is 0 at the end. */
  getGroupMemberList(options: MemberListOptions): Promise<Result<{ memberList: GroupMember[]; offset: number }>>;
  getGroupMemberProfile(options: UserList & { groupID: string }): Promise<Result<{ memberList: GroupMember[] }>>;
  setGroupMemberRole(options: { groupID: string; userID: string; role: string }): Promise<Result<{ group: Group; member: GroupMember }>>;
  /** `muteTime` is in seconds, and 0 ends it. */
  setGroupMemberMuteTime(options: {
    groupID: string;
    userID: string;
    muteTime: number;
  }): Promise<Result<{ group: Group; member: GroupMember }>>;
  setGroupMemberNameCard(options: {
    groupID: string;
    userID?: string;
    nameCard: string;
  }): Promise<Result<{ group: Group; member: GroupMember }>>;
  /** Of a group; of users it is not served (2905). */
  setMessageRemindType(options: { groupID: string; messageRemindType: string }): Promise<Result<{ group: Group }>>;
  getGroupApplicationList(): Promise<Result<{ applicationList: GroupApplication[] }>>;
  /** Of the message that told of it, or from the list. */
  handleGroupApplication(options: {
    handleAction: 'Agree' | 'Reject';
    handleMessage?: string;
    message?: Message;
    application?: GroupApplication;
  }): Promise<Result<{ group: Group }>>;

  getMyProfile(): Promise<Result<Profile>>;
  getUserProfile(options: UserList): Promise<Result<Profile[]>>;
  updateMyProfile(options: Partial<ProfileFields>): Promise<Result<Profile>>;
  getBlacklist(): Promise<Result<string[]>>;
  addToBlacklist(options: UserList): Promise<Result<string[]>>;
  removeFromBlacklist(options: UserList): Promise<Result<string[]>>;
  getUserStatus(options: UserList): Promise<Result<UserStatusData>>;
  /** From now on `USER_STATUS_UPDATED` says how it stands with them, 200 at the most. */
  subscribeUserStatus(options: UserList): Promise<Result<SubscriptionData>>;
  /** Without a list, of everybody. */
  unsubscribeUserStatus(options?: Partial<UserList>): Promise<Result<SubscriptionData>>;
}
