/** The demo page in a real browser, against the twin: two users, each in a window of their own. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium, type Browser, type BrowserContext, type FrameLocator, type Locator, type Page } from 'playwright-core';

import { barriers } from './harness/axe.js';
import { FIELDS, ODD_VALUES, SCRIPT_PAYLOADS } from './harness/odd.js';
import { SDK_APP_ID, startTwin, type Twin } from './harness/twin.js';
import { until } from './harness/user.js';

const PICTURE = fileURLToPath(new URL('../../docs/images/demo.png', import.meta.url));
const TIMEOUT_MS = 15_000;

let twin: Twin;
let browser: Browser;
const contexts: BrowserContext[] = [];
const complaints: string[] = [];

before(async () => {
  twin = await startTwin();
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  await twin?.stop();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  assert.deepEqual(complaints.splice(0), [], 'the page has no errors');
});

interface Screen {
  width?: number;
  height?: number;
  locale?: string;
  colorScheme?: 'light' | 'dark';
}

async function browserOf({ width = 1280, height = 800, locale = 'zh-CN', colorScheme = 'light' }: Screen = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme });
  contexts.push(context);
  context.setDefaultTimeout(TIMEOUT_MS);
  context.on('page', (opened) => opened.on('pageerror', (error) => complaints.push(error.message)));
  return context;
}

async function page(path: string, screen?: Screen, context?: BrowserContext): Promise<Page> {
  const opened = await (context ?? await browserOf(screen)).newPage();
  await opened.goto(twin.url + path);
  return opened;
}

/** One user, in a window or in a frame. */
class Desk {
  constructor(readonly view: Page | FrameLocator) {}

  get(testid: string): Locator {
    return this.view.getByTestId(testid);
  }

  /** Waits until exactly these texts are on the screen, in this order. */
  async shows(...texts: string[]): Promise<void> {
    await this.get('message').nth(texts.length - 1).waitFor();
    for (const [index, text] of texts.entries()) {
      await this.get('message').nth(index).getByTestId('text').getByText(text, { exact: true }).waitFor();
    }
    assert.equal(await this.get('message').count(), texts.length);
  }

  async write(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.get('composer').fill(text);
      await this.get('composer').press('Enter');
    }
  }

  async isConnected(): Promise<void> {
    await this.view.locator('[data-testid=state][data-state=connected]').waitFor({ state: 'attached' });
  }

  row(peer: string): Locator {
    return this.view.locator(`[data-testid=conversation][data-id="C2C${peer}"]`);
  }

  async open(peer: string): Promise<void> {
    await this.row(peer).getByRole('button').first().click();
    await this.get('peer').getByText(peer, { exact: true }).waitFor();
  }

  async unread(peer: string, count: number): Promise<void> {
    const badge = this.row(peer).getByTestId('unread');
    await (count ? badge.getByText(`${count}`, { exact: true }).waitFor() : badge.waitFor({ state: 'hidden' }));
  }

  message(text: string): Locator {
    return this.get('message').filter({ hasText: text });
  }

  async chooseFromMenu(text: string, item: string): Promise<void> {
    await this.message(text).hover();
    await this.message(text).getByTestId('message-menu').click();
    await this.get('menu').getByTestId(item).click();
  }
}

let pairs = 0;

/** Two users whom nobody else in this file knows, each in a window; the first one has the chat open. */
async function two(screen?: Screen, bobs?: BrowserContext): Promise<[Desk, Desk, string, string]> {
  pairs += 1;
  const names = [`alice${pairs}`, `bob${pairs}`] as const;
  const alice = new Desk(await page(`/demo/chat.html?user=${names[0]}&peer=${names[1]}&open=1`, screen));
  const bob = new Desk(await page(`/demo/chat.html?user=${names[1]}&peer=${names[0]}`, screen, bobs));
  await Promise.all([alice.isConnected(), bob.isConnected()]);
  await alice.get('history').getByText(/打个招呼吧|Say hello/).waitFor();
  return [alice, bob, ...names];
}

test('a message raises the badge, reading it lowers the badge and marks it as read', async () => {
  const [alice, bob, , bobID] = await two();
  const aliceID = bobID.replace('bob', 'alice');
  await alice.write('在吗', '<b>晚上</b>吃饭？');
  await bob.unread(aliceID, 2);
  assert.match(await (bob.view as Page).title(), /^\(2\)/);
  await alice.message('在吗').getByTestId('read-mark').getByText('未读').waitFor();

  await bob.open(aliceID);
  await bob.shows('在吗', '<b>晚上</b>吃饭？');
  await bob.unread(aliceID, 0);
  await alice.message('在吗').getByTestId('read-mark').getByText('已读').waitFor();
  await alice.message('吃饭').getByTestId('read-mark').getByText('已读').waitFor();

  // The reader is looking at the chat now: what comes is read at once.
  await alice.write('六点？');
  await alice.message('六点？').getByTestId('read-mark').getByText('已读').waitFor();
  await alice.get('peer-state').getByText('在线', { exact: true }).waitFor();
});

test('a message that is recalled is gone for both, and its writer can edit it again', async () => {
  const [alice, bob, aliceID] = await two();
  await alice.write('写错了');
  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  await bob.shows('写错了');
  await alice.chooseFromMenu('写错了', 'recall');
  await bob.get('recalled').getByText('对方撤回了一条消息').waitFor();
  await bob.row(aliceID).getByTestId('preview').getByText('对方撤回了一条消息').waitFor();
  await alice.get('recalled').getByText('你撤回了一条消息').waitFor();
  await alice.get('reedit').click();
  assert.equal(await alice.get('composer').inputValue(), '写错了');
});

test('who was offline gets all that was sent meanwhile, in order and once, and what they wrote arrives', async () => {
  const [alice, bob, aliceID] = await two();
  await alice.write('0');
  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  await bob.shows('0');
  await bob.get('network').click();
  await bob.get('notice').waitFor();
  await alice.write('1', '2', '3');
  await alice.message('3').getByTestId('read-mark').waitFor();
  await bob.write('离线写的');
  await bob.message('离线写的').getByTestId('sending').waitFor();
  await bob.shows('0', '离线写的');

  await bob.get('network').click();
  await bob.isConnected();
  await bob.message('离线写的').getByTestId('read-mark').waitFor();
  await bob.shows('0', '1', '2', '3', '离线写的');
  await alice.shows('0', '1', '2', '3', '离线写的');
  await alice.message('3').getByTestId('read-mark').getByText('已读').waitFor();
});

test('history comes page by page when one scrolls up, and the place is kept', async () => {
  const [alice, bob, aliceID] = await two({ width: 375 });
  const all = Array.from({ length: 40 }, (_, index) => `第 ${index} 句`);
  await alice.write(...all);
  await bob.unread(aliceID, 40);
  await bob.open(aliceID);
  await bob.get('text').getByText('第 39 句', { exact: true }).waitFor();
  const end = bob.get('history').getByText('没有更早的消息了');
  while (!(await end.isVisible())) {
    const shown = await bob.get('message').count();
    const top = bob.get('message').first();
    const id = await top.getAttribute('data-id');
    await bob.get('scroller').evaluate((scroller: { scrollTop: number }) => { scroller.scrollTop = 0; });
    await bob.get('message').nth(shown).or(end).first().waitFor({ state: 'attached' });
    await until(async () => {
      const place = await bob.view.locator(`[data-id="${id}"]`).boundingBox();
      return place !== null && place.y > 0 && place.y < 400;
    }, 'the message that was on top being in view');
  }
  await bob.shows(...all);
});

test('one can pin a conversation, block its user, and delete it', async () => {
  const [alice, bob, aliceID, bobID] = await two();
  await alice.write('你好');
  await alice.row(bobID).click({ button: 'right' });
  await alice.get('menu').getByTestId('pin').click();
  await alice.row(bobID).getByTestId('pinned').waitFor();

  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  await bob.get('chat-menu').click();
  await bob.get('block').click();
  await bob.get('dialog-yes').click();
  await bob.get('peer-state').getByText('已拉黑').waitFor();
  await alice.write('还在吗');
  await alice.message('还在吗').getByTestId('reason').getByText('你已被对方拉黑').waitFor();
  await bob.get('chat-menu').click();
  await bob.get('unblock').click();
  await bob.get('peer-state').getByText('已拉黑').waitFor({ state: 'hidden' });
  await alice.message('还在吗').getByTestId('resend').click();
  await bob.shows('你好', '还在吗');

  await bob.chooseFromMenu('你好', 'delete-message');
  await bob.get('dialog-yes').click();
  await bob.shows('还在吗');
  await bob.get('chat-menu').click();
  await bob.get('delete-conversation').click();
  await bob.get('dialog-yes').click();
  await bob.row(aliceID).waitFor({ state: 'detached' });
  await alice.shows('你好', '还在吗');
});

test('both users are side by side on a wide screen', async () => {
  const both = await page('/');
  const alice = new Desk(both.frameLocator('iframe[name=alice]'));
  const bob = new Desk(both.frameLocator('iframe[name=bob]'));
  await Promise.all([alice.isConnected(), bob.isConnected()]);
  await alice.write('晚上一起吃饭吗？', '新开的那家面馆，听说不错');
  await bob.unread('alice', 2);
  await bob.open('alice');
  await alice.message('面馆').getByTestId('read-mark').getByText('已读').waitFor();
  await bob.write('好啊，六点半？', '😋', '我从公司过去，大概二十分钟，路上堵的话会晚一点');
  await alice.message('二十分钟').getByTestId('text').waitFor();
  await alice.write('行，那我先占个座位');
  await alice.message('占个座位').getByTestId('read-mark').getByText('已读').waitFor();
  // Each has seen the other by now, so this asks again, and both say 在线.
  await bob.get('back').click();
  await bob.open('alice');
  await bob.get('peer-state').getByText('在线', { exact: true }).waitFor();
  if (process.env['SCREENSHOT'] === '1') {
    mkdirSync(dirname(PICTURE), { recursive: true });
    // The last marks come half a second behind the first ones.
    await bob.message('二十分钟').getByTestId('read-mark').getByText('已读').waitFor();
    await both.screenshot({ path: PICTURE });
  }
});

test('on a phone one user is shown, with the badge of the other, and nothing overflows', async () => {
  const both = await page('/', { width: 375, height: 720 });
  const alice = new Desk(both.frameLocator('iframe[name=alice]'));
  const bob = new Desk(both.frameLocator('iframe[name=bob]'));
  await Promise.all([alice.isConnected(), bob.isConnected()]);
  await alice.write('很长'.repeat(60), 'https://example.com/'.padEnd(200, 'x'));
  await both.getByTestId('show-bob').getByText('2', { exact: true }).waitFor();
  const width = (desk: Desk): Promise<number> => desk.view.locator('html').evaluate((html: { scrollWidth: number }) => html.scrollWidth);
  assert.ok((await width(alice)) <= 375);
  await both.getByTestId('show-bob').click();
  await bob.unread('alice', 2);
  assert.ok((await width(bob)) <= 375);
  await bob.open('alice');
  assert.ok((await width(bob)) <= 375);
  const outside = await both.locator('html').evaluate((html: { scrollWidth: number; scrollHeight: number }) => [html.scrollWidth, html.scrollHeight]);
  assert.deepEqual(outside, [375, 720]);
  await both.getByTestId('show-alice').click();
  await alice.message('很长').getByTestId('read-mark').getByText('已读').waitFor();
});

test('the switch of the network is the user\'s own: it stands with their name, not with the peer\'s, and says nothing of the peer', async () => {
  for (const screen of [{ width: 375 }, { width: 1280 }]) {
    const [alice, bob, aliceID, bobID] = await two(screen);
    await bob.row(aliceID).waitFor({ state: 'detached' });
    await alice.write('在吗');
    await bob.unread(aliceID, 1);
    await bob.open(aliceID);
    const mine = bob.view.getByRole('banner').filter({ has: bob.view.getByRole('heading', { name: bobID }) });
    const network = mine.getByRole('switch', { name: '我的网络' });
    assert.equal(await bob.view.getByRole('switch').count(), 1);
    assert.equal(await bob.get('chat').getByRole('switch').count(), 0);
    await bob.get('peer-state').getByText('在线', { exact: true }).waitFor();
    await network.click();
    assert.equal(await network.getAttribute('aria-checked'), 'false');
    await mine.getByText('没有网络').waitFor();
    await bob.get('peer-state').getByText(/./).waitFor({ state: 'hidden' });
    await network.click();
    await mine.getByText('已连接').waitFor();
  }
});

test('who was kicked out logs in again, and again, whatever is on the screen', async () => {
  const [alice, , aliceID, bobID] = await two();
  const address = `/demo/chat.html?user=${aliceID}&peer=${bobID}&open=1`;
  await alice.write('一');
  await alice.row(bobID).click({ button: 'right' });
  await alice.get('delete-conversation').click();
  await alice.get('dialog').waitFor();
  const second = new Desk(await page(address));
  await second.isConnected();
  // The question that was open is still there, and does not stand in the way.
  await alice.get('banner').getByText('这个账号在别处登录了').waitFor();
  await alice.get('dialog-no').click();
  for (const [kicked, other] of [[alice, second], [second, alice], [alice, second], [second, alice]] as const) {
    await kicked.get('banner').getByText('这个账号在别处登录了').waitFor();
    await kicked.get('state').getByText('未登录').waitFor();
    await kicked.get('log-in').click();
    await kicked.isConnected();
    await kicked.get('banner').waitFor({ state: 'hidden' });
    await other.get('banner').waitFor();
  }
  await second.write('二');
  await second.message('二').getByTestId('read-mark').waitFor();
  await second.shows('一', '二');
});

test('who was kicked out can log in while the network is away, and is in when it is back', async () => {
  const [alice, , aliceID, bobID] = await two();
  const other = new Desk(await page(`/demo/chat.html?user=${aliceID}&peer=${bobID}`));
  await alice.get('banner').waitFor();
  await alice.get('network').click();
  await alice.get('log-in').click();
  await alice.get('state').getByText('没有网络').waitFor();
  await alice.get('network').click();
  await alice.isConnected();
  await other.get('banner').waitFor();
  await alice.write('回来了');
  await alice.message('回来了').getByTestId('read-mark').waitFor();
});

test('a login that the server refuses, or that finds no server, is told and can be tried again until it works', async () => {
  const context = await browserOf();
  let answer: 'broken' | 'wrong' | 'gone' | 'right' = 'broken';
  await context.route('**/demo/user?*', async (route) => {
    if (answer === 'broken') return route.fulfill({ status: 500, body: '钥匙丢了' });
    if (answer === 'gone') return route.abort();
    const response = await route.fetch();
    const user = await response.json() as { userSig: string };
    return route.fulfill({ json: { ...user, userSig: answer === 'right' ? user.userSig : 'eJwrong' } });
  });
  const opened = await context.newPage();
  await opened.clock.install();
  await opened.goto(`${twin.url}/demo/chat.html?user=mallory`);
  const mallory = new Desk(opened);
  await mallory.get('banner').getByText('钥匙丢了').waitFor();
  answer = 'gone';
  await mallory.get('log-in').click();
  await mallory.get('banner').getByText('网络不通').waitFor();
  answer = 'wrong';
  for (let time = 0; time < 2; time++) {
    const refused = opened.waitForEvent('websocket').then((socket) => socket.waitForEvent('socketerror'));
    await mallory.get('log-in').click();
    await mallory.get('banner').waitFor({ state: 'hidden' });
    await refused;
    await opened.clock.fastForward(20_000);
    await mallory.get('banner').getByText('没有登录成功').waitFor();
  }
  answer = 'right';
  await mallory.get('network').click();
  await mallory.get('log-in').click();
  await mallory.get('state').getByText('没有网络').waitFor();
  await opened.clock.fastForward(20_000);
  await mallory.get('banner').getByText('网络不通').waitFor();
  // For this one nobody has to ask again.
  await mallory.get('network').click();
  await mallory.isConnected();
  await mallory.get('banner').waitFor({ state: 'hidden' });
});

test('a UserSig that has expired is replaced by a new one, without a question', async () => {
  const own = await startTwin();
  try {
    const opened = await (await browserOf()).newPage();
    await opened.goto(`${own.url}/demo/chat.html?user=alice&peer=bob&open=1`);
    const alice = new Desk(opened);
    await alice.get('history').getByText('打个招呼吧').waitFor();
    const user = opened.waitForRequest(/demo.user/);
    await own.advance(25 * 60 * 60 * 1000);
    await alice.write('第二天');
    await user;
    await alice.isConnected();
    const end = alice.get('resend').or(alice.get('read-mark')).filter({ visible: true }).first();
    await end.waitFor();
    // What was on its way with the old one may have to be sent again.
    if (await alice.get('resend').isVisible()) await alice.get('resend').click();
    await alice.message('第二天').getByTestId('read-mark').waitFor();
    assert.ok(await alice.get('banner').isHidden());
  } finally {
    await own.stop();
  }
});

test('the peer\'s presence is right within 10 s of a change, however the peer comes and goes', async () => {
  const [alice, bob, aliceID, bobID] = await two();
  const sees = (text: string): Promise<void> => alice.get('peer-state').getByText(text, { exact: true }).waitFor({ timeout: 10_000 });
  const view = bob.view as Page;
  // Presence is for those who have a conversation.
  await alice.write('你好');
  await sees('在线');
  await bob.get('network').click();
  await sees('不在线');
  await bob.get('network').click();
  await sees('在线');
  await view.goto('about:blank');
  await sees('不在线');
  await view.goto(`${twin.url}/demo/chat.html?user=${bobID}&peer=${aliceID}`);
  await sees('在线');
  // Without a network of one's own nobody knows, and afterwards it is right at once.
  await alice.get('network').click();
  await alice.get('peer-state').getByText(/./).waitFor({ state: 'hidden' });
  await view.close();
  await alice.get('network').click();
  await sees('不在线');
  // Who is kicked out and comes back goes on watching.
  const other = await page(`/demo/chat.html?user=${aliceID}`);
  await alice.get('log-in').click();
  await alice.isConnected();
  await sees('不在线');
  await other.close();
  await page(`/demo/chat.html?user=${bobID}`);
  await sees('在线');
});

/** All that a page shows or says and that is in Chinese, but for what is marked as being so. */
const HAN = `[...document.querySelectorAll('body, body *')].filter((node) => !node.closest('[lang^=zh]:not(html)')).flatMap((node) => [
  ...[...node.childNodes].filter((each) => each.nodeType === 3).map((each) => each.data),
  ...['aria-label', 'title', 'placeholder', 'alt'].map((name) => node.getAttribute(name) || ''),
]).filter((text) => /\\p{Script=Han}/u.test(text))`;

test('the page speaks the language of the browser, or the one that is chosen on it, and remembers that', async () => {
  for (const [locale, lang, hint] of [
    ['zh-CN', 'zh-CN', '输入用户 ID'], ['zh-TW', 'zh-CN', '输入用户 ID'], ['en-GB', 'en', 'Type a user ID'], ['fr-FR', 'en', 'Type a user ID'],
  ] as const) {
    const opened = await page('/demo/chat.html?user=eve&peer=bob', { locale });
    assert.equal(await opened.locator('html').getAttribute('lang'), lang, locale);
    await opened.getByPlaceholder(hint).waitFor();
  }
  const both = await page('/', { locale: 'en' });
  const frame = new Desk(both.frameLocator('iframe[name=bob]'));
  await frame.view.getByPlaceholder('Type a user ID').waitFor();
  await both.getByRole('button', { name: '中文' }).click();
  await frame.view.getByPlaceholder('输入用户 ID').waitFor();
  assert.deepEqual([await both.locator('html').getAttribute('lang'), await both.title()], ['zh-CN', '鸿雁 Hongyan']);
  await both.reload();
  await both.getByRole('button', { name: 'English' }).waitFor();
  const later = await page('/demo/chat.html?user=eve', {}, both.context());
  await later.getByRole('button', { name: 'English' }).click();
  await both.getByRole('button', { name: '中文' }).waitFor();
  await frame.view.getByPlaceholder('Type a user ID').waitFor();
});

test('in English nothing is left in Chinese, and what is on the screen changes with the language', async () => {
  const [alice, bob, aliceID, bobID] = await two({ locale: 'en' });
  const view = alice.view as Page;
  await view.evaluate(`(() => {
    const tim = TIM.create({ SDKAppID: ${SDK_APP_ID} });
    tim.sendMessage(tim.createCustomMessage({ to: '${bobID}', conversationType: 'C2C', payload: { data: '{}' } }));
  })()`);
  await bob.row(aliceID).getByTestId('preview').getByText('[Custom message]').waitFor();
  await alice.write('one', 'two');
  await bob.unread(aliceID, 3);
  await bob.open(aliceID);
  await alice.message('two').getByTestId('read-mark').getByText('Read', { exact: true }).waitFor();
  await alice.chooseFromMenu('two', 'recall');
  await bob.get('recalled').getByText('The other user recalled a message').waitFor();
  await alice.row(bobID).getByTestId('preview').getByText('You recalled a message').waitFor();
  const inChinese = async (): Promise<void> => assert.deepEqual(await view.evaluate(HAN), []);
  await inChinese();
  await alice.message('one').hover();
  await alice.message('one').getByTestId('message-menu').click();
  await inChinese();
  await alice.get('delete-message').click();
  await inChinese();
  await alice.get('dialog-no').click();
  await alice.get('chat-menu').click();
  await inChinese();
  await view.keyboard.press('Escape');
  await alice.get('network').click();
  await inChinese();
  const both = await page('/', { locale: 'en' });
  assert.deepEqual(await both.evaluate(HAN), []);

  await alice.get('language').click();
  await alice.get('notice').getByText('网络断开了').waitFor();
  await alice.get('recalled').getByText('你撤回了一条消息').waitFor();
  await alice.message('one').getByTestId('read-mark').getByText('已读').waitFor();
});

test('dates and times are written as the locale writes them', async () => {
  const now = new Date(2024, 5, 14, 15, 30).getTime();
  const texts = async (locale: string): Promise<string[]> => {
    const opened = await page('/demo/chat.html?user=eve', { locale });
    await opened.clock.setFixedTime(now);
    return opened.evaluate(async (seconds: number[]) => {
      const { timeText } = await import('/demo/language.js' as string) as { timeText(seconds: unknown, withTime: boolean): string };
      return [...seconds.map((each) => timeText(each, true)), ...[NaN, 1e300, -1, '5', null, {}].map((odd) => timeText(odd, true))];
    }, [0, 1, 3, 40, 400].map((days) => now / 1000 - days * 86_400));
  };
  const nothing = ['', '', '', '', '', ''];
  assert.deepEqual(await texts('zh-CN'), ['15:30', '昨天 15:30', '星期二 15:30', '5月5日 15:30', '2023年5月11日 15:30', ...nothing]);
  assert.deepEqual((await texts('en-US')).map((text) => text.replace('\u202f', ' ')),
    ['03:30 PM', 'Yesterday 03:30 PM', 'Tuesday 03:30 PM', 'May 5 03:30 PM', 'May 11, 2023 03:30 PM', ...nothing]);
  assert.deepEqual(await texts('en-GB'), ['15:30', 'Yesterday 15:30', 'Tuesday 15:30', '5 May 15:30', '11 May 2023 15:30', ...nothing]);
});

/** Changes the user's name: the demo has no form for it. */
async function rename(desk: Desk, nick: string): Promise<void> {
  await (desk.view as Page).evaluate(`TIM.create({ SDKAppID: ${SDK_APP_ID} }).updateMyProfile({ nick: ${JSON.stringify(nick)} })`);
}

test('what is written from right to left runs that way, and turns nothing around beside it', async () => {
  const [alice, bob, aliceID] = await two();
  await rename(alice, 'ليلى (א');
  await alice.write('שלום (hi)', 'hello', '> مرحبا');
  await bob.unread(aliceID, 3);
  const direction = (locator: Locator): Promise<string> => locator.evaluate((node: object) => (globalThis as any).getComputedStyle(node).direction);
  assert.equal(await direction(bob.row(aliceID).getByTestId('preview')), 'rtl');
  await bob.row(aliceID).getByRole('button').first().click();
  await bob.shows('שלום (hi)', 'hello', '> مرحبا');
  assert.deepEqual(await Promise.all([0, 1, 2].map((at) => direction(bob.get('text').nth(at)))), ['rtl', 'ltr', 'rtl']);
  for (const name of [bob.row(aliceID).getByTestId('name'), bob.get('peer')]) {
    assert.deepEqual([await name.textContent(), await name.evaluate((node: { tagName: string }) => node.tagName)], ['ليلى (א', 'BDI']);
  }
  await bob.get('chat-menu').click();
  await bob.get('delete-conversation').click();
  await bob.get('dialog').getByText('删除和 \u2068ليلى (א\u2069 的会话').waitFor();
  await bob.get('dialog-no').click();
  await bob.get('composer').fill('مرحبا');
  assert.equal(await direction(bob.get('composer')), 'rtl');
});

test('a family, a flag and a skin tone stay whole in a name, an avatar and a message', async () => {
  const [alice, bob, aliceID] = await two();
  await rename(alice, '👨‍👩‍👧‍👦李家');
  await alice.write('🇨🇳👍🏽❤️‍🔥');
  await bob.unread(aliceID, 1);
  await bob.row(aliceID).locator('.avatar').getByText('👨‍👩‍👧‍👦', { exact: true }).waitFor();
  await bob.row(aliceID).getByTestId('preview').getByText('🇨🇳👍🏽❤️‍🔥', { exact: true }).waitFor();
  await bob.row(aliceID).getByRole('button').first().click();
  await bob.shows('🇨🇳👍🏽❤️‍🔥');
  assert.match((await bob.get('text').getAttribute('class')) ?? '', /jumbo/);
});

test('axe finds nothing serious in the list and in the chat, in both languages, light and dark', async () => {
  for (const [locale, colorScheme] of [['zh-CN', 'light'], ['en', 'dark']] as const) {
    const [alice, bob, aliceID, bobID] = await two({ locale, colorScheme });
    const view = alice.view as Page;
    const nothing = async (what: string): Promise<void> => assert.deepEqual(await barriers(view), [], `${what}, ${locale}, ${colorScheme}`);
    await alice.write('one', 'two', '👍🏽', 'مرحبا');
    await bob.unread(aliceID, 4);
    assert.deepEqual(await barriers(bob.view as Page), [], `the list, ${locale}, ${colorScheme}`);
    await bob.open(aliceID);
    await bob.write('three');
    await alice.message('three').waitFor();
    await alice.chooseFromMenu('two', 'recall');
    await alice.get('reedit').filter({ visible: true }).waitFor();
    await alice.row(bobID).click({ button: 'right' });
    await nothing('the chat with a menu');
    await alice.get('pin').click();
    await alice.get('emoji').click();
    await nothing('the chat with emoji');
    await view.keyboard.press('Escape');
    await bob.get('chat-menu').click();
    await bob.get('block').click();
    await bob.get('dialog-yes').click();
    await bob.get('dialog').waitFor({ state: 'hidden' });
    await alice.write('four');
    await alice.get('resend').filter({ visible: true }).waitFor();
    await alice.get('chat-menu').click();
    await alice.get('delete-conversation').click();
    await nothing('the chat with a question');
    await alice.get('dialog-no').click();
    await alice.get('network').click();
    await nothing('the chat without a network');
    await view.setViewportSize({ width: 375, height: 700 });
    await nothing('the chat on a phone');
    await alice.get('back').click();
    await nothing('the list on a phone');
    await page(`/demo/chat.html?user=${bobID}`, { locale });
    await bob.get('banner').waitFor();
    assert.deepEqual(await barriers(bob.view as Page), [], `after a kick, ${locale}, ${colorScheme}`);
    assert.deepEqual(await barriers(await page('/', { locale, colorScheme })), [], `the page with two users, ${locale}, ${colorScheme}`);
  }
});

test('what comes in is said to a screen reader, once, and history is not', async () => {
  const [alice, bob, aliceID] = await two();
  await alice.write('历史');
  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  await bob.shows('历史');
  await alice.write('新闻');
  const log = bob.view.getByRole('log');
  await log.getByText('新闻').waitFor({ state: 'attached' });
  assert.deepEqual(await log.locator('p').allTextContents(), [`\u2068${aliceID}\u2069：\u2068新闻\u2069`]);
  assert.equal(await bob.view.getByRole('list', { name: '会话列表' }).getByRole('listitem').count(), 1);
  assert.equal(await bob.view.getByRole('group', { name: '消息' }).getByRole('listitem').count(), 3);
});

/** Replaces, in all that a user's browser receives, the messages whose text is the name of a replacement. */
async function tampered(replacements: Map<string, { type: string; payload: unknown }>): Promise<BrowserContext> {
  const context = await browserOf();
  const change = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const { payload } = value as { payload?: { text?: string } };
    const odd = replacements.get(payload?.text ?? '');
    if (odd) return { ...value, ...odd };
    if (Array.isArray(value)) return value.map(change);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, change(each)]));
  };
  await context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => socket.send(JSON.stringify(change(JSON.parse(String(frame))))));
  });
  return context;
}

test('one odd message of any type shows a placeholder, and everything else stays in place', async () => {
  const odd = new Map<string, { type: string; payload: unknown }>();
  // Worst case first: each field of each type is something that cannot even be made a text.
  for (const [type, fields] of Object.entries(FIELDS)) {
    for (const value of [{ toString: 1, valueOf: null }, ['x'], 7]) {
      odd.set(`odd ${odd.size}`, { type, payload: Object.fromEntries(fields.map((field) => [field, value])) });
    }
  }
  for (const value of ODD_VALUES) odd.set(`odd ${odd.size}`, { type: 'TIMFaceElem', payload: { index: 0, data: value } });
  for (const [type, payload] of Object.entries(SCRIPT_PAYLOADS)) odd.set(`odd ${odd.size}`, { type, payload });
  odd.set(`odd ${odd.size}`, { type: 'constructor', payload: { text: 'x' } });

  const [alice, bob, aliceID] = await two({}, await tampered(odd));
  await alice.write('first', ...odd.keys(), 'last');
  await bob.unread(aliceID, odd.size + 2);
  await bob.row(aliceID).getByRole('button').first().click();
  await bob.get('text').getByText('last', { exact: true }).waitFor();
  const end = bob.get('history').getByText('没有更早的消息了');
  while (!(await end.isVisible())) {
    const shown = await bob.get('message').count();
    await bob.get('scroller').evaluate((scroller: { scrollTop: number }) => { scroller.scrollTop = 0; });
    await bob.get('message').nth(shown).or(end).first().waitFor({ state: 'attached' });
  }
  const texts = await bob.get('text').allTextContents();
  assert.deepEqual([texts.length, texts[0], texts.at(-1)], [odd.size + 2, 'first', 'last']);
  for (const text of texts.slice(1, -1)) assert.match(text, /^\[.+\]$/);
  // One that comes in while the chat is open, and that the list ends with.
  await alice.write('odd 3');
  await bob.get('message').nth(odd.size + 2).waitFor({ state: 'attached' });
  await bob.row(aliceID).getByTestId('preview').getByText('[表情]').waitFor();
  await bob.write('still here');
  await alice.message('still here').waitFor();
  const urls = `[...document.querySelectorAll('[src], [href], [style]')].map((node) => node.outerHTML).filter((html) => html.includes('owned'))`;
  assert.deepEqual(await (bob.view as Page).evaluate(urls), []);
  assert.doesNotMatch(await (bob.view as Page).title(), /owned/);
});
