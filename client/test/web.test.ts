/** The demo page in a real browser, against the twin: two users, each in a window of his own. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium, type Browser, type BrowserContext, type FrameLocator, type Locator, type Page } from 'playwright-core';

import { startTwin, type Twin } from './harness/twin.js';
import { until } from './harness/user.js';

const PICTURE = fileURLToPath(new URL('../../docs/images/demo.png', import.meta.url));
const PATIENCE = 15_000;

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

async function page(path: string, width = 1280, height = 800): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: 'light' });
  contexts.push(context);
  context.setDefaultTimeout(PATIENCE);
  const opened = await context.newPage();
  opened.on('pageerror', (error) => complaints.push(error.message));
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
async function two(width?: number): Promise<[Desk, Desk, string, string]> {
  pairs += 1;
  const names = [`alice${pairs}`, `bob${pairs}`] as const;
  const alice = new Desk(await page(`/demo/chat.html?user=${names[0]}&peer=${names[1]}&open=1`, width));
  const bob = new Desk(await page(`/demo/chat.html?user=${names[1]}&peer=${names[0]}`, width));
  await Promise.all([alice.isConnected(), bob.isConnected()]);
  await alice.get('history').getByText('打个招呼吧').waitFor();
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

  // He is looking at the chat now: what comes is read at once.
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

test('who was offline gets all that was sent meanwhile, in order and once, and what he wrote arrives', async () => {
  const [alice, bob, aliceID] = await two();
  await alice.write('0');
  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  await bob.shows('0');
  await bob.get('offline').click();
  await bob.get('notice').waitFor();
  await alice.write('1', '2', '3');
  await alice.message('3').getByTestId('read-mark').waitFor();
  await bob.write('离线写的');
  await bob.message('离线写的').getByTestId('sending').waitFor();
  await bob.shows('0', '离线写的');

  await bob.get('offline').click();
  await bob.isConnected();
  await bob.message('离线写的').getByTestId('read-mark').waitFor();
  await bob.shows('0', '1', '2', '3', '离线写的');
  await alice.shows('0', '1', '2', '3', '离线写的');
  await alice.message('3').getByTestId('read-mark').getByText('已读').waitFor();
});

test('history comes page by page when one scrolls up, and the place is kept', async () => {
  const [alice, bob, aliceID] = await two(375);
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
    await top.scrollIntoViewIfNeeded();
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
  const both = await page('/', 375, 720);
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
