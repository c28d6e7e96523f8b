/**
 * Tencent's UI kits as they are published, on this client: package.json puts it in the place of @tencentcloud/chat and
 * @tencentcloud/lite-chat, as an app's own may. Nothing of them is changed, and nothing of them knows.
 */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

import { buildScripts } from '../build.mjs';
import type { ChatSDK, Conversation, Group, GroupMember, LoginData, Message, Result, TIMStatic } from '../src/index.js';
import { Device } from './harness/device.js';
import { SDK_APP_ID, startTwin, type Twin } from './harness/twin.js';
import { codeOf, same, until } from './harness/user.js';

type Sending = Promise<Result<{ message: Message }>>;

/** What the test uses of a kit. */
interface Kit {
  TIM: TIMStatic;
  TUIChatEngine: {
    login(options: object): Promise<unknown>;
    logout(): Promise<unknown>;
    isReady(): boolean;
    chat: ChatSDK;
  };
  TUILogin: { login(options: object): Promise<Result<LoginData>>; getContext(): { chat: ChatSDK } };
  TUIConversationService: {
    switchConversation(conversationID: string): Promise<unknown>;
    pinConversation(options: object): Promise<unknown>;
    deleteConversation(conversationID: string): Promise<unknown>;
  };
  TUIChatService: {
    getMessageList(): Promise<Result<{ messageList: Message[] }>>;
    sendTextMessage(options: object): Sending;
    sendCustomMessage(options: object): Sending;
    sendImageMessage(options: object): Sending;
    sendTextAtMessage(options: object): Sending;
    enterTypingState(): void;
  };
  TUIGroupService: {
    createGroup(options: object): Promise<Result<{ group: Group }>>;
    addGroupMember(options: object): Promise<unknown>;
    getGroupMemberList(options: object): Promise<Result<{ memberList: GroupMember[] }>>;
    setGroupMemberRole(options: object): Promise<unknown>;
    setGroupMemberMuteTime(options: object): Promise<unknown>;
    quitGroup(groupID: string): Promise<unknown>;
    dismissGroup(groupID: string): Promise<unknown>;
  };
  TUIStore: { getData(store: string, key: string): unknown };
}

/** A message as a kit keeps it. */
type Model = Message & { revokeMessage(): Promise<unknown>; getSignalingInfo(): object | null; getMessageContent(): object };

const KITS: Record<string, string> = {
  '@tencentcloud/chat-uikit-engine and tui-core': `
    export { default as TIM } from '@tencentcloud/chat';
    export { TUILogin } from '@tencentcloud/tui-core';
    export * from '@tencentcloud/chat-uikit-engine';`,
  '@tencentcloud/chat-uikit-engine-lite and tui-core-lite': `
    export { default as TIM } from '@tencentcloud/lite-chat/basic';
    export { TUILogin } from '@tencentcloud/tui-core-lite';
    export * from '@tencentcloud/chat-uikit-engine-lite';`,
};

let twin: Twin;
const scripts = new Map<string, string>();
/** Promises that nobody has looked at. In a mini-program each is an error in the log of the app. */
const unhandled: unknown[] = [];
const listener = (reason: unknown): void => { unhandled.push(reason); };

before(async () => {
  await buildScripts();
  for (const [name, contents] of Object.entries(KITS)) {
    const { outputFiles } = await esbuild.build({
      stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      bundle: true, format: 'cjs', platform: 'browser', write: false,
    });
    scripts.set(name, outputFiles[0]!.text);
  }
  process.on('unhandledRejection', listener);
  twin = await startTwin();
});
after(async () => {
  process.off('unhandledRejection', listener);
  await twin.stop();
});
const devices: Device[] = [];
afterEach(() => { for (const device of devices.splice(0)) device.stop(); });

/** A phone with a kit, which logs a lot. */
function phone(name: string): Kit {
  const device = new Device(scripts.get(name), { log() {}, warn() {}, error() {} });
  devices.push(device);
  return device.TIM as unknown as Kit;
}

function account(userID: string): object {
  return { SDKAppID: SDK_APP_ID, userID, userSig: twin.userSig(userID), proxyServer: twin.proxyServer };
}

const shown = (kit: Kit): Model[] => kit.TUIStore.getData('chat', 'messageList') as Model[];
const listed = (kit: Kit): Conversation[] => kit.TUIStore.getData('conversation', 'conversationList') as Conversation[];

for (const [at, name] of Object.keys(KITS).entries()) {
  test(`${name}: login, conversations, messages, recall and read marks`, { timeout: 60_000 }, async () => {
    const [alice, bob] = [phone(name), phone(name)];
    const [aliceID, bobID] = [`alice${at}`, `bob${at}`];

    // Both ways in: the engine on its own, and the engine on an instance that is logged in already.
    await alice.TUIChatEngine.login(account(aliceID));
    assert.equal(alice.TUIChatEngine.isReady(), true);
    const { data } = await bob.TUILogin.login({ ...account(bobID), useUploadPlugin: true });
    assert.equal(data.actionStatus, 'OK');
    const { chat } = bob.TUILogin.getContext();
    await bob.TUIChatEngine.login({ ...account(bobID), chat });
    assert.equal(bob.TUIChatEngine.isReady(), true);
    // Once more, as a page does that is opened again.
    same((await bob.TUILogin.login(account(bobID))).data.repeatLogin, true);

    await bob.TUIConversationService.switchConversation(`C2C${aliceID}`);
    const { data: { message: first } } = await bob.TUIChatService.sendTextMessage({ payload: { text: '在吗' } });
    await bob.TUIChatService.sendCustomMessage({ payload: { data: '{"businessID":"order"}', description: '', extension: '' } });
    await until(() => listed(alice)[0]?.unreadCount === 2);
    same(listed(alice).map((each) => [each.conversationID, each.lastMessage.messageForShow]), [[`C2C${bobID}`, '[自定义消息]']]);
    same(alice.TUIStore.getData('conversation', 'totalUnreadCount'), 2);

    // Opening it is reading it.
    await alice.TUIConversationService.switchConversation(`C2C${bobID}`);
    await alice.TUIChatService.getMessageList();
    same(shown(alice).map((each) => [each.flow, each.type, each.payload]), [
      ['in', 'TIMTextElem', { text: '在吗' }],
      ['in', 'TIMCustomElem', { data: '{"businessID":"order"}', description: '', extension: '' }],
    ]);
    assert.equal(shown(alice)[1]?.getSignalingInfo(), null);
    await until(() => listed(alice)[0]?.unreadCount === 0);
    await until(() => shown(bob).length === 2 && shown(bob).every((each) => each.isPeerRead));

    // What was said first is taken back.
    await shown(bob).find((each) => each.ID === first.ID)!.revokeMessage();
    for (const kit of [alice, bob]) {
      await until(() => shown(kit)[0]?.isRevoked === true);
      same([shown(kit)[0]?.payload, shown(kit)[0]?.revoker], [{ text: '' }, bobID]);
      shown(kit)[0]?.getMessageContent();
    }
    await alice.TUIChatService.sendTextMessage({ payload: { text: '在的' } });
    await until(() => shown(bob).length === 3 && listed(bob)[0]?.lastMessage.messageForShow === '在的');
    await until(() => shown(alice)[2]?.isPeerRead === true);

    const { files } = devices[0]!;
    await alice.TUIChatService.sendImageMessage({ payload: { file: files.chooseImage(files.photo()) } });
    await until(() => shown(bob).length === 4 && listed(bob)[0]?.lastMessage.messageForShow === '[图片]');
    const [ours, theirs] = [shown(alice)[3], shown(bob)[3]];
    same([ours?.status, ours?.payload, ours?.getMessageContent()], ['success', theirs?.payload, theirs?.getMessageContent()]);
    const { url, width } = theirs?.getMessageContent() as { url: string; width: number };
    same([(await fetch(url)).status, width], [200, 3024]);

    // What cannot be sent or is not served says so, where the kit shows it.
    assert.equal(await codeOf(alice.TUIChatService.sendImageMessage({ payload: { file: { tempFiles: [] } } })), 2251);
    assert.equal(shown(alice)[4]?.status, 'fail');
    shown(alice)[4]?.getMessageContent();
    assert.equal(await codeOf(alice.TUIGroupService.createGroup({ name: '直播', type: 'AVChatRoom' })), 2600);

    // A group: made, joined by invitation, talked in with mentions, silenced, left and dismissed.
    const { groupID } = (await alice.TUIGroupService.createGroup({ name: '同学', type: 'Public' })).data.group;
    const inGroup = `GROUP${groupID}`;
    const groups = (kit: Kit): Group[] => kit.TUIStore.getData('group', 'groupList') as Group[];
    await until(() => groups(alice).some((each) => each.groupID === groupID) && listed(alice).some((each) => each.conversationID === inGroup));
    await alice.TUIGroupService.addGroupMember({ groupID, userIDList: [bobID] });
    await until(() => groups(bob).some((each) => each.name === '同学'));
    for (const kit of [alice, bob]) {
      await until(() => listed(kit).some((each) => each.conversationID === inGroup));
      await kit.TUIConversationService.switchConversation(inGroup);
      await kit.TUIChatService.getMessageList();
    }
    await alice.TUIChatService.sendTextMessage({ payload: { text: '大家好' } });
    await alice.TUIChatService.sendTextAtMessage({ payload: { text: `@${bobID} 在吗`, atUserList: [bobID] } });
    const texts = (kit: Kit): unknown[] => shown(kit).filter(({ type }) => type === 'TIMTextElem').map(({ payload }) => payload);
    await until(() => texts(bob).length === 2);
    same([texts(bob), shown(bob).at(-1)?.atUserList], [[{ text: '大家好' }, { text: `@${bobID} 在吗` }], [bobID]]);
    for (const message of shown(bob)) message.getMessageContent();
    same((await bob.TUIGroupService.getGroupMemberList({ groupID, count: 15, offset: 0 })).data.memberList.map(({ role }) => role), ['Owner', 'Member']);
    await alice.TUIGroupService.setGroupMemberMuteTime({ groupID, userID: bobID, muteTime: 60 });
    assert.equal(await codeOf(bob.TUIChatService.sendTextMessage({ payload: { text: '我呢' } })), 10017);
    await alice.TUIGroupService.setGroupMemberMuteTime({ groupID, userID: bobID, muteTime: 0 });
    await alice.TUIGroupService.setGroupMemberRole({ groupID, userID: bobID, role: 'Admin' });
    await bob.TUIChatService.sendTextMessage({ payload: { text: '好了' } });
    await until(() => texts(alice).length === 3);
    await bob.TUIGroupService.quitGroup(groupID);
    await until(() => groups(bob).length === 0 && groups(alice)[0]?.memberCount === 1);
    await alice.TUIGroupService.dismissGroup(groupID);
    await until(() => groups(alice).length === 0 && !listed(alice).some((each) => each.conversationID === inGroup));

    await alice.TUIConversationService.pinConversation({ conversationID: `C2C${bobID}`, isPinned: true });
    await until(() => listed(alice)[0]?.isPinned === true);
    await alice.TUIConversationService.deleteConversation(`C2C${bobID}`);
    await until(() => listed(alice).length === 0);
    await alice.TUIChatEngine.logout();
    await bob.TUIChatEngine.logout();
    // A turn of the loop is when Node tells of promises that nobody has looked at.
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unhandled, []);
  });
}
