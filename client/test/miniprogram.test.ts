/** The pages of the demo mini-program, with a `wx`, an `App` and a client that a test holds in its hand. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import TIM from '../src/index.js';

const ROOT = fileURLToPath(new URL('../demo/miniprogram/', import.meta.url));
const { EVENT, TYPES } = TIM;

type Any = any; // What the pages hand around has no types: they are plain JavaScript, as a mini-program is.
type Handler = (event: { name: string; data: unknown }) => void;

/** A client that answers what the test has put down, and remembers what it was asked. */
class FakeTim {
  readonly calls: [string, Any][] = [];
  readonly handlers = new Map<string, Set<Handler>>();
  readonly pages: Any[] = [];
  conversationList: Any[] = [];
  isOnline = true;
  sending: Promise<unknown> = Promise.resolve();

  on(name: string, handler: Handler): void {
    this.handlers.set(name, (this.handlers.get(name) ?? new Set()).add(handler));
  }

  off(name: string, handler: Handler): void {
    this.handlers.get(name)?.delete(handler);
  }

  emit(name: string, data?: unknown): void {
    for (const handler of [...(this.handlers.get(name) ?? [])]) handler({ name, data });
  }

  get listeners(): number {
    return [...this.handlers.values()].reduce((sum, set) => sum + set.size, 0);
  }

  called(name: string): Any[] {
    return this.calls.filter(([called]) => called === name).map(([, options]) => options);
  }

  private answer(name: string, options: Any, data: unknown): Promise<Any> {
    this.calls.push([name, options]);
    return Promise.resolve({ code: 0, data });
  }

  setLogLevel(): void {}

  login(options: Any): Promise<Any> {
    setTimeout(() => this.emit(EVENT.SDK_READY), 0);
    return this.answer('login', options, {});
  }

  logout(): Promise<Any> { return this.answer('logout', undefined, {}); }
  getTotalUnreadMessageCount(): number {
    return this.conversationList.reduce((sum, conversation) => sum + conversation.unreadCount, 0);
  }
  getConversationList(): Promise<Any> { return this.answer('getConversationList', undefined, { conversationList: this.conversationList }); }
  pinConversation(options: Any): Promise<Any> { return this.answer('pinConversation', options, {}); }
  deleteConversation(id: string): Promise<Any> { return this.answer('deleteConversation', id, {}); }
  setMessageRead(options: Any): Promise<Any> { return this.answer('setMessageRead', options, {}); }
  getBlacklist(): Promise<Any> { return this.answer('getBlacklist', undefined, []); }
  addToBlacklist(options: Any): Promise<Any> { return this.answer('addToBlacklist', options, options.userIDList); }
  removeFromBlacklist(options: Any): Promise<Any> { return this.answer('removeFromBlacklist', options, []); }
  deleteMessage(list: Any): Promise<Any> { return this.answer('deleteMessage', list, { messageList: list }); }
  getUserStatus(options: Any): Promise<Any> {
    return this.answer('getUserStatus', options, { successUserList: [{ userID: options.userIDList[0], statusType: this.isOnline ? 1 : 2 }] });
  }
  getMessageList(options: Any): Promise<Any> {
    const page = this.pages.shift() ?? { messageList: [], nextReqMessageID: '', isCompleted: true };
    return this.answer('getMessageList', options, page);
  }
  createTextMessage(options: Any): Any {
    return { ...message(0, { flow: 'out', text: options.payload.text }), ID: `new-${options.payload.text}`, status: 'unSend' };
  }
  async sendMessage(sent: Any): Promise<Any> {
    this.calls.push(['sendMessage', sent]);
    await this.sending;
    Object.assign(sent, { status: 'success', sequence: 100 });
    return { code: 0, data: { message: sent } };
  }
  resendMessage(sent: Any): Promise<Any> {
    this.calls.push(['resendMessage', sent]);
    return this.sendMessage(sent);
  }
  revokeMessage(revoked: Any): Promise<Any> {
    Object.assign(revoked, { isRevoked: true, payload: {} });
    return this.answer('revokeMessage', revoked, { message: revoked });
  }
}

const NOW = Math.floor(Date.now() / 1000);

function message(sequence: number, { peer = 'bob', flow = 'in', text = `${sequence}` } = {}): Any {
  return {
    ID: `${peer}-${sequence}`, sequence, flow, type: TYPES.MSG_TEXT, payload: { text }, status: 'success', isRevoked: false, isPeerRead: false,
    conversationID: `C2C${peer}`, from: flow === 'in' ? peer : 'alice', to: flow === 'in' ? 'alice' : peer, time: NOW,
    // Nobody can give this to setData: what a message has besides its data must not get there.
    getElements: () => [],
  };
}

function conversation(userID: string, unreadCount: number, fields = {}): Any {
  const lastMessage = { lastTime: NOW, fromAccount: userID, messageForShow: `${userID}说`, isRevoked: false };
  return { conversationID: `C2C${userID}`, type: TYPES.CONV_C2C, unreadCount, lastMessage, userProfile: { userID, nick: '' }, isPinned: false, ...fields };
}

/** One run of the app: every file is loaded anew, with these globals. */
class Phone {
  readonly tim = new FakeTim();
  readonly shown: [string, Any][] = [];
  app: Any;
  /** What the user answers in an action sheet: the text of the item. */
  choice = '';
  private definition: Any;
  private readonly modules = new Map<string, Any>();
  private readonly wx = new Proxy({} as Record<string, Any>, {
    get: (_, name: string) => (options: Any) => {
      this.shown.push([name, options]);
      if (name === 'request') options.success({ statusCode: 200, data: { SDKAppID: 1, userID: /userID=(.*)/.exec(options.url)?.[1], userSig: 's', proxyServer: 'ws://twin' } });
      if (name === 'showModal') options.success?.({ confirm: true });
      if (name === 'showActionSheet') {
        const tapIndex = options.itemList.indexOf(this.choice);
        assert.notEqual(tapIndex, -1, `${this.choice} is not among ${options.itemList}`);
        options.success({ tapIndex });
      }
    },
  });

  private require(file: string): Any {
    if (file === normalize(join(ROOT, 'lib/tim.js'))) return { EVENT, TYPES, create: () => this.tim };
    if (!this.modules.has(file)) {
      const module = { exports: {} };
      this.modules.set(file, module);
      const names = ['require', 'module', 'exports', 'App', 'Page', 'getApp', 'wx'];
      const run = new Function(...names, readFileSync(file, 'utf8'));
      const require = (path: string): Any => this.require(`${normalize(join(dirname(file), path))}.js`);
      run(require, module, module.exports, (app: Any) => { this.app = app; }, (page: Any) => { this.definition = page; }, () => this.app, this.wx);
    }
    return this.modules.get(file).exports;
  }

  async start(userID = 'alice'): Promise<void> {
    this.require(normalize(join(ROOT, 'app.js')));
    await this.app.enter(userID);
  }

  async open(name: string, query: Record<string, string> = {}): Promise<Any> {
    const file = normalize(join(ROOT, `pages/${name}/${name}.js`));
    // What a file keeps between two visits stays, so a page is defined once.
    if (!this.modules.has(file)) {
      this.require(file);
      this.modules.get(file).page = this.definition;
    }
    const definition = this.modules.get(file).page;
    const page = { ...definition, data: structuredClone(definition.data), route: name };
    page.setData = (data: Any) => {
      assert.deepEqual(data, JSON.parse(JSON.stringify(data)), 'setData takes plain data');
      Object.assign(page.data, structuredClone(data));
    };
    // A page's functions are bound to it, as they are in a mini-program when they are handed on.
    for (const key of Object.keys(page)) if (typeof page[key] === 'function' && key !== 'setData') page[key] = page[key].bind(page);
    await page.onLoad?.(query);
    return page;
  }

  chat(peer = 'bob'): Promise<Any> {
    return this.open('chat', { conversationID: `C2C${peer}` });
  }

  said(name: string): Any[] {
    return this.shown.filter(([called]) => called === name).map(([, options]) => options);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const on = (id: string): Any => ({ currentTarget: { dataset: { id } } });
const texts = (page: Any): string[] => page.data.rows.map((row: Any) => row.text);
const history = (from: number, to: number, nextReqMessageID = ''): Any => ({
  messageList: Array.from({ length: to - from + 1 }, (_, index) => message(from + index)),
  nextReqMessageID,
  isCompleted: nextReqMessageID === '',
});

let phone: Phone;
let tim: FakeTim;
beforeEach(async () => {
  phone = new Phone();
  tim = phone.tim;
  await phone.start();
});

test('choosing a user logs in with the UserSig that the server gave, and opens the list', async () => {
  const page = await phone.open('login');
  await page.choose({ currentTarget: { dataset: { user: 'bob' } } });
  assert.deepEqual(tim.called('login').at(-1), { userID: 'bob', userSig: 's' });
  assert.equal(phone.app.userID, 'bob');
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/conversations/conversations' });
});

test('a login that fails is told, and can be tried again', async () => {
  const page = await phone.open('login');
  tim.login = () => Promise.reject(Object.assign(new Error('expired'), { code: 70001 }));
  await page.choose({ currentTarget: { dataset: { user: 'bob' } } });
  assert.equal(phone.said('showModal').at(-1).content, 'expired');
  assert.equal(page.data.entering, '');
  assert.equal(phone.said('reLaunch').length, 0);
});

test('somebody who is kicked out decides himself whether to log in again', () => {
  tim.emit(EVENT.KICKED_OUT, { type: TYPES.KICKED_OUT_MULT_ACCOUNT });
  assert.equal(tim.called('login').length, 1);
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/login/login' });
});

test('an expired UserSig is replaced by a new one', async () => {
  tim.emit(EVENT.KICKED_OUT, { type: TYPES.KICKED_OUT_USERSIG_EXPIRED });
  await settled();
  assert.equal(tim.called('login').length, 2);
  assert.equal(phone.said('request').length, 2);
});

test('the list is what the client says, and follows it', async () => {
  tim.conversationList = [conversation('bob', 2)];
  const page = await phone.open('conversations');
  assert.deepEqual(page.data.rows.map((row: Any) => [row.name, row.unread, row.preview]), [['bob', '2', 'bob说']]);
  assert.equal(phone.said('setNavigationBarTitle').at(-1).title, '会话（2）');

  tim.conversationList = [conversation('carol', 120, { isPinned: true }), conversation('bob', 0)];
  tim.emit(EVENT.CONVERSATION_LIST_UPDATED, tim.conversationList);
  assert.deepEqual(page.data.rows.map((row: Any) => [row.name, row.unread, row.isPinned]), [['carol', '99+', true], ['bob', '', false]]);
});

test('the list says who recalled the last message', async () => {
  const lastMessage = { lastTime: NOW, messageForShow: '', isRevoked: true };
  tim.conversationList = [
    conversation('bob', 0, { lastMessage: { ...lastMessage, fromAccount: 'bob' } }),
    conversation('carol', 0, { lastMessage: { ...lastMessage, fromAccount: 'alice' } }),
  ];
  const page = await phone.open('conversations');
  assert.deepEqual(page.data.rows.map((row: Any) => row.preview), ['对方撤回了一条消息', '你撤回了一条消息']);
});

test('a long press pins a conversation, or deletes it', async () => {
  tim.conversationList = [conversation('bob', 0)];
  const page = await phone.open('conversations');
  phone.choice = '置顶';
  page.showMenu(on('C2Cbob'));
  assert.deepEqual(tim.called('pinConversation'), [{ conversationID: 'C2Cbob', isPinned: true }]);
  phone.choice = '删除会话';
  page.showMenu(on('C2Cbob'));
  assert.deepEqual(tim.called('deleteConversation'), ['C2Cbob']);
});

test('pulling the list down loads it anew and lets go', async () => {
  const page = await phone.open('conversations');
  tim.conversationList = [conversation('bob', 1)];
  await page.onPullDownRefresh();
  assert.equal(page.data.rows.length, 1);
  assert.equal(phone.said('stopPullDownRefresh').length, 1);
});

test('a chat can be started with any user but oneself', async () => {
  const page = await phone.open('conversations');
  page.type({ detail: { value: ' alice ' } });
  page.startChat();
  assert.equal(phone.said('navigateTo').length, 0);
  page.type({ detail: { value: 'dave' } });
  page.startChat();
  assert.deepEqual(phone.said('navigateTo'), [{ url: '/pages/chat/chat?conversationID=C2Cdave' }]);
});

test('entering a chat loads the history, marks it as read and asks whether the peer is there', async () => {
  tim.pages.push(history(1, 3));
  const page = await phone.chat();
  await settled();
  assert.deepEqual(texts(page), ['1', '2', '3']);
  assert.equal(page.data.scrollInto, 'end');
  assert.equal(page.data.complete, true);
  assert.equal(page.data.online, '在线');
  assert.deepEqual(tim.called('setMessageRead'), [{ conversationID: 'C2Cbob' }]);
});

test('what comes in is appended once and marked as read', async () => {
  tim.pages.push(history(1, 1));
  const page = await phone.chat();
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(2), message(3)]);
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(3)]);
  assert.deepEqual(texts(page), ['1', '2', '3']);
  assert.equal(tim.called('setMessageRead').length, 3);
});

test('what comes in for another conversation changes nothing here', async () => {
  tim.pages.push(history(1, 1));
  const page = await phone.chat();
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(9, { peer: 'carol' })]);
  assert.deepEqual(texts(page), ['1']);
  assert.equal(tim.called('setMessageRead').length, 1);
});

test('an app in the background reads nothing until it is back', async () => {
  const page = await phone.chat();
  page.onHide();
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(1)]);
  assert.equal(tim.called('setMessageRead').length, 1);
  page.onShow();
  assert.equal(tim.called('setMessageRead').length, 2);
});

test('whoever reads further up is not pulled down by a new message', async () => {
  tim.pages.push(history(1, 3));
  const page = await phone.chat();
  page.setData({ scrollInto: '' });
  page.scrolled({ detail: { deltaY: 40 } });
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(4)]);
  assert.deepEqual([page.data.scrollInto, page.data.hasNewer], ['', true]);
  page.goToEnd();
  assert.deepEqual([page.data.scrollInto, page.data.hasNewer], ['end', false]);
});

test('scrolling up puts older messages above, in order, without duplicates, and stays at the place', async () => {
  tim.pages.push(history(16, 30, 'older'), history(2, 16, 'oldest'), history(1, 1));
  const page = await phone.chat();
  await Promise.all([page.loadOlder(), page.loadOlder()]);
  assert.deepEqual(texts(page), Array.from({ length: 29 }, (_, index) => `${index + 2}`));
  assert.equal(page.data.scrollInto, 'm-bob-16');
  await page.loadOlder();
  await page.loadOlder();
  assert.equal(texts(page)[0], '1');
  assert.deepEqual(tim.called('getMessageList').map((options) => options.nextReqMessageID), ['', 'older', 'oldest']);
});

test('a message that is sent shows at once, then that it has arrived, then that it was read', async () => {
  const page = await phone.chat();
  page.type({ detail: { value: ' 你好 ' } });
  const sent = page.send();
  assert.deepEqual([page.data.rows[0].text, page.data.rows[0].sending, page.data.rows[0].mark], ['你好', true, '']);
  assert.equal(page.data.input, '');
  await sent;
  assert.deepEqual([page.data.rows[0].sending, page.data.rows[0].mark], [false, '未读']);
  tim.emit(EVENT.MESSAGE_READ_BY_PEER, [{ ...tim.called('sendMessage')[0], isPeerRead: true }]);
  assert.equal(page.data.rows[0].mark, '已读');
});

test('a message that is refused says why, and goes out when it is sent again', async () => {
  const page = await phone.chat();
  tim.sending = Promise.reject(Object.assign(new Error('refused'), { code: 20007 }));
  page.type({ detail: { value: '你好' } });
  await page.send();
  const { id, failed, reason } = page.data.rows[0];
  assert.deepEqual([failed, reason], [true, '你已被对方拉黑，消息没有送达']);
  tim.sending = Promise.resolve();
  await page.resend(on(id));
  assert.equal(tim.called('resendMessage').length, 1);
  assert.deepEqual(page.data.rows.map((row: Any) => [row.failed, row.reason, row.mark]), [[false, '', '未读']]);
});

test('what was on its way when the user left is there when he returns, and settles there', async () => {
  let arrive = (): void => {};
  tim.sending = new Promise<void>((resolve) => { arrive = resolve; });
  const first = await phone.chat();
  first.type({ detail: { value: '路上' } });
  const sent = first.send();
  first.onUnload();
  const second = await phone.chat();
  assert.equal(second.data.rows[0].sending, true);
  arrive();
  await sent;
  assert.deepEqual([second.data.rows[0].sending, second.data.rows[0].mark], [false, '未读']);
});

test('one can recall an own message and edit it again, and nobody else\'s', async () => {
  tim.pages.push({ messageList: [message(1), message(2, { flow: 'out', text: '写错了' })], nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  phone.choice = '撤回';
  assert.throws(() => page.showMenu(on('bob-1')), /撤回 is not among/);
  page.showMenu(on('bob-2'));
  await settled();
  assert.deepEqual([page.data.rows[1].text, page.data.rows[1].canEdit, page.data.rows[1].mark], ['你撤回了一条消息', true, '']);
  page.editAgain(on('bob-2'));
  assert.equal(page.data.input, '写错了');
});

test('a recalled message of the peer says so, and cannot be edited', async () => {
  tim.pages.push(history(1, 1));
  const page = await phone.chat();
  tim.emit(EVENT.MESSAGE_REVOKED, [{ ...message(1), isRevoked: true, payload: {} }]);
  assert.deepEqual([page.data.rows[0].text, page.data.rows[0].canEdit], ['对方撤回了一条消息', false]);
});

test('a deleted message is gone from the page', async () => {
  tim.pages.push(history(1, 2));
  const page = await phone.chat();
  phone.choice = '删除';
  page.showMenu(on('bob-1'));
  await settled();
  assert.deepEqual(texts(page), ['2']);
  assert.deepEqual(tim.called('deleteMessage').map((list) => list[0].ID), ['bob-1']);
});

test('a peer can be put on the blacklist and taken off it', async () => {
  const page = await phone.chat();
  page.toggleBlocked();
  await settled();
  assert.deepEqual([page.data.blocked, phone.app.blacklist], [true, ['bob']]);
  await page.toggleBlocked();
  assert.deepEqual([page.data.blocked, phone.app.blacklist], [false, []]);
});

test('the state of the network is on every page, also on one that is opened without it', async () => {
  const pages = [await phone.open('conversations'), await phone.chat()];
  tim.emit(EVENT.NET_STATE_CHANGE, { state: TYPES.NET_STATE_DISCONNECTED });
  pages.push(await phone.chat('carol'));
  assert.deepEqual(pages.map((page) => page.data.state), ['disconnected', 'disconnected', 'disconnected']);
});

test('a page that is left listens to nothing any more', async () => {
  const before = tim.listeners;
  const list = await phone.open('conversations');
  const chat = await phone.chat();
  assert.notEqual(tim.listeners, before);
  chat.onUnload();
  list.onUnload();
  assert.equal(tim.listeners, before);
});
