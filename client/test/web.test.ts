/** The demo page in a real browser, against the twin: two users, each in a window of their own. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
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
/** One that beeps, and that every page may use. */
const MICROPHONE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

let twin: Twin;
let browser: Browser;
const contexts: BrowserContext[] = [];
const complaints: string[] = [];

before(async () => {
  twin = await startTwin();
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox', ...MICROPHONE] });
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
  /** How far its clock is ahead, in milliseconds. */
  ahead?: number;
}

async function browserOf({ width = 1280, height = 800, locale = 'zh-CN', colorScheme = 'light', ahead = 0 }: Screen = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme });
  await context.addInitScript(`{ const { now } = Date; Date.now = () => now() + ${ahead}; }`);
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

  /** Chooses files for the chat that is open, as one does in the dialog of the browser. */
  async attach(...files: Chosen[]): Promise<void> {
    await this.get('files').setInputFiles(files.map(({ name, type: mimeType, bytes: buffer }) => ({ name, mimeType, buffer })));
  }

  /** The message with this place among those that have a picture, a voice, a video or a file of this kind. */
  media(kind: 'picture' | 'voice' | 'video' | 'file', at = 0): Locator {
    return this.get('message').filter({ has: this.get(kind) }).nth(at);
  }

  /** Chooses from the menu of the chat, and from those that follow. */
  async choose(...items: (string | Locator)[]): Promise<void> {
    await this.get('chat-menu').click();
    for (const item of items) await (typeof item === 'string' ? this.get('menu').getByTestId(item) : item).click();
  }

  /** A member in the menu of members. */
  member(name: string): Locator {
    return this.get('menu').getByTestId('member').filter({ hasText: name });
  }

  /** Answers a question, with a text if it asks for one. */
  async say(text?: string): Promise<void> {
    if (text !== undefined) await this.get('dialog-input').fill(text);
    await this.get('dialog-yes').click();
  }

  async chooseFromMenu(text: string, item: string): Promise<void> {
    await this.message(text).hover();
    await this.message(text).getByTestId('message-menu').click();
    await this.get('menu').getByTestId(item).click();
  }
}

interface Chosen {
  name: string;
  type: string;
  bytes: Buffer;
}

/** A picture of noise, which takes about three bytes per pixel, as a browser draws it. */
async function noise(desk: Desk, width: number, height: number, name = '照片.png'): Promise<Chosen> {
  const bytes = await (desk.view as Page).evaluate(async ([w, h, seed]) => {
    const { document, ImageData, Uint8ClampedArray } = globalThis as any;
    const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
    let state = seed! + 1;
    const pixels = new Uint8ClampedArray(w! * h! * 4);
    for (let at = 0; at < pixels.length; at++) {
      state = Math.imul(state, 1_664_525) + 1_013_904_223;
      pixels[at] = at % 4 === 3 ? 255 : state >>> 24;
    }
    canvas.getContext('2d').putImageData(new ImageData(pixels, w, h), 0, 0);
    return canvas.toDataURL('image/png').split(',')[1] as string;
  }, [width, height, randomBytes(2).readUInt16LE()]);
  return { name, type: 'image/png', bytes: Buffer.from(bytes, 'base64') };
}

/** The way to a noodle shop. */
const MAP = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="432" viewBox="0 0 240 108">
  <path fill="#e9ebe4" d="M0 0h240v108H0z"/>
  <path fill="#c3e0bf" d="M0 62h84v46H0zM196 0h44v34h-44z"/><path fill="#aad3ea" d="M240 74c-40-8-50 14-78 10-18-2-26 8-36 24h114z"/>
  <path fill="#d9dcd3" d="M14 10h26v20H14zM48 10h30v34H48zM14 36h26v14H14zM104 10h22v28h-22zM134 10h48v12h-48zM134 28h20v14h-20zM104 64h30v14h-30z"/>
  <path fill="none" stroke="#fff" stroke-width="9" d="M0 55h240M91 0v108M189 0v62"/>
  <path fill="none" stroke="#fff" stroke-width="4" d="M44 0v55M130 0v55"/>
  <path fill="none" stroke="#3578e5" stroke-width="4" stroke-linejoin="round" stroke-dasharray="0.1 7" stroke-linecap="round" d="M91 100V55h70"/>
  <path fill="#d8463a" d="M164 50c-7-10-12-15-12-21a12 12 0 0 1 24 0c0 6-5 11-12 21z"/><circle cx="164" cy="29" r="4.6" fill="#fff"/>
  <text x="180" y="45" font-size="11" font-weight="700" font-family="sans-serif" fill="#5d3a1a" stroke="#fff" stroke-width="3" paint-order="stroke">面馆</text>
</svg>`;

/** This drawing as a PNG. */
async function picture(view: Page, svg: string): Promise<Chosen> {
  const bytes = await view.evaluate(async (svg) => {
    const { document, Image } = globalThis as any;
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1] as string;
  }, svg);
  return { name: '地图.png', type: 'image/png', bytes: Buffer.from(bytes, 'base64') };
}

/** A second of video. */
async function film(desk: Desk): Promise<Chosen> {
  const bytes = await (desk.view as Page).evaluate(async () => {
    const { document, MediaRecorder, Blob, FileReader } = globalThis as any;
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
    const context = canvas.getContext('2d');
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/mp4;codecs=vp9' });
    const parts: unknown[] = [];
    recorder.ondataavailable = (event: any) => parts.push(event.data);
    recorder.start();
    for (let frame = 0; frame < 20; frame++) {
      context.fillStyle = `hsl(${frame * 9} 60% 50%)`;
      context.fillRect(0, 0, 320, 240);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
    return new Promise<string>((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.split(',')[1]);
      reader.readAsDataURL(new Blob(parts));
    });
  });
  return { name: '海边.mp4', type: 'video/mp4', bytes: Buffer.from(bytes, 'base64') };
}

/** Lets something with these files, and with these texts by type, happen to an element: it was pasted, or dropped. */
async function bring(target: Locator, event: 'paste' | 'dragenter' | 'drop', files: Chosen[], texts: Record<string, string> = {}): Promise<void> {
  const given = files.map(({ name, type, bytes }) => ({ name, type, bytes: bytes.toString('base64') }));
  await target.evaluate(async (node: any, [event, given, texts]) => {
    const { DataTransfer, File, ClipboardEvent, DragEvent, fetch } = globalThis as any;
    const data = new DataTransfer();
    for (const { name, type, bytes } of given) {
      data.items.add(new File([await (await fetch(`data:${type};base64,${bytes}`)).blob()], name, { type }));
    }
    for (const [type, text] of Object.entries(texts)) data.setData(type, text);
    const options = { bubbles: true, cancelable: true };
    node.dispatchEvent(event === 'paste' ? new ClipboardEvent(event, { ...options, clipboardData: data }) : new DragEvent(event, { ...options, dataTransfer: data }));
  }, [event, given, texts] as const);
}

/** How wide the picture in an element is by itself, once it is there. */
async function naturalWidth(image: Locator): Promise<number> {
  await until(() => image.evaluate((node: { complete: boolean; naturalWidth: number }) => node.complete && node.naturalWidth > 0), 'a picture being loaded');
  return image.evaluate((node: { naturalWidth: number }) => node.naturalWidth);
}

/** Lets so many bytes per second out of a page. */
async function slow(desk: Desk, bytesPerSecond: number): Promise<void> {
  const session = await (desk.view as Page).context().newCDPSession(desk.view as Page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond });
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

test('a message that is recalled is gone for both, and its writer can edit it again, whatever their clock says', async () => {
  const [alice, bob, aliceID] = await two({ ahead: 3_600_000 });
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

test('the list is there before a connection, and older conversations come when its end is seen', { timeout: 60_000 }, async () => {
  const count = 620;
  await twin.crowd('reader', { count });
  const context = await browserOf();
  const view = await page('/demo/chat.html?user=reader', {}, context);
  const desk = new Desk(view);
  // By itself the list ends with the page that makes it 500.
  for (let shown = 0; shown < count; shown = await desk.get('conversation').count()) {
    await desk.get('conversation').last().scrollIntoViewIfNeeded();
    await desk.get('conversation').nth(shown).waitFor();
  }

  // What was kept is shown without a connection, and can be opened.
  await until(() => view.evaluate(() => new Promise<boolean>((resolve) => {
    const opening = (globalThis as any).indexedDB.open('hongyan');
    opening.onsuccess = () => {
      const all = opening.result.transaction('hongyan').objectStore('hongyan').getAll();
      all.onsuccess = () => resolve(String(all.result).includes('peer-00000'));
    };
  })));
  await context.addInitScript('window.WebSocket = class extends EventTarget { send() {} close() {} };');
  await view.reload();
  await desk.row('peer-00000').waitFor();
  assert.equal(await desk.get('state').getAttribute('data-state'), 'connecting');
  await desk.row('peer-00000').getByRole('button').first().click();
  await desk.get('peer').getByText('用户0', { exact: true }).waitFor();
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
  await alice.message('面馆').getByTestId('read-mark').waitFor();
  await alice.attach(await picture(both, MAP));
  await bob.unread('alice', 3);
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
  for (const desk of [alice, bob]) await naturalWidth(desk.media('picture').getByTestId('image'));
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

test('a picture that is chosen and one that is pasted are seen on the other side, and large on a click', async () => {
  const [alice, bob, aliceID, bobID] = await two();
  await alice.attach(await noise(alice, 1000, 800));
  await alice.media('picture').getByTestId('read-mark').waitFor();
  await bob.row(aliceID).getByTestId('preview').getByText('[图片]').waitFor();
  await bob.open(aliceID);
  const seen = bob.media('picture').getByTestId('image');
  assert.equal(await naturalWidth(seen), 900, 'the large one, not the original');
  assert.equal(await seen.getAttribute('referrerpolicy'), 'no-referrer');
  assert.match((await seen.getAttribute('src')) ?? '', new RegExp(`^${twin.url}/m/.+jpg$`));
  const box = await seen.boundingBox();
  assert.ok(box && Math.abs(box.width / box.height - 1000 / 800) < 0.02 && box.width <= 240, JSON.stringify(box));

  await bob.media('picture').getByRole('button', { name: '查看图片' }).click();
  const viewer = bob.get('viewer');
  const large = viewer.locator('img');
  assert.equal(await naturalWidth(large), 1000);
  const [size, fit] = await large.evaluate((node: { clientWidth: number; clientHeight: number }) => [
    [node.clientWidth, node.clientHeight], (globalThis as any).getComputedStyle(node).objectFit as string,
  ] as const);
  assert.deepEqual([size[0]! <= 1280 && size[1]! <= 800, fit], [true, 'scale-down'], 'all of it is on the screen');
  assert.match((await bob.get('viewer-original').getAttribute('href')) ?? '', /\/m\/.+png$/);
  await (bob.view as Page).keyboard.press('Escape');
  await viewer.waitFor({ state: 'hidden' });
  assert.equal(await bob.media('picture').getByTestId('picture').evaluate((node: object) => (globalThis as any).document.activeElement === node), true);

  // What is pasted may have been meant for another window, so it is asked for.
  const pasted = await noise(alice, 300, 300, 'image.png');
  await bring(alice.get('composer'), 'paste', [pasted]);
  await alice.get('dialog').getByText(`发送给 \u2068${bobID}\u2069`).waitFor();
  assert.equal(await naturalWidth(alice.get('dialog-picture')), 300);
  await alice.get('dialog-no').click();
  await bring(alice.get('composer'), 'paste', [pasted]);
  await alice.get('dialog-yes').click();
  assert.equal(await naturalWidth(bob.media('picture', 1).getByTestId('image')), 300);
  // An office program copies text, and a picture of it.
  await bring(alice.get('composer'), 'paste', [pasted], { 'text/plain': '表格', 'text/html': '<b>表格</b>' });
  assert.ok(await alice.get('dialog').isHidden());
  assert.equal(await bob.get('picture').count(), 2);
});

test('files that are dropped are asked for, and are saved under their names on the other side, when they are clicked', async () => {
  const [alice, bob, aliceID, bobID] = await two();
  const name = '报价 <b>最终</b> "版".pdf';
  const file = { name, type: 'application/pdf', bytes: randomBytes(3_000) };
  const page = { name: '网页.html', type: 'text/html', bytes: Buffer.from('<script>document.title = "owned"</script>') };
  await bring(alice.get('composer'), 'dragenter', [file]);
  await alice.get('drop').getByText(`松开，发送给 \u2068${bobID}\u2069`).waitFor();
  await bring(alice.get('composer'), 'drop', [file, page]);
  assert.ok(await alice.get('drop').isHidden());
  await alice.get('dialog').getByText('把 2 个文件发送给').waitFor();
  await alice.get('dialog-yes').click();
  await alice.media('file', 1).getByTestId('read-mark').waitFor();
  const downloads: string[] = [];
  (bob.view as Page).on('download', (download) => downloads.push(download.suggestedFilename()));
  await bob.open(aliceID);
  const saved = new Map<string, Buffer>();
  for (const { name } of [file, page]) {
    const message = bob.get('message').filter({ hasText: name });
    const [download] = await Promise.all([(bob.view as Page).waitForEvent('download'), message.getByTestId('file').click()]);
    saved.set(download.suggestedFilename(), readFileSync(await download.path()));
  }
  // A browser writes what no file may be called in its own way.
  assert.deepEqual([...saved].map(([name, bytes]) => [name.replace(/[<>"/_]/g, ''), bytes.equals(name.endsWith('.pdf') ? file.bytes : page.bytes)]), [
    [name.replace(/[<>"/_]/g, ''), true], ['网页.html', true],
  ]);
  assert.equal(downloads.length, 2);
  assert.equal(await bob.get('file-name').first().locator('b').count(), 0);
  assert.equal(await bob.get('message').filter({ hasText: name }).getByText('2.9 KB').count(), 1);
});

test('an upload shows how far it is, goes on when the network was away, and can be given up', async () => {
  const [alice, bob, aliceID] = await two();
  await alice.write('看');
  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  const posts: unknown[] = [];
  (alice.view as Page).on('request', (request) => { if (request.method() === 'POST') posts.push(request); });
  await slow(alice, 250_000);
  const file = (name: string): Chosen => ({ name, type: 'application/zip', bytes: randomBytes(700_000) });
  await alice.attach(file('一.zip'));
  const progress = alice.media('file').getByTestId('progress');
  const part = (): Promise<number> => progress.evaluate((node: { value: number }) => node.value);
  await until(async () => (await part()) > 0 && (await part()) < 1, 'a part of it being uploaded');
  assert.equal(await progress.getAttribute('aria-label'), '正在上传');
  await alice.get('network').click();
  await alice.get('state').getByText('没有网络').waitFor();
  await alice.get('network').click();
  await alice.isConnected();
  await alice.media('file').getByTestId('read-mark').waitFor();
  assert.ok(await progress.isHidden());
  assert.equal(posts.length, 2, 'the network was lost in the middle, and the file went up again');
  await bob.media('file').getByText('一.zip').waitFor();

  await alice.attach(file('二.zip'));
  await alice.message('二.zip').getByTestId('progress').waitFor();
  await alice.chooseFromMenu('二.zip', 'cancel-sending');
  await alice.message('二.zip').waitFor({ state: 'detached' });
  await alice.write('算了');
  await bob.message('算了').waitFor();
  assert.equal(await bob.get('file').count(), 1);
});

test('a file that is refused or whose upload fails says why, and goes out when it is sent again', async () => {
  const [alice, bob, aliceID] = await two();
  let isBroken = true;
  await (alice.view as Page).route((url) => url.pathname === '/', (route) => {
    if (isBroken && route.request().method() === 'POST') return route.fulfill({ status: 400, body: '<Error><Code>EntityTooLarge</Code></Error>' });
    return route.fallback();
  });
  await alice.attach({ name: '合同.docx', type: '', bytes: randomBytes(900) });
  await alice.get('reason').getByText('上传没有成功，请再试一次').waitFor();
  await alice.attach({ name: '空.txt', type: 'text/plain', bytes: Buffer.alloc(0) });
  await alice.message('空.txt').getByTestId('reason').getByText('文件是空的').waitFor();
  await alice.attach({ name: '大.png', type: 'image/png', bytes: Buffer.alloc(20 * 1024 * 1024 + 1) });
  await alice.media('picture').getByTestId('reason').getByText('不能超过 20 MB').waitFor();
  await alice.attach(...Array.from({ length: 10 }, (_, at) => ({ name: `${at}.txt`, type: 'text/plain', bytes: Buffer.from('x') })));
  await alice.get('toast').getByText('一次最多发送 9 个文件').waitFor();
  isBroken = false;
  assert.ok(await alice.message('合同.docx').getByTestId('progress').isHidden());
  await alice.message('合同.docx').getByTestId('resend').click();
  await alice.message('合同.docx').getByTestId('read-mark').waitFor();
  await bob.open(aliceID);
  await bob.message('合同.docx').waitFor();
  assert.equal(await bob.get('message').count(), 1);
});

test('a refusal of the server says whether another try is of use, and when', async () => {
  const context = await browserOf();
  const refusals = new Map([['file', [60007, 'a user may upload 500 MB per day']], ['audio', [2300, 'audio of this type is not taken: send mp3']]]);
  await context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    let kind = '';
    socket.onMessage((frame) => {
      kind = JSON.parse(String(frame)).data?.kind ?? kind;
      server.send(frame);
    });
    server.onMessage((frame) => {
      const said = JSON.parse(String(frame));
      const [code, message] = refusals.get(kind) ?? [];
      socket.send(said.action === 'getUploadForm' ? JSON.stringify({ ...said, code, message, data: { retryAfterSeconds: 17_280 } }) : frame);
    });
  });
  const [alice, bob, aliceID] = await two({}, context);
  await alice.write('在吗');
  await bob.row(aliceID).getByRole('button').first().click();
  await bob.attach({ name: '合同.docx', type: '', bytes: randomBytes(900) });
  await bob.message('合同.docx').getByTestId('reason').getByText('这段时间发得太多了，请过一会儿再试').waitFor();
  await bob.get('record').click();
  await bob.get('recorder').getByText('0:01').waitFor();
  await bob.get('record-send').click();
  await bob.media('voice').getByTestId('reason').getByText('不能发送这种格式').waitFor();
});

test('a voice is recorded, sent and heard, one at a time, and what is not meant to be sent is not', async () => {
  const [alice, bob, aliceID] = await two();
  const view = alice.view as Page;
  await alice.get('record').click();
  await alice.get('recorder').getByText('正在录音').waitFor();
  await alice.get('record-send').click();
  await alice.get('toast').getByText('录音太短了').waitFor();
  await alice.get('record').click();
  await alice.get('recorder').getByText('0:01').waitFor();
  await view.keyboard.press('Escape');
  await alice.get('recorder').waitFor({ state: 'hidden' });
  assert.equal(await alice.get('message').count(), 0);
  for (let time = 0; time < 2; time++) {
    await alice.get('record').click();
    await alice.get('recorder').getByText(/0:0[23]/).waitFor();
    await alice.get('record-send').click();
    await alice.media('voice', time).getByTestId('read-mark').waitFor();
  }
  assert.match((await alice.media('voice').textContent()) ?? '', /[23]″/);

  await bob.open(aliceID);
  const [first, second] = [bob.get('voice').nth(0), bob.get('voice').nth(1)];
  const plays = (voice: Locator): Promise<boolean> => voice.evaluate((node: { hasAttribute(name: string): boolean }) => node.hasAttribute('data-playing'));
  await first.click();
  assert.equal(await first.getAttribute('aria-label'), '停止播放');
  await second.click();
  assert.deepEqual([await plays(first), await plays(second)], [false, true]);
  const played = second.locator('i');
  await until(() => played.evaluate((node: { style: { width: string } }) => parseFloat(node.style.width) > 0), 'it being heard');
  await until(async () => !(await plays(second)), 'its end');
  await first.click();
  await first.click();
  assert.equal(await plays(first), false);

  await view.evaluate(() => { (globalThis as any).navigator.mediaDevices.getUserMedia = () => Promise.reject(new (globalThis as any).DOMException('', 'NotAllowedError')); });
  await alice.get('record').click();
  await alice.get('toast').getByText('没有允许').waitFor();
  // With a text there is something to send, in the same place.
  await alice.get('composer').fill('听到了吗');
  assert.deepEqual([await alice.get('record').isVisible(), await alice.get('send').isVisible()], [false, true]);
});

test('a video has a picture and its length, and plays large', async () => {
  const [alice, bob, aliceID] = await two();
  await alice.attach(await film(alice));
  await alice.media('video').getByTestId('read-mark').waitFor();
  await bob.open(aliceID);
  assert.equal(await naturalWidth(bob.media('video').getByTestId('image')), 320);
  await bob.media('video').getByText('0:01').waitFor();
  assert.equal(await bob.view.locator('video').count(), 0, 'nothing is loaded before somebody asks for it');
  await bob.get('video').click();
  const video = bob.get('viewer').locator('video');
  await until(() => video.evaluate((node: { videoWidth: number; currentTime: number }) => node.videoWidth === 320 && node.currentTime > 0), 'the video playing');
  await bob.get('viewer-close').click();
  await video.waitFor({ state: 'detached' });
});

test('a picture that is gone can be asked for again', async () => {
  const [alice, bob, aliceID] = await two();
  let isGone = true;
  await (bob.view as Page).route('**/m/**', (route) => (isGone ? route.fulfill({ status: 404 }) : route.fallback()));
  await alice.attach(await noise(alice, 60, 40));
  await bob.unread(aliceID, 1);
  await bob.open(aliceID);
  const again = bob.get('message').getByRole('button', { name: '没有加载成功，点一下再试' });
  await again.waitFor();
  isGone = false;
  await again.click();
  assert.equal(await naturalWidth(bob.get('image')), 60);
  assert.ok(await bob.get('viewer').isHidden());
});

/** Three users, each in a window; the first one has made a group of all of them, and has it open. */
async function group(type: string, screen?: Screen): Promise<[Desk, Desk, Desk, string, string, string]> {
  pairs += 1;
  const names = ['alice', 'bob', 'carol'].map((name) => `${name}${pairs}`) as [string, string, string];
  const desks = await Promise.all(names.map(async (name) => new Desk(await page(`/demo/chat.html?user=${name}`, screen)))) as [Desk, Desk, Desk];
  await Promise.all(desks.map((desk) => desk.isConnected()));
  const [alice] = desks;
  await alice.get('new-group').click();
  await alice.get('group-name').fill('同学');
  await alice.get('group-type').selectOption(type);
  await alice.get('group-members').fill(`${names[1]} ${names[2]}`);
  await alice.get('group-create').click();
  await alice.get('peer').getByText('同学', { exact: true }).waitFor();
  await alice.get('peer-state').getByText(/^3 /).waitFor();
  return [...desks, ...names];
}

const groupRow = (desk: Desk): Locator => desk.get('conversation').filter({ hasText: '同学' });

test('a group: made with two others, talked in, somebody mentioned, and what happens is a line in it', async () => {
  const [alice, bob, carol, , bobID, carolID] = await group('Public');
  await alice.write('大家好');
  await groupRow(bob).getByTestId('unread').getByText('2', { exact: true }).waitFor();
  await groupRow(bob).getByRole('button').first().click();
  await bob.message('大家好').waitFor();
  await bob.get('sender').filter({ hasText: 'alice', visible: true }).waitFor();
  await bob.write('来了');
  // A user who types an @ chooses whom.
  await alice.message('来了').waitFor();
  await alice.get('composer').pressSequentially('周末去爬山 @');
  await alice.get('menu').getByTestId('mention').filter({ hasText: carolID }).click();
  assert.equal(await alice.get('composer').inputValue(), `周末去爬山 @${carolID} `);
  await alice.get('composer').press('Enter');
  await groupRow(carol).getByTestId('preview').filter({ hasText: '[有人@我]' }).waitFor();
  assert.equal(await groupRow(bob).getByTestId('preview').filter({ hasText: '[有人@我]' }).count(), 0);
  await groupRow(carol).getByRole('button').first().click();
  await carol.message('爬山').waitFor();
  assert.equal(await alice.get('read-mark').filter({ visible: true }).count(), 0);

  // Bob becomes an admin and silences Carol, whose message is refused.
  await alice.choose('members', alice.member(bobID), 'make-admin');
  await bob.get('recalled').filter({ hasText: '成为管理员' }).waitFor();
  await bob.choose('members', bob.member(carolID), 'mute');
  await carol.get('recalled').filter({ hasText: '禁言了' }).waitFor();
  await carol.write('我呢');
  await carol.get('reason').filter({ hasText: '禁言' }).waitFor();
  await bob.choose('members', bob.member(`${carolID} · 禁言中`), 'unmute');
  await carol.get('recalled').filter({ hasText: '的禁言' }).waitFor();
  await carol.get('resend').filter({ visible: true }).click();
  await alice.message('我呢').waitFor();
  await alice.choose('mute-all');
  await bob.get('recalled').filter({ hasText: '开启了全员禁言' }).waitFor();
  await alice.choose('mute-all');
  await carol.choose('members', carol.member(carolID), 'name-card');
  await carol.say('小卡');
  await carol.write('换了名片');
  await alice.get('sender').filter({ hasText: '小卡', visible: true }).first().waitFor();

  // Somebody comes, goes, and is put out; the end is the end for all.
  const dave = new Desk(await page(`/demo/chat.html?user=dave${pairs}`));
  await dave.isConnected();
  await alice.choose('invite');
  await alice.say(`dave${pairs}`);
  await groupRow(dave).waitFor();
  await dave.get('toast').filter({ hasText: '邀请你加入了' }).waitFor();
  await groupRow(dave).getByRole('button').first().click();
  await dave.choose('leave');
  await dave.say();
  await groupRow(dave).waitFor({ state: 'detached' });
  await alice.get('recalled').filter({ hasText: '退出了群' }).waitFor();
  await alice.choose('members', alice.member('小卡'), 'remove-member');
  await alice.say();
  await carol.get('toast').filter({ hasText: /移出了|不在这个群/ }).waitFor();
  await groupRow(carol).waitFor({ state: 'detached' });
  await alice.choose('dismiss');
  await alice.say();
  for (const desk of [alice, bob]) await groupRow(desk).waitFor({ state: 'detached' });
});

test('who wants to join is let in when an admin agrees, and the group can be silent', async () => {
  pairs += 1;
  const [aliceID, bobID] = [`alice${pairs}`, `bob${pairs}`];
  const [alice, bob] = await Promise.all([aliceID, bobID].map(async (name) => new Desk(await page(`/demo/chat.html?user=${name}`)))) as [Desk, Desk];
  await Promise.all([alice.isConnected(), bob.isConnected()]);
  await alice.get('new-group').click();
  await alice.get('group-name').fill('同学');
  await alice.get('group-type').selectOption('Public');
  await alice.get('group-approval').check();
  await alice.get('group-create').click();
  await groupRow(alice).waitFor();
  const id = await groupRow(alice).getAttribute('data-id') as string;
  await bob.get('new-group').click();
  await bob.get('group-id').fill(id.replace('GROUP', ''));
  await bob.get('group-join').click();
  await bob.get('toast').filter({ hasText: '申请已经发出' }).waitFor();
  await alice.get('dialog').getByText('申请加入').waitFor();
  await alice.say();
  await bob.get('toast').filter({ hasText: '你已加入' }).waitFor();
  await groupRow(bob).getByRole('button').first().click();
  await bob.choose('quiet');
  await bob.get('chat-menu').click();
  await bob.get('menu').getByText('取消免打扰').waitFor();
  await alice.write('在吗');
  await bob.message('在吗').waitFor();
});

test('axe finds nothing serious in groups, and they speak the language of the page', async () => {
  for (const [locale, colorScheme] of [['zh-CN', 'dark'], ['en', 'light']] as const) {
    const [alice, bob, , , bobID] = await group('Public', { locale, colorScheme });
    const view = alice.view as Page;
    const nothing = async (what: string): Promise<void> => assert.deepEqual(await barriers(view), [], `${what}, ${locale}, ${colorScheme}`);
    await groupRow(bob).getByRole('button').first().click();
    await bob.write('hi');
    await alice.message('hi').waitFor();
    await nothing('the chat of a group');
    await alice.get('chat-menu').click();
    await nothing('the menu of a group');
    await alice.get('menu').getByTestId('members').click();
    await alice.member(bobID).waitFor();
    await nothing('the members');
    await alice.member(bobID).click();
    await nothing('what is done to a member');
    await view.keyboard.press('Escape');
    await alice.get('new-group').click();
    await nothing('the dialog of a new group');
    if (locale === 'en') assert.deepEqual((await view.evaluate(HAN) as string[]).filter((text) => /\p{Script=Han}/u.test(text.replace(/^同$|同学/, ''))), []);
  }
});

test('axe finds nothing serious in pictures, voice, video and files, and they speak the language of the page', async () => {
  for (const [locale, colorScheme] of [['zh-CN', 'light'], ['en', 'dark']] as const) {
    const [alice, bob, aliceID] = await two({ locale, colorScheme });
    const view = alice.view as Page;
    const fine = async (desk: Desk, what: string): Promise<void> => {
      assert.deepEqual(await barriers(desk.view as Page), [], `${what}, ${locale}, ${colorScheme}`);
      if (locale === 'en') assert.deepEqual(await (desk.view as Page).evaluate(HAN), [], what);
    };
    await alice.attach(await noise(alice, 400, 300, 'a.png'), { ...(await film(alice)), name: 'b.mp4' }, { name: 'c.zip', type: '', bytes: randomBytes(500) });
    await alice.get('record').click();
    await alice.get('recorder').getByText(/0:0[12]/).waitFor();
    await fine(alice, 'a recording');
    await alice.get('record-send').click();
    await alice.media('voice').getByTestId('read-mark').waitFor();
    await bob.open(aliceID);
    await naturalWidth(bob.media('picture').getByTestId('image'));
    await fine(bob, 'what has come in');
    await bob.get('picture').click();
    await naturalWidth(bob.get('viewer').locator('img'));
    await fine(bob, 'a picture that is large');
    await alice.get('network').click();
    await alice.attach({ name: 'd.zip', type: '', bytes: randomBytes(500) }, await noise(alice, 400, 300, 'e.png'));
    await alice.media('picture', 1).getByTestId('progress').waitFor();
    await fine(alice, 'what is on its way');
    await bring(alice.get('composer'), 'paste', [await noise(alice, 30, 30, 'f.png')]);
    await fine(alice, 'what is pasted');
    await alice.get('dialog-no').click();
    await bring(alice.get('composer'), 'dragenter', [{ name: 'g', type: '', bytes: Buffer.from('x') }]);
    await fine(alice, 'what is dragged');
    await view.setViewportSize({ width: 375, height: 700 });
    assert.ok((await alice.view.locator('html').evaluate((html: { scrollWidth: number }) => html.scrollWidth)) <= 375);
  }
});

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
