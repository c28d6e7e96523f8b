/** The pages of the demo mini-program, with a `wx`, an `App` and a client that a test holds in its hand. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import TIM from '../src/index.js';
import { until } from './harness/user.js';
import { FIELDS, ODD_VALUES, SCRIPT_PAYLOADS } from './harness/odd.js';

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
  private made = 0;
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
  /** Another clock than the device's. */
  getServerTime(): number { return NOW + 60; }

  login(options: Any): Promise<Any> {
    setTimeout(() => {
      this.emit(EVENT.GROUP_LIST_UPDATED, this.groupList);
      this.emit(EVENT.SDK_READY);
    }, 0);
    return this.answer('login', options, {});
  }

  logout(): Promise<Any> { return this.answer('logout', undefined, {}); }
  getTotalUnreadMessageCount(): number {
    return this.conversationList.reduce((sum, conversation) => sum + conversation.unreadCount, 0);
  }
  getConversationList(filter?: Any): Promise<Any> { return this.answer('getConversationList', filter, { conversationList: this.conversationList }); }
  /** The groups that this user is in. */
  groupList: Any[] = [];
  members: Any[] = [];
  getGroupMemberList(options: Any): Promise<Any> {
    const end = options.offset + options.count;
    return this.answer('getGroupMemberList', options, { memberList: this.members.slice(options.offset, end), offset: end < this.members.length ? end : 0 });
  }
  createGroup(options: Any): Promise<Any> { return this.answer('createGroup', options, { group: { groupID: '@TGS#1' } }); }
  status = 'JoinedSuccess';
  joinGroup(options: Any): Promise<Any> { return this.answer('joinGroup', options, { status: this.status, group: options }); }
  quitGroup(groupID: Any): Promise<Any> { return this.answer('quitGroup', groupID, { groupID }); }
  dismissGroup(groupID: Any): Promise<Any> { return this.answer('dismissGroup', groupID, { groupID }); }
  addGroupMember(options: Any): Promise<Any> { return this.answer('addGroupMember', options, {}); }
  deleteGroupMember(options: Any): Promise<Any> { return this.answer('deleteGroupMember', options, {}); }
  updateGroupProfile(options: Any): Promise<Any> { return this.answer('updateGroupProfile', options, {}); }
  changeGroupOwner(options: Any): Promise<Any> { return this.answer('changeGroupOwner', options, {}); }
  setGroupMemberRole(options: Any): Promise<Any> { return this.answer('setGroupMemberRole', options, {}); }
  setGroupMemberMuteTime(options: Any): Promise<Any> { return this.answer('setGroupMemberMuteTime', options, {}); }
  setGroupMemberNameCard(options: Any): Promise<Any> { return this.answer('setGroupMemberNameCard', options, {}); }
  setMessageRemindType(options: Any): Promise<Any> { return this.answer('setMessageRemindType', options, {}); }
  handleGroupApplication(options: Any): Promise<Any> { return this.answer('handleGroupApplication', options, {}); }
  pinConversation(options: Any): Promise<Any> { return this.answer('pinConversation', options, {}); }
  deleteConversation(id: string): Promise<Any> { return this.answer('deleteConversation', id, {}); }
  setMessageRead(options: Any): Promise<Any> { return this.answer('setMessageRead', options, {}); }
  getBlacklist(): Promise<Any> { return this.answer('getBlacklist', undefined, []); }
  addToBlacklist(options: Any): Promise<Any> { return this.answer('addToBlacklist', options, options.userIDList); }
  removeFromBlacklist(options: Any): Promise<Any> { return this.answer('removeFromBlacklist', options, []); }
  deleteMessage(list: Any): Promise<Any> {
    for (const each of list) each.isDeleted = true;
    return this.answer('deleteMessage', list, { messageList: list });
  }
  subscribeUserStatus(options: Any): Promise<Any> { return this.answer('subscribeUserStatus', options, { failureUserList: [] }); }
  unsubscribeUserStatus(options: Any): Promise<Any> { return this.answer('unsubscribeUserStatus', options, { failureUserList: [] }); }
  getUserStatus(options: Any): Promise<Any> {
    return this.answer('getUserStatus', options, { successUserList: [{ userID: options.userIDList[0], statusType: this.isOnline ? 1 : 2 }] });
  }
  getMessageList(options: Any): Promise<Any> {
    const page = this.pages.shift() ?? { messageList: [], nextReqMessageID: '', isCompleted: true };
    return this.answer('getMessageList', options, page);
  }
  createTextMessage(options: Any): Any {
    const to = options.to === undefined ? {} : { to: options.to, conversationID: `${options.conversationType}${options.to}` };
    return { ...message(0, { flow: 'out', text: options.payload.text }), ...to, ID: `new-${(this.made += 1)}`, status: 'unSend' };
  }
  createTextAtMessage(options: Any): Any {
    this.calls.push(['createTextAtMessage', options]);
    return this.createTextMessage(options);
  }
  /** A message with a file shows what is on the device until it is sent. */
  private media(builder: string, type: string, options: Any, payload: (path: string, file: Any) => object): Any {
    this.calls.push([builder, options]);
    this.progressed = options.onProgress;
    const { file } = options.payload;
    const chosen = file.tempFiles?.[0] ?? file;
    const made = { ...this.createTextMessage({ payload: { text: '' } }), type, payload: payload(chosen.tempFilePath ?? chosen.path, chosen) };
    this.uploads.set(made.ID, () => { made.payload = payload(`${MEDIA}${made.ID}`, chosen); });
    return made;
  }
  createImageMessage(options: Any): Any {
    return this.media('createImageMessage', TYPES.MSG_IMAGE, options, (url) => picture(url).payload);
  }
  createAudioMessage(options: Any): Any {
    return this.media('createAudioMessage', TYPES.MSG_AUDIO, options, (url, { duration }) => ({ url, second: Math.floor(duration / 1000) }));
  }
  createVideoMessage(options: Any): Any {
    return this.media('createVideoMessage', TYPES.MSG_VIDEO, options, (videoUrl, { thumbTempFilePath, duration, width, height }) => ({
      videoUrl, thumbUrl: videoUrl.startsWith(MEDIA) ? `${videoUrl}.jpg` : thumbTempFilePath, videoSecond: duration, thumbWidth: width, thumbHeight: height,
    }));
  }
  createFileMessage(options: Any): Any {
    return this.media('createFileMessage', TYPES.MSG_FILE, options, (fileUrl, { name, size }) => ({ fileUrl, fileName: name, fileSize: size }));
  }
  /** Says how much of the last file is uploaded. */
  progressed: (part: number) => void = () => {};
  private readonly uploads = new Map<string, () => void>();

  async sendMessage(sent: Any): Promise<Any> {
    this.calls.push(['sendMessage', sent]);
    await this.sending;
    this.uploads.get(sent.ID)?.();
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

/** Where the deployment keeps media. */
const MEDIA = 'https://media.example.com/m/1/';

function picture(url: string, size = {}): Any {
  return { type: TYPES.MSG_IMAGE, payload: { imageInfoArray: [0, 1, 2].map((type) => ({ type, url: type && url.startsWith(MEDIA) ? `${url}.${type}` : url, ...size })) } };
}

function conversation(userID: string, unreadCount: number, fields = {}): Any {
  const lastMessage = { lastTime: NOW, fromAccount: userID, type: TYPES.MSG_TEXT, payload: { text: `${userID}说` }, isRevoked: false };
  return { conversationID: `C2C${userID}`, type: TYPES.CONV_C2C, unreadCount, lastMessage, userProfile: { userID, nick: '' }, isPinned: false, ...fields };
}

/** The most that one call of setData may take to the screen: each of them is copied as text. */
const CALL_BYTES = 10 * 1024;

/** As in WeChat: the names are paths. */
function setData(target: Any, data: Any): void {
  for (const [path, value] of Object.entries(data)) {
    const steps = path.match(/[^.[\]]+/g) ?? [];
    const last = steps.pop() as string;
    const parent = steps.reduce((node, step) => node[step], target);
    if (Array.isArray(parent)) assert.ok(Number(last) <= parent.length, `${path} leaves a hole`);
    parent[last] = structuredClone(value);
  }
}

/** What has methods to call and `on…` to listen with, as many things of `wx` have. */
class Instrument {
  readonly asked: Any[] = [];
  readonly tells: Record<string, (event?: Any) => void> = {};
  readonly wx: Any = new Proxy({}, {
    get: (_, name: string) => (argument: Any) => {
      if (name.startsWith('on')) this.tells[name] = argument;
      else this.asked.push(argument === undefined ? name : [name, argument]);
    },
    set: (_, name: string, value: Any) => this.asked.push([name, value]) > 0,
  });
}

/** One run of the app: every file is loaded anew, with these globals. */
class Phone {
  readonly tim = new FakeTim();
  readonly shown: [string, Any][] = [];
  readonly storage = new Map<string, Any>();
  /** The pages that are open, the last one on top. */
  readonly pages: Any[] = [];
  /** How large the calls of setData were. */
  readonly calls: number[] = [];
  app: Any;
  /** What the client was made with. */
  created: Any;
  /** What the user answers when a question is asked. */
  confirm = true;
  /** What the user writes when a question asks for a text. */
  written = '';
  isOnline = true;
  /** What the user answers in an action sheet: the text of the item. */
  choice = '';
  /** What the user picks in a chooser: its result, or the `errMsg` of its failure. */
  chosen: Any;
  /** The recorder and the player of the phone: what was asked of them, and the listeners to what they tell. */
  readonly recorder = new Instrument();
  readonly player = new Instrument();
  private definition: Any;
  private readonly modules = new Map<string, Any>();
  private readonly wx = new Proxy({} as Record<string, Any>, {
    get: (_, name: string) => (options: Any, value: Any) => {
      this.shown.push([name, options]);
      if (name === 'setStorageSync') this.storage.set(options, value);
      if (name === 'removeStorageSync') this.storage.delete(options);
      if (name === 'getStorageSync') return this.storage.get(options) ?? '';
      if (name === 'request' && !this.isOnline) options.fail({ errMsg: 'request:fail' });
      else if (name === 'request') options.success({ statusCode: 200, data: { SDKAppID: 1, userID: /userID=(.*)/.exec(options.url)?.[1], userSig: 's', proxyServer: 'ws://twin' } });
      if (name === 'chooseMedia' || name === 'chooseMessageFile') {
        if (typeof this.chosen === 'string') options.fail({ errMsg: this.chosen });
        else options.success(this.chosen);
      }
      if (name === 'getRecorderManager') return this.recorder.wx;
      if (name === 'createInnerAudioContext') return this.player.wx;
      if (name === 'downloadFile') return { onProgressUpdate: (listener: Any) => { options.progressed = (progress: number) => listener({ progress }); } };
      if (name === 'showModal') options.success?.({ confirm: this.confirm, content: this.written });
      if (name === 'showActionSheet') {
        const tapIndex = options.itemList.indexOf(this.choice);
        assert.notEqual(tapIndex, -1, `${this.choice} is not among ${options.itemList}`);
        options.success({ tapIndex });
      }
      return undefined;
    },
  });

  private require(file: string): Any {
    if (file === normalize(join(ROOT, 'lib/tim.js'))) return { EVENT, TYPES, create: (options: Any) => { this.created = options; return this.tim; } };
    if (!this.modules.has(file)) {
      const module = { exports: {} };
      this.modules.set(file, module);
      const names = ['require', 'module', 'exports', 'App', 'Page', 'getApp', 'getCurrentPages', 'wx'];
      const run = new Function(...names, readFileSync(file, 'utf8'));
      const require = (path: string): Any => this.require(`${normalize(join(dirname(file), path))}.js`);
      run(require, module, module.exports, (app: Any) => { this.app = app; }, (page: Any) => { this.definition = page; }, () => this.app, () => this.pages, this.wx);
    }
    return this.modules.get(file).exports;
  }

  /** The mini-program begins, and nobody is logged in. */
  launch(): void {
    this.require(normalize(join(ROOT, 'app.js')));
  }

  async start(userID = 'alice'): Promise<void> {
    this.launch();
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
    const page = { ...definition, data: structuredClone(definition.data), route: `pages/${name}/${name}`, options: query };
    this.pages.push(page);
    page.setData = (data: Any) => {
      assert.deepEqual(data, JSON.parse(JSON.stringify(data)), 'setData takes plain data');
      const bytes = Buffer.byteLength(JSON.stringify(data));
      this.calls.push(bytes);
      assert.ok(bytes <= CALL_BYTES, `setData with ${bytes} bytes`);
      setData(page.data, data);
    };
    // A page's functions are bound to it, as they are in a mini-program when they are handed on.
    for (const key of Object.keys(page)) if (typeof page[key] === 'function' && key !== 'setData') page[key] = page[key].bind(page);
    await page.onLoad?.(query);
    return page;
  }

  chat(peer = 'bob'): Promise<Any> {
    return this.open('chat', { conversationID: encodeURIComponent(`C2C${peer}`) });
  }

  said(name: string): Any[] {
    return this.shown.filter(([called]) => called === name).map(([, options]) => options);
  }
}

/** What a page gets of an address: WeChat decodes nothing. */
const queryOf = (url: string): Record<string, string> =>
  Object.fromEntries((url.split('?')[1] ?? '').split('&').filter(Boolean).map((pair) => pair.split('=') as [string, string]));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const on = (id: string): Any => ({ currentTarget: { dataset: { id } } });
/** The rows of a page's list as they are on the screen. */
const rows = (page: Any): Any[] => page.data.order.map((slot: number) => page.data.slots[slot]);
const textOf = (row: Any): string => row.parts.join('');
const texts = (page: Any): string[] => rows(page).map(textOf);
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
  phone.app.userID = '';
  const page = await phone.open('login');
  await page.choose({ currentTarget: { dataset: { user: 'bob' } } });
  assert.deepEqual(tim.called('login').at(-1), { userID: 'bob', userSig: 's' });
  assert.equal(phone.app.userID, 'bob');
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/conversations/conversations' });
});

test('a login that fails is told, and can be tried again', async () => {
  phone.app.userID = '';
  const page = await phone.open('login');
  tim.login = () => Promise.reject(Object.assign(new Error('expired'), { code: 70001 }));
  await page.choose({ currentTarget: { dataset: { user: 'bob' } } });
  assert.equal(phone.said('showModal').at(-1).content, 'expired');
  assert.equal(page.data.entering, '');
  assert.equal(phone.said('reLaunch').length, 0);
});

test('a user who is kicked out decides whether to log in again, and comes back to the same page', async () => {
  await phone.chat();
  phone.confirm = false;
  tim.emit(EVENT.KICKED_OUT, { type: TYPES.KICKED_OUT_MULT_ACCOUNT });
  await settled();
  assert.equal(tim.called('login').length, 1);
  const { url } = phone.said('reLaunch').at(-1);
  assert.match(url, /^\/pages\/login\/login\?then=/);

  const login = await phone.open('login', queryOf(url));
  await login.choose({ currentTarget: { dataset: { user: 'alice' } } });
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/chat/chat?conversationID=C2Cbob' });

  // And again, at once this time, from the page that has come back.
  phone.confirm = true;
  await phone.chat();
  for (const time of [3, 4]) {
    tim.emit(EVENT.KICKED_OUT, { type: TYPES.KICKED_OUT_MULT_DEVICE });
    await until(() => phone.app.userID === 'alice');
    await settled();
    assert.equal(tim.called('login').length, time);
    assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/chat/chat?conversationID=C2Cbob' });
  }
});

test('a user who is kicked out without a network finds the login, which works when the network is back', async () => {
  await phone.chat();
  phone.isOnline = false;
  for (const type of [TYPES.KICKED_OUT_MULT_ACCOUNT, TYPES.KICKED_OUT_USERSIG_EXPIRED]) {
    tim.emit(EVENT.KICKED_OUT, { type });
    await settled();
    assert.match(phone.said('showToast').at(-1).title, /连不上/);
    assert.match(phone.said('reLaunch').at(-1).url, /^\/pages\/login\/login\?then=/);
  }
  const login = await phone.open('login', queryOf(phone.said('reLaunch').at(-1).url));
  await login.choose({ currentTarget: { dataset: { user: 'alice' } } });
  assert.match(phone.said('showModal').at(-1).content, /连不上/);
  phone.isOnline = true;
  await login.choose({ currentTarget: { dataset: { user: 'alice' } } });
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/chat/chat?conversationID=C2Cbob' });
});

test('any page can be the first one: it logs in the user of the last time and works', async () => {
  for (const name of ['chat', 'conversations']) {
    const later = new Phone();
    later.storage.set('userID', 'alice');
    later.launch();
    later.tim.conversationList = [conversation('bob', 2)];
    later.tim.pages.push(history(1, 3));
    const page = await later.open(name, { conversationID: 'C2Cbob' });
    await settled();
    assert.equal(later.app.userID, 'alice');
    assert.equal(rows(page).length, name === 'chat' ? 3 : 1);
    if (name === 'chat') {
      page.type({ detail: { value: '你好' } });
      await page.send();
      assert.equal(texts(page).at(-1), '你好');
    }
    page.onHide?.();
    page.onShow?.();
    page.onUnload();
  }
});

test('a page that is opened while nobody is known leads to the login and back to it', async () => {
  const first = new Phone();
  first.launch();
  const page = await first.chat('b&b');
  // Until then it does nothing, and breaks nothing.
  page.onHide();
  page.onShow();
  await page.loadOlder();
  page.toggleBlocked();
  page.send();
  page.onUnload();
  const login = await first.open('login', queryOf(first.said('reLaunch').at(-1).url));
  await login.choose({ currentTarget: { dataset: { user: 'alice' } } });
  assert.deepEqual(first.said('reLaunch').at(-1), { url: '/pages/chat/chat?conversationID=C2Cb%26b' });

  const list = new Phone();
  list.launch();
  (await list.open('conversations')).onUnload();
  const next = queryOf(list.said('reLaunch').at(-1).url);
  await (await list.open('login', next)).choose({ currentTarget: { dataset: { user: 'alice' } } });
  assert.deepEqual(list.said('reLaunch').at(-1), { url: '/pages/conversations/conversations' });
});

test('a link that names no conversation leads to the list, and none leads out of the demo', async () => {
  for (const query of [{}, { conversationID: '%E0%A4%A' }, { conversationID: 'GROUPx' }, { conversationID: 'C2C' }]) {
    await phone.open('chat', query as Record<string, string>);
    assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/conversations/conversations' });
  }
  phone.app.userID = '';
  for (const then of ['%', encodeURIComponent('https://example.com/'), encodeURIComponent('/pages/login/login')]) {
    const login = await phone.open('login', { then });
    assert.equal(login.then, '/pages/conversations/conversations');
  }
});

test('who logs out is not logged in by the next link', async () => {
  await phone.app.leave();
  await phone.chat();
  assert.equal(tim.called('login').length, 1);
  assert.match(phone.said('reLaunch').at(-1).url, /^\/pages\/login\/login\?then=/);
});

test('the button to the home page leads who is logged in to the list', async () => {
  await phone.open('login');
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/conversations/conversations' });
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
  assert.deepEqual(rows(page).map((row: Any) => [row.name, row.unread, row.preview]), [['bob', '2', 'bob说']]);
  assert.equal(phone.said('setNavigationBarTitle').at(-1).title, '会话（2）');

  tim.conversationList = [conversation('carol', 120, { isPinned: true }), conversation('bob', 0)];
  tim.emit(EVENT.CONVERSATION_LIST_UPDATED, tim.conversationList);
  assert.deepEqual(rows(page).map((row: Any) => [row.name, row.unread, row.isPinned]), [['carol', '99+', true], ['bob', '', false]]);
});

test('the list of the last time is shown while the login is under way, and older conversations come at its end', async () => {
  const later = new Phone();
  later.storage.set('userID', 'alice');
  later.launch();
  let letIn = (): void => {};
  const { login } = later.tim;
  later.tim.login = async (options) => {
    later.tim.emit(EVENT.CONVERSATION_LIST_UPDATED, [conversation('bob', 2)]);
    await new Promise<void>((resolve) => { letIn = resolve; });
    return login.call(later.tim, options);
  };
  const opening = later.open('conversations');
  await settled();
  const [page] = later.pages;
  assert.equal(later.created.cache, true);
  assert.deepEqual(rows(page).map((row: Any) => row.name), ['bob']);
  assert.deepEqual([page.data.loaded, later.app.userID], [false, '']);
  page.showMenu(on('C2Cbob'));
  page.onReachBottom();
  assert.deepEqual(later.tim.called('getConversationList'), []);

  letIn();
  await opening;
  assert.equal(page.data.loaded, true);
  await page.onReachBottom();
  assert.deepEqual(later.tim.called('getConversationList').at(-1), { loadOlder: true });
  later.tim.emit(EVENT.CONVERSATION_LIST_UPDATED, [conversation('bob', 0), conversation('carol', 0)]);
  assert.deepEqual(rows(page).map((row: Any) => row.name), ['bob', 'carol']);
});

test('the list says who recalled the last message', async () => {
  const lastMessage = { lastTime: NOW, type: TYPES.MSG_TEXT, payload: { text: '' }, isRevoked: true };
  tim.conversationList = [
    conversation('bob', 0, { lastMessage: { ...lastMessage, fromAccount: 'bob' } }),
    conversation('carol', 0, { lastMessage: { ...lastMessage, fromAccount: 'alice' } }),
  ];
  const page = await phone.open('conversations');
  assert.deepEqual(rows(page).map((row: Any) => row.preview), ['对方撤回了一条消息', '你撤回了一条消息']);
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
  assert.equal(rows(page).length, 1);
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

test('a user who reads further up is not pulled down by a new message', async () => {
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
  assert.deepEqual([textOf(rows(page)[0]), rows(page)[0].sending, rows(page)[0].mark], ['你好', true, '']);
  assert.equal(page.data.input, '');
  await sent;
  assert.deepEqual([rows(page)[0].sending, rows(page)[0].mark], [false, '未读']);
  tim.emit(EVENT.MESSAGE_READ_BY_PEER, [{ ...tim.called('sendMessage')[0], isPeerRead: true }]);
  assert.equal(rows(page)[0].mark, '已读');
});

test('a message that is refused says why, and goes out when it is sent again', async () => {
  const page = await phone.chat();
  tim.sending = Promise.reject(Object.assign(new Error('refused'), { code: 20007 }));
  page.type({ detail: { value: '你好' } });
  await page.send();
  const { id, failed, reason } = rows(page)[0];
  assert.deepEqual([failed, reason], [true, '你已被对方拉黑，消息没有送达']);
  // Which of the two has blocked the other one is in the text.
  tim.sending = Promise.reject(Object.assign(new Error('take them off with removeFromBlacklist'), { code: 20007 }));
  await page.resend(on(id));
  assert.equal(rows(page)[0].reason, '你已拉黑对方，移出黑名单后才能发送');
  // And so is whether it was the upload that failed, or a type that will not be taken the next time either.
  for (const [code, text, said] of [
    [2300, 'audio of this type is not taken: send mp3', '不能发送这种格式'], [2300, 'the upload has failed, try again', '上传没有成功，请再试一次'],
    [60007, 'a user may upload 500 MB per day', '这段时间发得太多了，请过一会儿再试'],
  ] as const) {
    tim.sending = Promise.reject(Object.assign(new Error(text), { code }));
    await page.resend(on(id));
    assert.equal(rows(page)[0].reason, said);
  }
  tim.sending = Promise.resolve();
  await page.resend(on(id));
  assert.equal(tim.called('resendMessage').length, 5);
  assert.deepEqual(rows(page).map((row: Any) => [row.failed, row.reason, row.mark]), [[false, '', '未读']]);
});

test('what was on its way when the user left is there when they return, and settles there', async () => {
  let arrive = (): void => {};
  tim.sending = new Promise<void>((resolve) => { arrive = resolve; });
  const first = await phone.chat();
  first.type({ detail: { value: '路上' } });
  const sent = first.send();
  first.onUnload();
  const second = await phone.chat();
  assert.equal(rows(second)[0].sending, true);
  arrive();
  await sent;
  assert.deepEqual([rows(second)[0].sending, rows(second)[0].mark], [false, '未读']);
});

test('one can recall an own message and edit it again, and nobody else\'s', async () => {
  const early = { ...message(0, { flow: 'out' }), time: NOW - 60 };
  tim.pages.push({ messageList: [early, message(1), message(2, { flow: 'out', text: '写错了' })], nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  phone.choice = '撤回';
  for (const id of ['bob-0', 'bob-1']) assert.throws(() => page.showMenu(on(id)), /撤回 is not among/);
  page.showMenu(on('bob-2'));
  await settled();
  assert.deepEqual([textOf(rows(page)[2]), rows(page)[2].canEdit, rows(page)[2].mark], ['你撤回了一条消息', true, '']);
  page.editAgain(on('bob-2'));
  assert.equal(page.data.input, '写错了');
});

test('a recalled message of the peer says so, and cannot be edited', async () => {
  tim.pages.push(history(1, 1));
  const page = await phone.chat();
  tim.emit(EVENT.MESSAGE_REVOKED, [{ ...message(1), isRevoked: true, payload: {} }]);
  assert.deepEqual([textOf(rows(page)[0]), rows(page)[0].canEdit], ['对方撤回了一条消息', false]);
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

test('the peer\'s presence follows what the client is told, and is unknown without a network', async () => {
  tim.isOnline = false;
  const page = await phone.chat();
  assert.deepEqual(tim.called('subscribeUserStatus'), [{ userIDList: ['bob'] }]);
  // What is told while the first look is under way is newer than that.
  tim.emit(EVENT.USER_STATUS_UPDATED, [{ userID: 'carol', statusType: 2 }, { userID: 'bob', statusType: 1, customStatus: '' }]);
  await settled();
  assert.equal(page.data.online, '在线');
  tim.emit(EVENT.USER_STATUS_UPDATED, [{ userID: 'bob', statusType: 2, customStatus: '' }]);
  assert.equal(page.data.online, '不在线');
  tim.emit(EVENT.NET_STATE_CHANGE, { state: TYPES.NET_STATE_DISCONNECTED });
  assert.equal(page.data.online, '');
  tim.isOnline = true;
  tim.emit(EVENT.NET_STATE_CHANGE, { state: TYPES.NET_STATE_CONNECTED });
  await settled();
  assert.equal(page.data.online, '在线');
  page.onUnload();
  assert.deepEqual(tim.called('unsubscribeUserStatus'), [{ userIDList: ['bob'] }]);
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

test('pictures are on the screen at once, each as a message of its own, and are looked at together', async () => {
  let arrive = (): void => {};
  tim.sending = new Promise<void>((resolve) => { arrive = resolve; });
  const page = await phone.chat();
  tim.emit(EVENT.MESSAGE_RECEIVED, [{ ...message(1), ...picture(`${MEDIA}bob`, { width: 1000, height: 500 }) }]);
  phone.choice = '图片';
  phone.chosen = { tempFiles: ['a', 'b'].map((name) => ({ tempFilePath: `http://tmp/${name}.jpg`, size: 5, fileType: 'image' })), type: 'image' };
  page.attach();
  assert.deepEqual(tim.called('createImageMessage').map(({ to, conversationType, payload }) => [to, conversationType, payload.file.tempFiles.length]), [['bob', 'C2C', 1], ['bob', 'C2C', 1]]);
  assert.deepEqual(rows(page).map(({ kind, src, progress, sending, parts }) => [kind, src, progress, sending, parts]), [
    ['picture', `${MEDIA}bob.2`, -1, false, []], ['picture', 'http://tmp/a.jpg', 0, true, []], ['picture', 'http://tmp/b.jpg', 0, true, []],
  ]);
  assert.deepEqual([rows(page)[0].width, rows(page)[0].height], [420, 210]);
  // Of a picture on the device nobody knows the size before it is shown.
  const { id } = rows(page)[1];
  page.loaded({ ...on(id), detail: { width: '500', height: '1000' } });
  page.loaded({ ...on('bob-1'), detail: { width: 500, height: 1000 } });
  assert.deepEqual(rows(page).map(({ width, height }) => [width, height]), [[420, 210], [250, 500], [280, 280]]);

  phone.calls.length = 0;
  for (let part = 0; part <= 100; part += 1) tim.progressed(part / 100);
  assert.equal(rows(page)[2].progress, 100);
  assert.ok(phone.calls.length <= 20 && Math.max(...phone.calls) < 100, `${phone.calls}`);
  arrive();
  await settled();
  assert.deepEqual(rows(page).slice(1).map(({ src, progress, mark }) => [src, progress, mark]), [['http://tmp/a.jpg', -1, '未读'], ['http://tmp/b.jpg', -1, '未读']]);
  page.open(on(id));
  assert.deepEqual(phone.said('previewImage'), [{ current: `${MEDIA}${id}`, urls: rows(page).map((row) => `${MEDIA}${row.id === 'bob-1' ? 'bob' : row.id}`) }]);
});

test('a picture that was recalled is not there any more, whatever is left in its message', async () => {
  const [one, two] = [1, 2].map((sequence) => ({ ...message(sequence), ...picture(`${MEDIA}${sequence}`) }));
  tim.pages.push({ messageList: [one, two], nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  tim.emit(EVENT.MESSAGE_REVOKED, [{ ...one, isRevoked: true }]);
  assert.deepEqual(rows(page).map((row) => [row.kind, textOf(row)]), [['', '对方撤回了一条消息'], ['picture', '']]);
  page.open(on('bob-1'));
  page.open(on('bob-2'));
  assert.deepEqual(phone.said('previewImage'), [{ current: `${MEDIA}2`, urls: [`${MEDIA}2`] }]);
});

test('an upload that fails says why and goes out when it is sent again, and one that is under way can be given up', async () => {
  const page = await phone.chat();
  phone.choice = '文件';
  phone.chosen = { tempFiles: [{ path: 'wxfile://1', name: '报价.pdf', size: 2_500_000 }] };
  tim.sending = Promise.reject(Object.assign(new Error('too large'), { code: 2402 }));
  page.attach();
  await settled();
  const [row] = rows(page);
  assert.deepEqual([row.failed, row.reason, row.progress, row.stem, row.extension, row.detail], [true, '不能超过 100 MB', -1, '报价', '.pdf', '2.4 MB']);
  let giveUp = (_: Error): void => {};
  tim.sending = new Promise((_, reject) => { giveUp = reject; });
  const again = page.resend(on(row.id));
  assert.deepEqual([rows(page)[0].failed, rows(page)[0].progress], [false, 0]);
  phone.choice = '取消发送';
  page.showMenu(on(row.id));
  giveUp(new Error('deleted'));
  await again;
  assert.deepEqual(rows(page), []);
  page.onUnload();
  tim.getMessageList = () => Promise.reject(new Error('no history'));
  assert.deepEqual(rows(await phone.chat()), []);
});

test('a chooser that is closed says nothing, and one that WeChat refuses says why', async () => {
  const page = await phone.chat();
  phone.choice = '视频';
  phone.chosen = 'chooseMedia:fail cancel';
  page.attach();
  assert.equal(phone.said('showToast').length, 0);
  phone.chosen = 'chooseMedia:fail api scope is not declared in the privacy agreement';
  page.attach();
  assert.match(phone.said('showToast').at(-1).title, /privacy agreement/);
});

test('a voice is recorded while a finger is down, and is not sent when it moves up or lifts at once', async () => {
  const { asked, tells } = phone.recorder;
  const page = await phone.chat();
  const finger = (clientY: number): Any => ({ touches: [{ clientY }] });
  const take = (duration: number): void => tells['onStop']?.({ tempFilePath: 'http://tmp/1.mp3', duration, fileSize: 9_000 });
  page.toggleVoice();
  assert.equal(page.data.isVoice, true);
  page.startRecording(finger(700));
  assert.deepEqual([asked[0][0], asked[0][1].format, page.data.recording], ['start', 'mp3', 'on']);
  tells['onStart']?.();
  page.letGo();
  assert.deepEqual([asked.at(-1), page.data.recording], ['stop', '']);
  take(3_400);
  await settled();
  assert.deepEqual(tim.called('createAudioMessage').map(({ payload }) => payload.file), [{ tempFilePath: 'http://tmp/1.mp3', duration: 3_400, fileSize: 9_000 }]);
  assert.deepEqual(rows(page).map(({ kind, detail }) => [kind, detail]), [['voice', '3″']]);

  page.startRecording(finger(700));
  tells['onStart']?.();
  page.moveRecording(finger(600));
  assert.equal(page.data.recording, 'off');
  page.letGo();
  take(3_000);
  // The finger has gone before the user has said whether the microphone may be used.
  page.startRecording(finger(700));
  page.letGo();
  const stops = asked.length;
  tells['onStart']?.();
  assert.deepEqual(asked.slice(stops), ['stop']);
  take(20);
  assert.equal(phone.said('showToast').at(-1).title, '说话时间太短');
  page.startRecording(finger(700));
  tells['onError']?.({ errMsg: 'startRecord:fail auth deny' });
  assert.deepEqual([phone.said('showToast').at(-1).title, page.data.recording], ['没有使用麦克风的权限', '']);
  // A user who leaves the chat sends nothing by it.
  page.startRecording(finger(700));
  tells['onStart']?.();
  page.onUnload();
  take(5_000);
  assert.equal(tim.called('sendMessage').length, 1);
});

test('one voice plays at a time, and a tap, its end and leaving stop it', async () => {
  const voice = (sequence: number): Any => ({ ...message(sequence), type: TYPES.MSG_AUDIO, payload: { url: `${MEDIA}${sequence}.mp3`, second: sequence } });
  tim.pages.push({ messageList: [voice(1), voice(2)], nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  const { asked, tells } = phone.player;
  const playing = (): boolean[] => rows(page).map((row) => row.playing);
  page.open(on('bob-1'));
  page.open(on('bob-2'));
  assert.deepEqual(asked, [['src', `${MEDIA}1.mp3`], 'play', 'stop', ['src', `${MEDIA}2.mp3`], 'play']);
  assert.deepEqual(playing(), [false, true]);
  page.open(on('bob-2'));
  assert.deepEqual([asked.at(-1), ...playing()], ['stop', false, false]);
  page.open(on('bob-1'));
  tells['onEnded']?.();
  assert.deepEqual(playing(), [false, false]);
  page.open(on('bob-1'));
  tells['onError']?.({ errCode: 10004 });
  assert.deepEqual([phone.said('showToast').at(-1).title, ...playing()], ['播放不了', false, false]);
  page.open(on('bob-1'));
  page.onHide();
  assert.deepEqual([asked.at(-1), ...playing()], ['stop', false, false]);
  page.onUnload();
  assert.equal(asked.at(-1), 'destroy');
});

test('a video has a picture and its length, and plays on the whole screen', async () => {
  const page = await phone.chat();
  phone.choice = '视频';
  phone.chosen = { tempFiles: [{ tempFilePath: 'http://tmp/1.mp4', thumbTempFilePath: 'http://tmp/1.jpg', size: 5, duration: 75.4, width: 1080, height: 1920 }] };
  page.attach();
  await settled();
  const [{ id, ...row }] = rows(page);
  assert.deepEqual([row.kind, row.src, row.detail, row.width, row.height], ['video', 'http://tmp/1.jpg', '1:15', 281, 500]);
  page.open(on(id));
  assert.deepEqual(phone.said('previewMedia'), [{ sources: [{ url: `${MEDIA}${id}`, type: 'video', poster: `${MEDIA}${id}.jpg` }] }]);
});

test('a document is downloaded when it is tapped, and opens; for any other file there is its address', async () => {
  const file = (sequence: number, fileName: string): Any => ({ ...message(sequence), type: TYPES.MSG_FILE, payload: { fileUrl: `${MEDIA}${sequence}`, fileName, fileSize: 1_234 } });
  tim.pages.push({ messageList: [file(1, '合同.DOCX'), file(2, 'a.zip')], nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  assert.equal(phone.said('downloadFile').length, 0);
  page.open(on('bob-1'));
  page.open(on('bob-1'));
  const [download, ...others] = phone.said('downloadFile');
  assert.deepEqual([download.url, others.length], [`${MEDIA}1`, 0]);
  download.progressed(50);
  assert.equal(rows(page)[0].progress, 50);
  download.success({ statusCode: 200, tempFilePath: 'http://tmp/x' });
  download.complete();
  assert.equal(rows(page)[0].progress, -1);
  const [{ filePath, fileType }] = phone.said('openDocument');
  assert.deepEqual([filePath, fileType], ['http://tmp/x', 'docx']);

  page.open(on('bob-1'));
  const again = phone.said('downloadFile')[1];
  again.success({ statusCode: 404, tempFilePath: 'http://tmp/y' });
  again.complete();
  assert.match(phone.said('showToast').at(-1).title, /404/);
  page.open(on('bob-1'));
  phone.said('downloadFile')[2].fail({ errMsg: 'downloadFile:fail url not in domain list' });
  assert.match(phone.said('showToast').at(-1).title, /domain list/);

  page.open(on('bob-2'));
  assert.equal(phone.said('downloadFile').length, 3);
  assert.deepEqual(phone.said('setClipboardData'), [{ data: `${MEDIA}2` }]);
  assert.equal(phone.said('openDocument').length, 1);
});

test('what leads to the device, or to nothing that can be loaded, is a placeholder and opens nothing', async () => {
  const urls = ['wxfile://tmp_1/a', 'http://tmp/a', 'http://usr/a', 'javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'https://', `https://example.com/${'\u0001'.repeat(2_000)}`];
  const all = urls.flatMap((url) => [
    picture(url),
    { type: TYPES.MSG_AUDIO, payload: { url } },
    { type: TYPES.MSG_VIDEO, payload: { videoUrl: url, thumbUrl: url } },
    { type: TYPES.MSG_FILE, payload: { fileUrl: url, fileName: 'a.pdf' } },
  ]);
  tim.pages.push({ messageList: all.map((each, at) => ({ ...message(at + 1), ...each })), nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  assert.deepEqual([...new Set(texts(page))].sort(), ['[图片]', '[文件]', '[视频]', '[语音]']);
  const before = phone.shown.length;
  for (const row of rows(page)) page.open(on(row.id));
  assert.equal(phone.shown.length, before);
  // A name is text, whose letters nobody turns around; the longest address still fits into a call of setData.
  tim.emit(EVENT.MESSAGE_RECEIVED, [
    { ...message(50), type: TYPES.MSG_FILE, payload: { fileUrl: MEDIA, fileName: `报价\u202efdp.exe\n${'长'.repeat(3_000)}`, fileSize: Infinity } },
    { ...message(51), ...picture(`https://example.com/${'长'.repeat(670)}`) },
  ]);
  const [file, long] = rows(page).slice(-2);
  assert.match(file.stem + file.extension, /^报价fdp\.exe长+$/);
  assert.deepEqual([file.kind, file.detail, long.kind], ['file', '', 'picture']);
});

test('with 500 messages no setData is above 10 KB, and a read mark costs a field', async () => {
  for (let page = 0; page < 34; page++) {
    const to = 510 - page * 15;
    const list = history(to - 14, to, page === 33 ? '' : `page ${page}`);
    for (const each of list.messageList) Object.assign(each, { flow: each.sequence % 2 ? 'in' : 'out', payload: { text: `第 ${each.sequence} 句，${'说得很长'.repeat(10)}` } });
    tim.pages.push(list);
  }
  const page = await phone.chat();
  while (!page.data.complete) await page.loadOlder();
  assert.equal(rows(page).length, 510);
  assert.ok(Buffer.byteLength(JSON.stringify(page.data)) > 100_000);
  const all = Array.from({ length: 510 }, (_, index) => index + 1);
  const inOrder = (numbers: number[]): void => assert.deepEqual(texts(page).map((text) => Number(/\d+/.exec(text)?.[0])), numbers);
  inOrder(all);

  phone.calls.length = 0;
  tim.emit(EVENT.MESSAGE_READ_BY_PEER, [{ ...page.find('bob-300'), isPeerRead: true }]);
  assert.deepEqual(phone.calls.length, 1);
  assert.ok((phone.calls[0] ?? 0) < 100, `${phone.calls[0]} bytes`);
  assert.equal(rows(page)[299].mark, '已读');

  phone.calls.length = 0;
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(511)]);
  assert.ok(Math.max(...phone.calls) < 1_000, `${phone.calls} bytes`);
  tim.emit(EVENT.MESSAGE_READ_BY_PEER, page.messages.filter((one: Any) => one.flow === 'out').map((one: Any) => ({ ...one, isPeerRead: true })));
  assert.ok(rows(page).every((row) => !row.own || row.mark === '已读'));
  phone.choice = '删除';
  for (const id of ['bob-1', 'bob-250', 'bob-511']) {
    page.showMenu(on(id));
    await settled();
  }
  tim.emit(EVENT.MESSAGE_RECEIVED, [message(512), message(513), message(514)]);
  inOrder([...all.filter((each) => each !== 1 && each !== 250), 512, 513, 514]);
});

test('a text that does not fit into one setData comes in pieces, none of which cuts an emoji', async () => {
  const long = ['👨‍👩‍👧‍👦'.repeat(480), 'x'.repeat(12_000), '\u0001'.repeat(4_000), `a${'\u0301'.repeat(6_000)}`, '第\n"句"'.repeat(1_500)];
  tim.pages.push({ messageList: long.map((text, at) => message(at + 1, { text })), nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  assert.deepEqual(texts(page), long);
  for (const part of rows(page)[0].parts) assert.equal(part.replaceAll('👨‍👩‍👧‍👦', ''), '');
  tim.emit(EVENT.MESSAGE_REVOKED, [{ ...message(2), isRevoked: true }]);
  assert.equal(textOf(rows(page)[1]), '对方撤回了一条消息');

  page.type({ detail: { value: '写'.repeat(4_000) } });
  await page.send();
  assert.equal(texts(page).at(-1), '写'.repeat(4_000));
  assert.equal(page.data.input, '');
  tim.conversationList = [conversation('bob', 1, { lastMessage: { lastTime: NOW, fromAccount: 'bob', type: TYPES.MSG_TEXT, payload: { text: long[0] } } })];
  const list = await phone.open('conversations');
  assert.match(rows(list)[0].preview, /^(👨‍👩‍👧‍👦)+…$/u);
});

test('a conversation that moves to the top changes the order, and its own row', async () => {
  tim.conversationList = Array.from({ length: 300 }, (_, index) => conversation(`user${index}`, 1));
  const page = await phone.open('conversations');
  assert.equal(rows(page).length, 300);
  const last = conversation('user299', 2);
  phone.calls.length = 0;
  tim.conversationList = [last, ...tim.conversationList.slice(0, 299)];
  tim.emit(EVENT.CONVERSATION_LIST_UPDATED, tim.conversationList);
  assert.deepEqual(rows(page).slice(0, 2).map((row) => [row.id, row.unread]), [['C2Cuser299', '2'], ['C2Cuser0', '1']]);
  assert.ok(phone.calls.length === 1 && (phone.calls[0] ?? 0) < 2_000, `${phone.calls} bytes`);
});

test('a list is shown as it is, whatever changes in it, also with thousands of rows', async () => {
  const page = await phone.open('conversations');
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  let list = Array.from({ length: 2_500 }, (_, index) => conversation(`u${index}`, 0));
  tim.emit(EVENT.CONVERSATION_LIST_UPDATED, list);
  list = [...list].reverse();
  for (let turn = 0; turn < 60; turn++) {
    tim.emit(EVENT.CONVERSATION_LIST_UPDATED, list);
    assert.deepEqual(rows(page).map((row) => [row.id, row.unread]), list.map((each) => [each.conversationID, each.unreadCount ? String(each.unreadCount) : '']));
    const at = random(list.length);
    const what = random(5);
    if (what === 0) list = list.slice(random(20)).reverse();
    else if (what === 1) list = [conversation(`new${turn}`, 1), ...list];
    else if (what === 2) list = [...list.slice(0, at), ...list.slice(at + 1 + random(1_000))];
    else if (what === 3) list = [...list, ...Array.from({ length: 50 }, (_, index) => conversation(`more${turn}-${index}`, 0))];
    else list = list.map((each, index) => (index === at ? conversation(each.userProfile.userID, turn) : each));
  }
});

test('one odd message of any type shows a placeholder, and everything else stays in place', async () => {
  const odd: Any[] = Object.entries(SCRIPT_PAYLOADS).map(([type, payload]) => ({ type, payload }));
  for (const [type, fields] of Object.entries(FIELDS)) {
    for (const value of ODD_VALUES) {
      odd.push({ type, payload: value });
      if (typeof value !== 'string') odd.push(...fields.map((field) => ({ type, payload: { [field]: value } })));
    }
  }
  for (const type of [...ODD_VALUES, 'constructor', '__proto__']) odd.push({ type, payload: { text: 'x' } });
  const all = [message(1), ...odd.map((each, index) => ({ ...message(index + 2), nick: each.payload, ...each })), message(odd.length + 2)];
  tim.pages.push({ messageList: all, nextReqMessageID: '', isCompleted: true });
  const page = await phone.chat();
  const shown = texts(page);
  assert.deepEqual([shown.length, shown[0], shown.at(-1)], [odd.length + 2, '1', `${odd.length + 2}`]);
  for (const text of shown.slice(1, -1)) assert.match(text, /^\[.+\]$/);
  assert.ok(rows(page).every((row) => row.initial === 'B'));

  tim.conversationList = odd.map((each, index) => conversation(`u${index}`, 0, {
    remark: each.payload, userProfile: { userID: `u${index}`, nick: each.payload }, lastMessage: { lastTime: NOW, fromAccount: 'x', ...each },
  }));
  const list = await phone.open('conversations');
  for (const [index, row] of rows(list).entries()) assert.equal(row.name, `u${index}`);
  for (const row of rows(list)) assert.match(row.preview, /^\[.+\]$/);
  tim.conversationList = ODD_VALUES.map((value, index) => conversation(`u${index}`, 0, { userProfile: value, lastMessage: { lastTime: value, type: TYPES.MSG_TEXT, payload: {} } }));
  tim.emit(EVENT.CONVERSATION_LIST_UPDATED, tim.conversationList);
  assert.equal(rows(list).length, ODD_VALUES.length);
  for (const row of rows(list)) assert.match(row.time, /^(\d\d:\d\d)?$|年/);
});

test('a family, a flag and a skin tone stay whole in an avatar', async () => {
  for (const character of ['👨‍👩‍👧‍👦', '🇨🇳', '👍🏽', '汉']) {
    tim.conversationList = [conversation('bob', 0, { remark: `${character}李` })];
    assert.equal(rows(await phone.open('conversations'))[0].initial, character);
  }
});

// Groups

function group(role: string, fields = {}): Any {
  return { groupID: 'g1', name: '同学', type: TYPES.GRP_PUBLIC, memberNum: 3, inviteOption: 'DisableInvite', muteAllMembers: false, selfInfo: { role, messageRemindType: 'AcceptAndNotify' }, ...fields };
}

const inGroup = (sequence: number, from: string, fields = {}): Any => ({
  ...message(sequence, { flow: from === 'alice' ? 'out' : 'in' }), ID: `g-${sequence}`, from, to: 'g1', conversationID: 'GROUPg1', nick: `${from}的昵称`, ...fields,
});
const tipOf = (sequence: number, from: string, operationType: number, fields = {}): Any =>
  inGroup(sequence, from, { type: TYPES.MSG_GRP_TIP, payload: { operationType, operatorID: from, userIDList: [], memberList: [], newGroupProfile: {}, ...fields } });

async function groupChat(role: string, messages: Any[] = []): Promise<Any> {
  tim.emit(EVENT.GROUP_LIST_UPDATED, [group(role)]);
  tim.pages.push({ messageList: messages, nextReqMessageID: '', isCompleted: true });
  return phone.open('chat', { conversationID: 'GROUPg1' });
}

test('a group that is tapped as soon as somebody is logged in opens, whatever is still under way', async () => {
  const later = new Phone();
  later.launch();
  later.tim.groupList = [group('Member')];
  later.tim.getBlacklist = () => new Promise(() => {});
  void later.app.enter('alice');
  await until(() => later.app.userID === 'alice');
  await later.open('chat', { conversationID: 'GROUPg1' });
  await settled();
  assert.equal(later.said('reLaunch').length, 0);
});

test('the list has groups: their names, who said what, and that somebody was mentioned', async () => {
  const of = (lastMessage: Any, fields = {}): Any => conversation('x', 0, {
    conversationID: 'GROUPg1', type: TYPES.CONV_GROUP, groupProfile: { name: '同学' }, lastMessage: { lastTime: NOW, fromAccount: 'bob', nick: '鲍勃', isRevoked: false, ...lastMessage }, ...fields,
  });
  const text = { type: TYPES.MSG_TEXT, payload: { text: '你好' } };
  const page = await phone.open('conversations');
  for (const [last, preview, fields] of [
    [text, '鲍勃：你好', {}], [{ ...text, fromAccount: 'alice' }, '你：你好', {}], [{ ...text, nameCard: '老鲍' }, '[有人@我] 老鲍：你好', { groupAtInfoList: [{ atTypeArray: [1] }] }],
    [{ ...text, isRevoked: true, revoker: 'bob' }, '鲍勃撤回了一条消息', {}],
    [{ type: TYPES.MSG_GRP_TIP, payload: { operationType: 1, operatorID: 'bob', userIDList: ['alice'], memberList: [{ userID: 'alice', nick: '爱丽丝' }] } }, 'bob 邀请 你 加入了群', {}],
    [{ type: TYPES.MSG_GRP_TIP, payload: 7 }, '[群提示]', {}],
  ] as const) {
    tim.emit(EVENT.CONVERSATION_LIST_UPDATED, [of(last, fields)]);
    assert.deepEqual([rows(page)[0].name, rows(page)[0].preview], ['同学', preview]);
  }
});

test('a group chat shows senders and what has happened, has no read marks, and names whom it mentions', async () => {
  const page = await groupChat('Member', [
    inGroup(1, 'bob'), inGroup(2, 'bob'), tipOf(3, 'bob', 4, { userIDList: ['carol'], memberList: [{ userID: 'carol', nick: '卡罗' }] }), inGroup(4, 'bob', { nameCard: '老鲍' }),
    inGroup(5, 'alice'), inGroup(6, 'carol', { isRevoked: true, revoker: 'bob', payload: {} }), tipOf(7, 'bob', 6, { newGroupProfile: { groupName: '新名字' } }),
    inGroup(8, 'bob', { type: TYPES.MSG_CUSTOM, payload: { data: 'group_create' } }), tipOf(9, 'bob', 99),
  ]);
  assert.deepEqual(rows(page).map((row: Any) => [row.sender, textOf(row), row.revoked]), [
    ['bob的昵称', '1', false], ['', '2', false], ['', '卡罗 成为管理员', true], ['老鲍', '4', false], ['', '5', false], ['', 'bob撤回了一条消息', true],
    ['', 'bob 把群名改为“新名字”', true], ['', 'bob的昵称 创建了群', true], ['', '[群提示]', true],
  ]);
  assert.equal(rows(page)[4].mark, '');
  assert.deepEqual(phone.said('setNavigationBarTitle').at(-1), { title: '同学（3）' });
  for (const name of ['getUserStatus', 'subscribeUserStatus']) assert.deepEqual(tim.called(name), []);
  // Only what is their own, and recent, can be recalled; nothing is deleted for one user alone.
  phone.choice = '撤回';
  assert.throws(() => page.showMenu(on('g-4')), /撤回 is not among/);
  phone.choice = '删除';
  assert.throws(() => page.showMenu(on('g-5')), /删除 is not among/);

  page.onHide();
  page.type({ detail: { value: '在吗 @' } });
  phone.app.mentioned = { userID: 'bob', name: '老鲍' };
  page.onShow();
  assert.equal(page.data.input, '在吗 @老鲍 ');
  await page.send();
  assert.deepEqual(tim.called('createTextAtMessage'), [{ to: 'g1', conversationType: 'GROUP', payload: { text: '在吗 @老鲍', atUserList: ['bob'] } }]);
  page.type({ detail: { value: '没有别人' } });
  await page.send();
  assert.equal(tim.called('createTextAtMessage').length, 1);
  // A user who is put out has no chat any more.
  tim.emit(EVENT.GROUP_LIST_UPDATED, []);
  assert.deepEqual(phone.said('reLaunch').at(-1), { url: '/pages/conversations/conversations' });
});

test('an admin may recall what others have said', async () => {
  const page = await groupChat('Admin', [inGroup(1, 'bob')]);
  phone.choice = '撤回';
  page.showMenu(on('g-1'));
  await settled();
  assert.equal(tim.called('revokeMessage').length, 1);
});

test('a group is made with its members, or joined, at once or when somebody agrees', async () => {
  const page = await phone.open('group');
  const type = (field: string, value: string): void => page.type({ currentTarget: { dataset: { field } }, detail: { value } });
  await page.create();
  assert.equal(phone.said('showToast').at(-1).title, '群要有名称');
  type('name', ' 同学 ');
  type('users', 'bob, carol，dave');
  page.chooseType({ detail: { value: '1' } });
  page.chooseApproval({ detail: { value: true } });
  await page.create();
  assert.deepEqual(tim.called('createGroup'), [{ name: '同学', type: 'Public', memberList: [{ userID: 'bob' }, { userID: 'carol' }, { userID: 'dave' }], joinOption: 'NeedPermission' }]);
  assert.deepEqual(phone.said('redirectTo').at(-1), { url: '/pages/chat/chat?conversationID=GROUP%40TGS%231' });
  type('groupID', 'g1');
  await page.join();
  assert.deepEqual([tim.called('joinGroup'), phone.said('redirectTo').length], [[{ groupID: 'g1' }], 2]);
  tim.status = 'WaitAdminApproval';
  await page.join();
  assert.deepEqual([phone.said('showToast').at(-1).title, phone.said('redirectTo').length], ['申请已经发出，等群主或管理员同意', 2]);
});

test('the page of a group: its members and what each user may do to each of them', async () => {
  tim.members = [
    { userID: 'alice', role: 'Owner', nick: '', nameCard: '', muteUntil: 0 }, { userID: 'bob', role: 'Admin', nick: '鲍勃', nameCard: '', muteUntil: 0 },
    { userID: 'carol', role: 'Member', nick: '', nameCard: '小卡', muteUntil: NOW + 600 }, ...Array.from({ length: 100 }, (_, at) => ({ userID: `u${at}`, role: 'Member', nick: '', nameCard: '', muteUntil: 0 })),
  ];
  tim.emit(EVENT.GROUP_LIST_UPDATED, [group('Owner')]);
  const page = await phone.open('group', { groupID: 'g1' });
  assert.deepEqual(page.data.members.slice(0, 3).map(({ name, marks }: Any) => [name, marks]), [['alice', '群主'], ['鲍勃', '管理员'], ['小卡', '禁言中']]);
  assert.deepEqual([page.data.members.length, page.data.more, page.data.end, page.data.canMuteAll], [100, true, '解散群', true]);
  await page.loadMore();
  assert.deepEqual([page.data.members.length, page.data.more], [103, false]);
  const choose = async (userID: string, choice: string): Promise<void> => {
    phone.choice = choice;
    page.showMember(on(userID));
    await settled();
  };
  await choose('bob', '取消管理员');
  await choose('carol', '设为管理员');
  assert.deepEqual(tim.called('setGroupMemberRole'), [{ role: 'Member', groupID: 'g1', userID: 'bob' }, { role: 'Admin', groupID: 'g1', userID: 'carol' }]);
  await choose('bob', '禁言 10 分钟');
  await choose('carol', '解除禁言');
  assert.deepEqual(tim.called('setGroupMemberMuteTime'), [{ muteTime: 600, groupID: 'g1', userID: 'bob' }, { muteTime: 0, groupID: 'g1', userID: 'carol' }]);
  await choose('carol', '移出群');
  await choose('bob', '转让群主');
  assert.deepEqual([tim.called('deleteGroupMember'), tim.called('changeGroupOwner')], [[{ groupID: 'g1', userIDList: ['carol'] }], [{ groupID: 'g1', newOwnerID: 'bob' }]]);
  phone.written = ' 小爱 ';
  await choose('alice', '改我的群名片');
  assert.deepEqual(tim.called('setGroupMemberNameCard'), [{ groupID: 'g1', nameCard: '小爱' }]);
  await choose('carol', '@ 对方');
  assert.deepEqual([phone.app.mentioned, phone.said('navigateBack').length], [{ userID: 'carol', name: '小卡' }, 1]);
  phone.written = 'dave eve';
  page.invite();
  await page.toggleMuteAll();
  await page.toggleQuiet();
  page.leave();
  await settled();
  assert.deepEqual(tim.called('addGroupMember'), [{ groupID: 'g1', userIDList: ['dave', 'eve'] }]);
  assert.deepEqual(tim.called('updateGroupProfile'), [{ groupID: 'g1', muteAllMembers: true }]);
  assert.deepEqual(tim.called('setMessageRemindType'), [{ groupID: 'g1', messageRemindType: 'AcceptNotNotify' }]);
  assert.deepEqual(tim.called('dismissGroup'), ['g1']);

  // An admin may less, and a member nothing but name others; a work group has neither.
  for (const [role, type, userID, items] of [
    ['Admin', 'Public', 'carol', ['@ 对方', '解除禁言', '移出群']], ['Admin', 'Public', 'bob', ['@ 对方']], ['Member', 'Public', 'carol', ['@ 对方']], ['Owner', 'Private', 'carol', ['@ 对方', '转让群主', '移出群']],
  ] as const) {
    tim.emit(EVENT.GROUP_LIST_UPDATED, [group(role, { type })]);
    phone.choice = '@ 对方';
    page.showMember(on(userID));
    assert.deepEqual(phone.said('showActionSheet').at(-1).itemList, items);
  }
  assert.equal(page.data.end, '退出群');
  page.leave();
  await settled();
  assert.deepEqual(tim.called('quitGroup'), ['g1']);
});

test('notices are told wherever the user is, and an application is decided', async () => {
  const notice = (operationType: number): Any => ({ ...message(1), type: TYPES.MSG_GRP_SYS_NOTICE, conversationID: '@TIM#SYSTEM', payload: { operationType, operatorID: 'bob', groupProfile: { groupID: 'g1', name: '同学' }, handleMessage: '让我进' } });
  for (const [operationType, told] of [[7, 'bob 邀请你加入了 同学'], [4, '你被移出了 同学'], [5, '同学 已解散'], [9, '你成为 同学 的管理员']] as const) {
    tim.emit(EVENT.MESSAGE_RECEIVED, [notice(operationType)]);
    assert.equal(phone.said('showToast').at(-1).title, told);
  }
  for (const [confirm, handleAction] of [[true, 'Agree'], [false, 'Reject']] as const) {
    phone.confirm = confirm;
    tim.emit(EVENT.MESSAGE_RECEIVED, [notice(1)]);
    assert.deepEqual([phone.said('showModal').at(-1).title, tim.called('handleGroupApplication').at(-1).handleAction], ['bob 申请加入 同学', handleAction]);
  }
});
