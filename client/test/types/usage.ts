// What compiles, and what must not: a line under @ts-expect-error that compiles is itself an error.

import TIM, { type ChatError, type Conversation, type Message, type MutableMessage } from '../../src/index.js';

const tim = TIM.create({ SDKAppID: 1400000000, proxyServer: 'wss://im.example.com/v1', oversea: false });
TIM.create({ SDKAppID: 1400000000, conversationLimit: Infinity, cache: true });
const { CONV_C2C, CONV_GROUP } = TIM.TYPES;

// Without a server it compiles, and login says what is missing.
TIM.create({ SDKAppID: 1400000000 });
// @ts-expect-error but nothing is created without a number
TIM.create({ proxyServer: 'wss://im.example.com/v1' });
// @ts-expect-error the number is a number
TIM.create({ SDKAppID: '1400000000', proxyServer: 'wss://im.example.com/v1' });
// @ts-expect-error a misspelt option
TIM.create({ SDKAppID: 1400000000, proxyServer: 'wss://im.example.com/v1', proxyServers: '' });

tim.registerPlugin({ 'tim-upload-plugin': {} });
tim.setLogLevel(1);
// @ts-expect-error a level is a number
tim.setLogLevel('none');

// Events

tim.on(TIM.EVENT.MESSAGE_RECEIVED, (event) => {
  const messages: Message[] = event.data;
  const name: 'onMessageReceived' = event.name;
});
tim.on('sdkStateReady', () => {}, {});
tim.once(TIM.EVENT.KICKED_OUT, ({ data }) => data.type === TIM.TYPES.KICKED_OUT_MULT_ACCOUNT);
tim.off(TIM.EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, ({ data }) => data.toFixed());
const onList = ({ data }: { data: Conversation[] }): void => void data.sort();
tim.on(TIM.EVENT.CONVERSATION_LIST_UPDATED, onList);
tim.off(TIM.EVENT.CONVERSATION_LIST_UPDATED, onList, tim);
// Listening to what is never fired is no error, because programs that do so shall run.
tim.on(TIM.EVENT.GROUP_LIST_UPDATED, () => {});

// @ts-expect-error no such event
tim.on('onMessageRecieved', () => {});
// @ts-expect-error no such name
tim.on(TIM.EVENT.MESSAGE_RECIEVED, () => {});
// @ts-expect-error the data of this event are messages
tim.on(TIM.EVENT.MESSAGE_RECEIVED, (event) => event.data.type);
// @ts-expect-error the data of this event is a number
tim.on(TIM.EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, onList);
// @ts-expect-error no handler
tim.on(TIM.EVENT.SDK_READY);

// Builders

const text = tim.createTextMessage({ to: 'bob', conversationType: CONV_C2C, payload: { text: '你好' } });
const custom = tim.createCustomMessage({
  to: 'bob', conversationType: 'C2C', payload: { data: '{}', description: '', extension: '' }, cloudCustomData: '{}',
});
tim.createCustomMessage({ to: 'bob', conversationType: CONV_C2C, payload: { data: 'only this' } });
tim.createFaceMessage({ to: 'bob', conversationType: CONV_C2C, payload: { index: 1, data: '[smile]' } });
tim.createLocationMessage({
  to: 'bob', conversationType: CONV_C2C, payload: { description: '西湖', longitude: 120.15, latitude: 30.25 },
});

// What a program reads from its own data is a plain text.
tim.createTextMessage({ to: 'bob', conversationType: CONV_C2C as string, payload: { text: '' } });
// What has a file; see beside this for what a mini-program and a browser hand over.
const picture: Message = tim.createImageMessage({
  to: 'bob', conversationType: CONV_C2C, payload: { file: { tempFilePath: 'wxfile://1.png', size: 5 } }, onProgress: (percent) => percent.toFixed(),
});
// What can only be built.
const mention: Message = tim.createTextAtMessage({
  to: 'group', conversationType: CONV_GROUP, payload: { text: '@all', atUserList: [TIM.TYPES.MSG_AT_ALL] },
});
// What forwards another message.
const forwarded: Message = tim.createForwardMessage({ to: 'bob', conversationType: CONV_C2C, payload: picture });
// What is synchronous, and what is empty.
const invitation: null = tim.getSignalingInfo(mention);
tim.addSignalingListener(TIM.TSignaling.NEW_INVITATION_RECEIVED, () => {});
tim.use([{ name: 'group' }], []);
const isThere: boolean = tim.callExperimentalAPI('canIUseModule', ['group-module']);

// @ts-expect-error to whom?
tim.createTextMessage({ conversationType: CONV_C2C, payload: { text: '' } });
// @ts-expect-error a userID is a text
tim.createTextMessage({ to: 7, conversationType: CONV_C2C, payload: { text: '' } });
// @ts-expect-error a type is a text
tim.createTextMessage({ to: 'bob', conversationType: 1, payload: { text: '' } });
// @ts-expect-error no payload
tim.createTextMessage({ to: 'bob', conversationType: CONV_C2C });
// @ts-expect-error the payload of another builder
tim.createTextMessage({ to: 'bob', conversationType: CONV_C2C, payload: { data: '' } });
// @ts-expect-error the payload of another builder
tim.createCustomMessage({ to: 'bob', conversationType: CONV_C2C, payload: { text: '' } });
// @ts-expect-error an index is a number
tim.createFaceMessage({ to: 'bob', conversationType: CONV_C2C, payload: { index: '1', data: '' } });
// @ts-expect-error half a place
tim.createLocationMessage({ to: 'bob', conversationType: CONV_C2C, payload: { description: '', longitude: 1 } });

// Messages

function show(message: Message): string {
  message.status = 'success';
  (message as MutableMessage).percent = 50;
  if (message.type === TIM.TYPES.MSG_CUSTOM) return message.payload.description;
  // @ts-expect-error it may be of any other type, not all of which have a text
  if (message.payload.text) return '';
  // @ts-expect-error fields of one's own need MutableMessage
  message.percent = 50;
  // @ts-expect-error no such status
  message.status = 'sent';
  return message.type === 'TIMTextElem' ? message.payload.text : message.elements[0]?.type ?? '';
}

// Calls

async function calls(): Promise<void> {
  const login = await tim.login({ userID: 'alice', userSig: '' });
  const repeated: boolean | undefined = login.data.repeatLogin;
  const code: 0 = login.code;
  const me: string = tim.getLoginUser();
  const ready: boolean = tim.isReady() && tim.ready();
  const { data: { message } } = await tim.sendMessage(text, { messageControlInfo: { excludedFromUnreadCount: true } });
  const same: Message = message;
  await tim.resendMessage(custom);
  await tim.revokeMessage(message);
  const { data: { messageList } } = await tim.deleteMessage([message]);
  const found: Message | null = tim.findMessage(message.ID);
  const page = await tim.getMessageList({ conversationID: 'C2Cbob', nextReqMessageID: '', count: 15 });
  const lines: string[] = page.data.messageList.map(show);
  const done: boolean = page.data.isCompleted;
  await tim.setMessageRead({ conversationID: 'C2Cbob' });
  await tim.setAllMessageRead();
  await tim.setAllMessageRead({ scope: TIM.TYPES.READ_ALL_C2C_MSG });
  const all = await tim.getConversationList();
  await tim.getConversationList(['C2Cbob']);
  await tim.getConversationList({ type: CONV_C2C, hasUnreadCount: true });
  await tim.getConversationList({ loadOlder: true });
  const nicks: string[] = all.data.conversationList.map((each) => each.userProfile.nick + each.lastMessage.messageForShow);
  const one: Conversation = (await tim.getConversationProfile('C2Cbob')).data.conversation;
  const deleted: string = (await tim.deleteConversation('C2Cbob')).data.conversationID;
  const several: string[] = (await tim.deleteConversation({ conversationIDList: ['C2Cbob'] })).data.conversationIDList;
  await tim.pinConversation({ conversationID: 'C2Cbob', isPinned: true });
  const unread: number = tim.getTotalUnreadMessageCount();
  const { data: profile } = await tim.getMyProfile();
  const birthday: number = profile.birthday;
  const users: string[] = (await tim.getUserProfile({ userIDList: ['bob'] })).data.map((each) => each.nick);
  await tim.updateMyProfile({ nick: 'Alice', gender: TIM.TYPES.GENDER_FEMALE });
  const black: string[] = (await tim.addToBlacklist({ userIDList: ['bob'] })).data;
  await tim.removeFromBlacklist({ userIDList: black });
  await tim.getBlacklist();
  const status: number[] = (await tim.getUserStatus({ userIDList: ['bob'] })).data.successUserList.map((each) => each.statusType);
  const groups: unknown[] = (await tim.getGroupList()).data.groupList.map((each) => each.groupID);
  const applications: number = (await tim.getFriendApplicationList()).data.unreadCount;
  await tim.createGroup({ name: 'is there, and rejects' }).catch((error: ChatError) => error.code);
  await tim.logout();
  await tim.destroy();
}

async function wrongCalls(): Promise<void> {
  // @ts-expect-error no signature
  await tim.login({ userID: 'alice' });
  // @ts-expect-error a userID is a text
  await tim.login({ userID: 1, userSig: '' });
  // @ts-expect-error a message, not its text
  await tim.sendMessage('hello');
  // @ts-expect-error a list of messages
  await tim.deleteMessage(text);
  // @ts-expect-error an object
  await tim.getMessageList('C2Cbob');
  // @ts-expect-error a count is a number
  await tim.getMessageList({ conversationID: 'C2Cbob', count: '15' });
  // @ts-expect-error which conversation?
  await tim.setMessageRead({});
  // @ts-expect-error no such scope
  await tim.setAllMessageRead({ scope: 'everything' });
  // @ts-expect-error a list of texts
  await tim.getConversationList([1]);
  // @ts-expect-error pinned or not?
  await tim.pinConversation({ conversationID: 'C2Cbob' });
  // @ts-expect-error no such gender
  await tim.updateMyProfile({ gender: 'female' });
  // @ts-expect-error a list
  await tim.getUserProfile({ userIDList: 'bob' });
  // @ts-expect-error no such method
  await tim.sendMesage(text);
  // @ts-expect-error what one list call gives is not what the other gives
  const wrong: string[] = (await tim.getConversationList()).data.userIDList;
}
