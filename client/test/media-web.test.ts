/** Pictures, sounds, videos and files in a real browser, on a page of another origin than the server. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium, type Browser, type Page } from 'playwright-core';

import type { ChatSDK, ImagePayload, Message, Payloads, TIMStatic, VideoPayload } from '../src/index.js';
import { SDK_APP_ID } from './harness/twin.js';
import { same, until, type User } from './harness/user.js';
import { withTwin } from './harness/users.js';

const PICTURE = fileURLToPath(new URL('../../docs/images/demo.png', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** What the page knows. */
interface Window {
  TIM: TIMStatic;
  tim: ChatSDK;
  /** What is sent to whom. */
  send(builder: 'createImageMessage' | 'createAudioMessage' | 'createVideoMessage' | 'createFileMessage', file: unknown): Promise<Sent>;
}

interface Sent {
  /** The URL before it was sent. */
  local: string;
  message: Message;
  progress: number[];
  code: number;
}

declare const window: Window & Record<string, any>;
declare const document: any;

const users = withTwin();
let browser: Browser;
let page: Page;
const complaints: string[] = [];

before(async () => {
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(() => browser?.close());
afterEach(async () => {
  await page?.close();
  assert.deepEqual(complaints.splice(0), [], 'the page has no errors');
});

/** Alice, logged in on a page with an input, and Bob on a phone. */
async function two(): Promise<User> {
  const [alice, bob] = [users.named('alice'), await users.join(users.named('bob'))];
  page = await browser.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  // Another name is another origin than that of the server, and of where it keeps media.
  await page.goto(users.twin.url.replace('127.0.0.1', 'localhost'));
  await page.setContent('<input type="file">');
  await page.addScriptTag({ path: SCRIPT });
  // What the tests are compiled with calls it for every function that has a name.
  await page.addScriptTag({ content: 'var __name = (value) => value;' });
  await page.evaluate(async ([SDKAppID, proxyServer, userID, userSig, to]) => {
    const { TIM } = window;
    window.tim = TIM.create({ SDKAppID, proxyServer });
    await window.tim.login({ userID, userSig });
    window.send = async (builder, file) => {
      const progress: number[] = [];
      const message = window.tim[builder]({
        to, conversationType: TIM.TYPES.CONV_C2C, payload: { file: file as object }, onProgress: (part) => { progress.push(part); },
      });
      const { imageInfoArray, url, videoUrl, fileUrl } = message.payload as Record<string, any>;
      const local = imageInfoArray?.[0].url ?? url ?? videoUrl ?? fileUrl;
      const code = await window.tim.sendMessage(message).then(() => 0, (error) => error.code);
      return { local, message, progress, code };
    };
  }, [SDK_APP_ID, users.twin.proxyServer, alice, users.twin.userSig(alice), bob.userID] as const);
  return bob;
}

/** What a picture under a URL is to a browser: its type and its sides. */
function seen(url: string): Promise<unknown> {
  return page.evaluate(async (at) => {
    const answer = await fetch(at);
    const { width, height } = await window['createImageBitmap'](await answer.blob());
    return [answer.headers.get('content-type'), width, height];
  }, url);
}

async function received(bob: User): Promise<Message> {
  await until(() => bob.received.length === 1);
  return bob.received[0]!;
}

test('a picture from an input: its three sizes are what they say', async () => {
  const bob = await two();
  await page.setInputFiles('input', PICTURE);
  const { message, local, progress, code } = await page.evaluate(() => window.send('createImageMessage', document.querySelector('input')));
  assert.equal(code, 0);
  assert.match(local, /^blob:/);
  assert.equal(progress.at(-1), 1);
  const { payload } = await received(bob) as { payload: ImagePayload };
  same(payload, message.payload);
  const [original, thumbnail, large] = payload.imageInfoArray;
  assert.equal(original?.size, readFileSync(PICTURE).length);
  assert.deepEqual(await seen(original!.url), ['image/png', original!.width, original!.height]);
  const side = Math.min(original!.width, original!.height);
  assert.ok(side > 198);
  same(Math.min(thumbnail!.width, thumbnail!.height), 198);
  assert.deepEqual(await seen(thumbnail!.url), ['image/jpeg', thumbnail!.width, thumbnail!.height]);
  same(Math.min(large!.width, large!.height), Math.min(720, side));
});

test('a picture that was pasted, large and half transparent, is white where nothing is', async () => {
  const bob = await two();
  const { code } = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 1600, height: 1200 });
    const context = canvas.getContext('2d');
    // Nothing above, and below what no PNG makes small.
    const noise = context.createImageData(1600, 600);
    for (let at = 0; at < noise.data.length; at++) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
    context.putImageData(noise, 0, 600);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    const transfer = new window['DataTransfer']();
    transfer.items.add(new window['File']([blob], 'image.png', { type: 'image/png' }));
    const event = new window['ClipboardEvent']('paste', { clipboardData: transfer });
    return window.send('createImageMessage', event.clipboardData.files[0]);
  });
  assert.equal(code, 0);
  const { imageInfoArray } = (await received(bob)).payload as ImagePayload;
  same(imageInfoArray.map(({ width, height }) => [width, height]), [[1600, 1200], [264, 198], [960, 720]]);
  for (const { url, width, height } of imageInfoArray.slice(1)) assert.deepEqual(await seen(url), ['image/jpeg', width, height]);
  const corner = await page.evaluate(async (url) => {
    const picture = await window['createImageBitmap'](await (await fetch(url)).blob());
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    return [...context.getImageData(2, 2, 1, 1).data];
  }, imageInfoArray[2]!.url);
  assert.ok(corner.every((value) => value > 250), String(corner));
});

test('a sound that a browser has recorded has no name, and goes by its type', async () => {
  const bob = await two();
  const { code } = await page.evaluate(() => window.send('createAudioMessage',
    Object.assign(new window['Blob'](['sound'], { type: 'audio/webm;codecs=opus' }), { duration: 2_500 })));
  assert.equal(code, 0);
  const { url, second, size } = (await received(bob)).payload as Payloads['TIMSoundElem'];
  same([second, size, /\.webm$/.test(url)], [2, 5, true]);
  // As Safari records.
  const { message } = await page.evaluate(() => window.send('createAudioMessage', new window['Blob'](['sound'], { type: 'audio/mp4' })));
  assert.match((message.payload as Payloads['TIMSoundElem']).url, /\.m4a$/);
});

test('a name that says something else than the browser does not keep a file from being sent', async () => {
  await two();
  for (const [builder, name, type, ending] of [
    ['createImageMessage', '1.jfif', 'image/jpeg', 'o.jpg'], ['createAudioMessage', '1.oga', 'audio/ogg', 'o.ogg'],
    ['createVideoMessage', '1.qt', 'video/quicktime', 'o.mov'],
  ] as const) {
    const { code, message } = await page.evaluate(([how, as, mime]) => window.send(how, new window['File'](['x'], as, { type: mime })), [builder, name, type] as const);
    assert.equal(code, 0, name);
    assert.ok(JSON.stringify(message.payload).includes(`/${ending}"`), JSON.stringify(message.payload));
  }
  // What is on the list stays what its name says, and what a browser knows as something else is refused.
  for (const [name, type] of [['1.svg', 'image/svg+xml'], ['1.html', 'text/png'], ['1', 'text/html']] as const) {
    const { code } = await page.evaluate(([as, mime]) => window.send('createImageMessage', new window['File'](['x'], as, { type: mime })), [name, type] as const);
    assert.equal(code, 2252, name);
  }
});

test('a video has its first frame where the browser can show it, and none where not', async () => {
  const bob = await two();
  const sent = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 320, height: 240 });
    const context = canvas.getContext('2d');
    const recorder = new window['MediaRecorder'](canvas.captureStream(30), { mimeType: 'video/webm' });
    const parts: unknown[] = [];
    recorder.ondataavailable = ({ data }: { data: unknown }) => parts.push(data);
    recorder.start();
    for (let frame = 0; frame < 20; frame++) {
      context.fillStyle = `hsl(${frame * 18} 80% 50%)`;
      context.fillRect(0, 0, 320, 240);
      await new Promise((resolve) => setTimeout(resolve, 33));
    }
    await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
    // The browser looks at what is in it, and the server at its name.
    return window.send('createVideoMessage', new window['File'](parts, '1.mp4', { type: 'video/mp4' }));
  });
  assert.equal(sent.code, 0);
  const { thumbUrl, thumbWidth, snapshotHeight } = (await received(bob)).payload as VideoPayload;
  same([thumbWidth, snapshotHeight], [320, 240]);
  assert.deepEqual(await seen(thumbUrl), ['image/jpeg', 320, 240]);
  const { message, code, kept } = await page.evaluate(async () => {
    let count = 0;
    const { createObjectURL, revokeObjectURL } = window['URL'];
    window['URL'].createObjectURL = (file: unknown) => { count += 1; return createObjectURL(file); };
    window['URL'].revokeObjectURL = (url: string) => { count -= 1; revokeObjectURL(url); };
    return { ...await window.send('createVideoMessage', new window['File'](['no video'], '1.mp4')), kept: count };
  });
  assert.equal(kept, 1, 'the URL from which the message is shown, and no other');
  same([code, (message.payload as VideoPayload).snapshotUrl, (message.payload as VideoPayload).thumbWidth], [0, '', 200]);
});

test('a file is saved under its name, and never shown', async () => {
  const bob = await two();
  await page.setInputFiles('input', { name: '报价 1.html', mimeType: 'text/html', buffer: Buffer.from('<script>alert(1)</script>') });
  const { code, message } = await page.evaluate(() => window.send('createFileMessage', document.querySelector('input')));
  assert.equal(code, 0);
  const { fileUrl, fileName } = (await received(bob)).payload as Payloads['TIMFileElem'];
  same([fileName, message.status], ['报价 1.html', 'success']);
  const { headers } = await fetch(fileUrl);
  assert.equal(headers.get('content-type'), 'application/octet-stream');
  assert.equal(decodeURIComponent(headers.get('content-disposition') ?? ''), "attachment; filename*=UTF-8''报价 1.html");
  // And what is no picture does not pass for one.
  same((await page.evaluate(() => window.send('createImageMessage', document.querySelector('input')))).code, 2252);
  await page.setInputFiles('input', []);
  same((await page.evaluate(() => window.send('createImageMessage', document.querySelector('input')))).code, 2251);
});

test('the storage is out of reach: it is tried again, and goes on when it is there', async () => {
  const bob = await two();
  let failures = 0;
  await page.route((url) => url.href === `${users.twin.url}/`, (route) => (failures++ < 2 ? route.abort('connectionreset') : route.continue()));
  await page.setInputFiles('input', { name: '1.png', mimeType: 'image/png', buffer: Buffer.from('no picture, and sent all the same') });
  const { code, message } = await page.evaluate(() => window.send('createImageMessage', document.querySelector('input')));
  assert.equal(code, 0);
  same((await received(bob)).payload, message.payload);
  same((message.payload as ImagePayload).imageInfoArray.map(({ width }) => width), [0, 0, 0]);
});
