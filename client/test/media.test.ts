/** Pictures, sounds, videos and files on a phone: what WeChat hands over, sent through the twin and seen by another user. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserFile, ChatError, CreateMediaMessageOptions, ImagePayload, MediaFile, Message, MessageType, Payloads, VideoPayload } from '../src/index.js';
import { User, codeOf, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const users = withTwin();
const { two } = users;

const MB = 1024 * 1024;
const HOUR_MS = 60 * 60 * 1_000;

type Builder = 'createImageMessage' | 'createAudioMessage' | 'createVideoMessage' | 'createFileMessage';

function build(user: User, builder: Builder, to: string, file: MediaFile, more: Partial<CreateMediaMessageOptions> = {}): Message {
  return user.tim[builder]({ to, conversationType: 'C2C', payload: { file }, ...more });
}

/** A photo, as it comes from chooseImage. */
function photo(user: User, to: string, path = user.device.files.photo(), more: Partial<CreateMediaMessageOptions> = {}): Message {
  return build(user, 'createImageMessage', to, user.device.files.chooseImage(path), more);
}

/** The error that a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<ChatError> {
  return promise.then(() => { throw new Error('it has not failed'); }, (error) => error as ChatError);
}

const payloadOf = <Type extends MessageType>(message: Message | undefined, type: Type): Payloads[Type] => {
  assert.equal(message?.type, type);
  return message.payload as Payloads[Type];
};
const imageOf = (message: Message | undefined): ImagePayload => payloadOf(message, 'TIMImageElem');
const urlsOf = (message: Message | undefined): string[] => imageOf(message).imageInfoArray.map(({ url }) => url);

/** How often the server was asked for a form. */
const forms = (user: User): number => user.device.frames.filter((frame) => frame['action'] === 'getUploadForm').length;

async function fetched(url: string): Promise<{ type: string | null; disposition: string | null; bytes: Buffer }> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, url);
  const { headers } = answer;
  return { type: headers.get('content-type'), disposition: headers.get('content-disposition'), bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** Cuts the network once when half of an upload is on its way. */
function loseNetworkHalfway(user: User): void {
  let isFirst = true;
  user.device.files.sent = (part) => {
    if (part < 0.5 || !isFirst) return;
    isFirst = false;
    user.device.goOffline();
  };
}

// What is handed over

const CHOOSERS: [string, Builder, (user: User) => { file: MediaFile; path: string }, MessageType, string][] = [
  ['chooseImage', 'createImageMessage', ({ device: { files } }) => {
    const path = files.photo();
    return { path, file: files.chooseImage(path) };
  }, 'TIMImageElem', 'image/jpeg'],
  ['chooseMedia for a picture', 'createImageMessage', ({ device: { files } }) => {
    const path = files.photo('屏幕.png', 1170, 2532);
    return { path, file: files.chooseMediaImage(path) };
  }, 'TIMImageElem', 'image/png'],
  ['chooseImage of an app that passes on the paths alone', 'createImageMessage', ({ device: { files } }) => {
    const path = files.photo();
    return { path, file: { tempFilePaths: [path] } };
  }, 'TIMImageElem', 'image/jpeg'],
  ['chooseImage for a photo that WeChat gives no extension to speak of', 'createImageMessage', ({ device: { files } }) => {
    const path = files.photo('照片.unknown');
    return { path, file: files.chooseImage(path) };
  }, 'TIMImageElem', 'image/jpeg'],
  ['chooseMedia for a picture of the same kind', 'createImageMessage', ({ device: { files } }) => {
    const path = files.photo('照片.image', 1170, 2532, 90_000, { type: 'png' });
    return { path, file: files.chooseMediaImage(path) };
  }, 'TIMImageElem', 'image/png'],
  ['RecorderManager', 'createAudioMessage', ({ device: { files } }) => {
    const path = files.save('durationTime=3999.aac', 24_000);
    return { path, file: files.recorded(path) };
  }, 'TIMSoundElem', 'audio/aac'],
  ['chooseVideo', 'createVideoMessage', ({ device: { files } }) => {
    const path = files.save('video.mp4', 400_000);
    return { path, file: files.chooseVideo(path) };
  }, 'TIMVideoFileElem', 'video/mp4'],
  ['chooseMedia for a video', 'createVideoMessage', ({ device: { files } }) => {
    const path = files.save('video.mov', 400_000);
    return { path, file: files.chooseMediaVideo(path, files.photo('thumb.jpg', 540, 960, 12_000)) };
  }, 'TIMVideoFileElem', 'video/quicktime'],
  ['chooseMessageFile', 'createFileMessage', ({ device: { files } }) => {
    const path = files.save('a1b2.pdf', 70_000);
    return { path, file: files.chooseMessageFile(path, '报价.pdf') };
  }, 'TIMFileElem', 'application/octet-stream'],
];

/** Where the file of a message lies. */
function urlOf({ type, payload }: Message): string {
  const { imageInfoArray, url, videoUrl, fileUrl } = payload as Partial<ImagePayload & Payloads['TIMSoundElem'] & VideoPayload & Payloads['TIMFileElem']>;
  return { TIMImageElem: imageInfoArray?.[0]?.url, TIMSoundElem: url, TIMVideoFileElem: videoUrl, TIMFileElem: fileUrl }[type as string] ?? '';
}

for (const [name, builder, choose, type, mime] of CHOOSERS) {
  test(`${name}: shown from the device at once, uploaded when it is sent, and the same for the other user`, async () => {
    const [alice, bob] = await two();
    const { file, path } = choose(alice);
    const message = build(alice, builder, bob.userID, file);
    const { payload } = message;
    same([message.type, message.status, urlOf(message)], [type, 'unSend', path]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(alice.device.files.uploads.length, 0, 'nothing is uploaded that is never sent');

    const { data } = await alice.tim.sendMessage(message);
    assert.equal(data.message, message);
    assert.equal(message.payload, payload, 'the payload is the same object');
    assert.equal(message.status, 'success');
    assert.match(urlOf(message), new RegExp(`^${users.twin.url}/m/[0-9a-f]{16}/[a-z2-7]{26}/o\\.\\w+$`));
    const answer = await fetched(urlOf(message));
    same([answer.type, answer.bytes.equals(alice.device.files.bytesOf(path))], [mime, true]);

    await until(() => bob.received.length === 1);
    same(bob.received[0]?.payload, message.payload);
    same((await bob.history(alice.userID)).map((each) => each.payload), [message.payload]);
    assert.equal(JSON.stringify(message.payload).includes('wxfile'), false);
  });
}

test('a sound has whole seconds, and its URL under both names', async () => {
  const [alice, bob] = await two();
  const path = alice.device.files.save('1.mp3', 5_000);
  const message = build(alice, 'createAudioMessage', bob.userID, alice.device.files.recorded(path));
  same(message.payload, { uuid: '', url: path, remoteAudioUrl: '', size: 5_000, second: 3, downloadFlag: 2 });
  await alice.tim.sendMessage(message);
  const { url, uuid, ...rest } = payloadOf(message, 'TIMSoundElem');
  same(rest, { remoteAudioUrl: url, size: 5_000, second: 3, downloadFlag: 2 });
  assert.ok(url.endsWith(`/${uuid}`) && uuid.startsWith('m/'));
});

test('a video has its picture, from the device at first', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  const [path, thumb] = [files.save('1.mp4', 50_000), files.photo('thumb.jpg', 540, 960, 9_000)];
  const message = build(alice, 'createVideoMessage', bob.userID, files.chooseMediaVideo(path, thumb));
  const { payload } = message as { payload: VideoPayload };
  const side = { thumbWidth: 540, thumbHeight: 960, snapshotWidth: 540, snapshotHeight: 960 };
  same(payload, {
    videoUUID: '', videoUrl: path, remoteVideoUrl: '', videoFormat: 'mp4', videoSecond: 13, videoSize: 50_000,
    thumbUUID: '', thumbUrl: thumb, thumbSize: 0, snapshotUrl: thumb, ...side,
  });
  await alice.tim.sendMessage(message);
  const { videoUrl, thumbUrl } = payload;
  same(payload, {
    videoUUID: videoUrl.slice(users.twin.url.length + 1), videoUrl, remoteVideoUrl: videoUrl, videoFormat: 'mp4', videoSecond: 13, videoSize: 50_000,
    thumbUUID: thumbUrl.slice(users.twin.url.length + 1), thumbUrl, thumbSize: 9_000, snapshotUrl: thumbUrl, ...side,
  });
  assert.ok((await fetched(thumbUrl)).bytes.equals(files.bytesOf(thumb)));

  // chooseVideo gives it none.
  const plain = build(alice, 'createVideoMessage', bob.userID, files.chooseVideo(path));
  await alice.tim.sendMessage(plain);
  const { thumbUUID, thumbUrl: missing, thumbSize, snapshotUrl, videoSecond } = plain.payload as VideoPayload;
  same([thumbUUID, missing, thumbSize, snapshotUrl, videoSecond], ['', '', 0, '', 13]);

  // One without a picture and a size.
  const bare = build(alice, 'createVideoMessage', bob.userID, { tempFilePath: path, duration: 1, size: 50_000 });
  await alice.tim.sendMessage(bare);
  const { thumbUrl: none, thumbWidth, snapshotHeight } = bare.payload as VideoPayload;
  same([none, thumbWidth, snapshotHeight], ['', 200, 200]);
});

test('a file keeps its name, also a long one or one that lies', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  const send = async (name: string): Promise<{ fileName: string; disposition: string }> => {
    const path = files.save('x.pdf', 100);
    const message = build(alice, 'createFileMessage', bob.userID, files.chooseMessageFile(path, name));
    await alice.tim.sendMessage(message);
    const { fileName, fileUrl, fileSize } = payloadOf(message, 'TIMFileElem');
    assert.equal(fileSize, 100);
    return { fileName, disposition: decodeURIComponent((await fetched(fileUrl)).disposition ?? '') };
  };
  assert.deepEqual(await send('报价.pdf'), { fileName: '报价.pdf', disposition: "attachment; filename*=UTF-8''报价.pdf" });
  const long = `${'长'.repeat(200)}.docx`;
  assert.deepEqual(await send(long), { fileName: long, disposition: `attachment; filename*=UTF-8''${'长'.repeat(74)}.docx` });
  assert.equal((await send('a\u202egpj.exe')).disposition, "attachment; filename*=UTF-8''a gpj.exe");
  assert.match((await send('')).disposition, /^attachment; filename\*=UTF-8''x\.pdf$/);
});

// Three sizes

const sizes = (message: Message): unknown => imageOf(message).imageInfoArray
  .map(({ type, sizeType, width, height, url, imageUrl }) => [type, sizeType, width, height, url === imageUrl, url.replace(/.*\//, '')]);

test('a picture has three sizes in the order of the SDK, each where it says and as large as it says', async () => {
  const [alice, bob] = await two();
  const message = photo(alice, bob.userID);
  const { imageInfoArray } = imageOf(message);
  assert.equal(imageInfoArray.length, 3, 'also before it is sent');
  await alice.tim.sendMessage(message);
  same(sizes(message), [
    [0, 1, 3024, 4032, true, 'o.jpg'], [1, 3, 198, 264, true, 'p2.jpg'], [2, 2, 720, 960, true, 'p1.jpg'],
  ]);
  for (const { url, size } of imageOf(message).imageInfoArray) assert.equal((await fetched(url)).bytes.length, size);
  assert.equal(imageOf(message).imageFormat, 1);
});

for (const [what, given, expected] of [
  ['no larger than a thumbnail', [198, 400], [[198, 400, 'o.jpg'], [198, 400, 'o.jpg'], [198, 400, 'o.jpg']]],
  ['no larger than a large one', [720, 720], [[720, 720, 'o.jpg'], [198, 198, 'p1.jpg'], [720, 720, 'o.jpg']]],
  ['a little larger', [722, 1000], [[722, 1000, 'o.jpg'], [198, 274, 'p2.jpg'], [720, 997, 'p1.jpg']]],
] as [string, [number, number], unknown][]) {
  test(`a picture that is ${what} has the original in the place of what it has no more of`, async () => {
    const [alice, bob] = await two();
    const message = photo(alice, bob.userID, alice.device.files.photo('1.jpg', ...given));
    await alice.tim.sendMessage(message);
    same(imageOf(message).imageInfoArray.map(({ width, height, url }) => [width, height, url.replace(/.*\//, '')]), expected);
  });
}

test('where no previews can be made, or should be, the original is in their places', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  const original = [['o', 3024, 4032], ['o', 3024, 4032], ['o', 3024, 4032]];
  const send = async (path: string): Promise<unknown> => {
    const message = photo(alice, bob.userID, path);
    await alice.tim.sendMessage(message);
    return imageOf(message).imageInfoArray.map(({ url, width, height }) => [/\/(o|p\d)\.\w+$/.exec(url)?.[1], width, height]);
  };
  files.compresses = 'not';
  same(await send(files.photo()), original);
  files.compresses = 'only';
  same(await send(files.photo()), original);
  files.compresses = 'to a size';
  files.compressesOnlyJPEG = true;
  same(await send(files.photo('1.png', 3024, 4032, 90_000, { type: 'png' })), original);
  same(await send(files.photo()), [['o', 3024, 4032], ['p2', 198, 264], ['p1', 720, 960]]);
  files.compressesOnlyJPEG = false;
  // What moves would stand still.
  same(await send(files.photo('1.gif', 3024, 4032, 9_000, { type: 'gif' })), original);
  // The device cannot read it, and it is a picture all the same.
  same(await send(files.save('1.webp', 9_000)), [['o', 0, 0], ['o', 0, 0], ['o', 0, 0]]);
  // A preview that the server or the network does not take is not worth the message.
  files.refuses = ({ path }) => (path.endsWith('compressed.jpg') ? 'file not found' : undefined);
  same(await send(files.photo()), original);
  await until(() => bob.received.length === 7);
});

for (const [turns, thumbnail, large] of [
  [true, [198, 264, 'p2.jpg'], [720, 960, 'p1.jpg']],
  // Smaller than it may be, and turned by those who show it.
  [false, [149, 198, 'p2.jpg'], [540, 720, 'p1.jpg']],
] as const) {
  test(`a photo that is turned to be seen has the sides that are seen, where its previews ${turns ? 'are turned' : 'have to be turned'} too`, async () => {
    const [alice, bob] = await two();
    const { files } = alice.device;
    files.turns = turns;
    const message = photo(alice, bob.userID, files.photo('turned', 4032, 3024, 90_000, { orientation: 'right' }));
    await alice.tim.sendMessage(message);
    same(imageOf(message).imageInfoArray.map(({ width, height, url }) => [width, height, url.replace(/.*\//, '')]),
      [[3024, 4032, 'o.jpg'], thumbnail, large]);
  });
}

test('a size that the device does not say is asked for again when the message is', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  const video = { tempFilePath: files.save('1.mp4', 5_000), thumbTempFilePath: files.photo('thumb.jpg', 540, 960, 900), duration: 1 };
  const messages = [
    build(alice, 'createImageMessage', bob.userID, { tempFilePaths: [files.photo()] }), build(alice, 'createVideoMessage', bob.userID, video),
  ] as const;
  files.saysSizes = false;
  for (const message of messages) assert.equal(await codeOf(alice.tim.sendMessage(message)), 2108);
  files.saysSizes = true;
  for (const message of messages) await alice.tim.resendMessage(message);
  same(urlsOf(messages[0]).map((url) => url.replace(/.*\//, '')), ['o.jpg', 'p2.jpg', 'p1.jpg']);
  const { videoSize, thumbSize } = messages[1].payload as VideoPayload;
  same([videoSize, thumbSize], [5_000, 900]);
});

// What cannot be sent

test('what is no file, empty, of another type or too large fails with the code of the SDK when it is sent', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  const large = (name: string, size: number): MediaFile => ({ tempFiles: [{ path: files.save(name, 10), size, name }] });
  const cases: [Builder, MediaFile, number][] = [
    ['createImageMessage', { tempFiles: [] }, 2251], ['createImageMessage', {}, 2251], ['createImageMessage', undefined as never, 2251],
    ['createAudioMessage', {}, 2300], ['createVideoMessage', { tempFiles: [] }, 2350], ['createFileMessage', { files: [] }, 2401],
    ['createImageMessage', large('1.svg', 10), 2252], ['createImageMessage', large('1.html', 10), 2252], ['createImageMessage', large('1', 10), 2252],
    ['createAudioMessage', large('1.flac', 10), 2300], ['createVideoMessage', large('1.avi', 10), 2352],
    ['createImageMessage', files.chooseImage(files.save('1.png', 0)), 2108], ['createFileMessage', files.chooseMessageFile(files.save('1', 0), '1'), 2108],
    ['createImageMessage', large('1.png', 20 * MB + 1), 2253], ['createAudioMessage', large('1.mp3', 20 * MB + 1), 2301],
    ['createVideoMessage', large('1.mp4', 100 * MB + 1), 2351], ['createFileMessage', large('1.zip', 100 * MB + 1), 2402],
  ];
  for (const [builder, file, code] of cases) {
    const message = build(alice, builder, bob.userID, file);
    assert.equal(message.status, 'unSend');
    const error = await errorOf(alice.tim.sendMessage(message));
    assert.equal(error.code, code, `${builder} ${JSON.stringify(file)}: ${error.message}`);
    assert.ok(error.message.startsWith('sendMessage: ') && error.message.length > 20, error.message);
    assert.equal((error.data as { message: Message }).message, message);
    assert.equal(message.status, 'fail');
  }
  assert.equal(files.uploads.length, 0);
  for (const wrong of [null, {}, { to: bob.userID, conversationType: 'C2C' }]) {
    assert.throws(() => alice.tim.createImageMessage(wrong as never), /createImageMessage: /);
  }
});

test('20 MB are sent', async () => {
  const [alice, bob] = await two();
  const message = build(alice, 'createFileMessage', bob.userID, alice.device.files.chooseMessageFile(alice.device.files.save('1.zip', 100), '1.zip'));
  const image = photo(alice, bob.userID, alice.device.files.photo('1.png', 198, 198, 20 * MB));
  await Promise.all([message, image].map((each) => alice.tim.sendMessage(each)));
  assert.equal((await fetched(urlOf(image))).bytes.length, 20 * MB);
});

test('a deployment without media says so, with any plugin and with none', async () => {
  const [alice, bob] = await two();
  alice.tim.registerPlugin({ 'tim-upload-plugin': class {}, 'cos-wx-sdk': class {}, 'some-day': {} });
  alice.device.replaces = (frame) => (frame['action'] === 'getUploadForm'
    ? { ...frame, code: 2040, message: 'deploy it with Media=true', data: {} } : frame);
  const message = photo(alice, bob.userID);
  const error = await errorOf(alice.tim.sendMessage(message));
  same([error.code, error.message, message.status], [2040, 'sendMessage: deploy it with Media=true', 'fail']);
});

// How it gets there

test('progress goes from little to 1, and never back, also when the network is lost in between', async (context) => {
  const [alice, bob] = await two();
  const told: number[] = [];
  const message = photo(alice, bob.userID, alice.device.files.photo('1.jpg', 3024, 4032, 2 * MB), { onProgress: (percent) => { told.push(percent); } });
  loseNetworkHalfway(alice);
  const sending = alice.tim.sendMessage(message);
  await until(() => alice.told('netStateChange').length > 1);
  alice.device.goOnline();
  await sending;
  assert.ok(told.length > 10 && told[0]! < 0.5 && told.at(-1) === 1, String(told));
  assert.deepEqual(told, [...new Set(told)].sort((a, b) => a - b));

  // What an app does when it is told is its own affair.
  const other = photo(alice, bob.userID, undefined, { onProgress: () => { throw new Error('in the app'); } });
  alice.tim.setLogLevel(1);
  const log = context.mock.method(console, 'error', () => {});
  await alice.tim.sendMessage(other);
  assert.equal(other.status, 'success');
  assert.match(String(log.mock.calls[0]?.arguments), /in the app/);
});

test('the network is lost at half of it: it begins again with the same form, and the message is there once', async () => {
  const [alice, bob] = await two();
  loseNetworkHalfway(alice);
  const message = photo(alice, bob.userID, alice.device.files.photo('1.jpg', 100, 100, MB));
  const sending = alice.tim.sendMessage(message);
  await until(() => alice.told('netStateChange').length > 1);
  // An hour in a tunnel is no reason to give up.
  alice.device.clock.advance(3_600_000);
  same([message.status, alice.device.files.uploads.length], ['unSend', 1]);
  alice.device.goOnline();
  await sending;
  same([forms(alice), alice.device.files.uploads.map(({ status }) => status)], [1, [undefined, 200]]);
  await until(() => bob.received.length === 1);
  assert.equal((await fetched(urlOf(bob.received[0]!))).bytes.length, MB);
  same((await bob.history(alice.userID)).length, 1);
});

test('a form that has expired meanwhile, or that the storage refuses, is made anew', async () => {
  const [alice, bob] = await two();
  loseNetworkHalfway(alice);
  const message = photo(alice, bob.userID, alice.device.files.photo('1.jpg', 100, 100, MB));
  const sending = alice.tim.sendMessage(message);
  await until(() => alice.told('netStateChange').length > 1);
  alice.device.clock.ahead += 16 * 60_000;
  await users.twin.advance(16 * 60_000);
  alice.device.goOnline();
  await sending;
  same([forms(alice), alice.device.files.uploads.map(({ status }) => status)], [2, [undefined, 200]]);

  // The device knows nothing of the time that has passed, and the storage says so.
  alice.device.takeFrames();
  alice.device.files.uploads.length = 0;
  let isFirst = true;
  alice.device.replaces = (frame) => {
    if (frame['action'] !== 'getUploadForm' || !isFirst) return frame;
    isFirst = false;
    const { fields, ...data } = frame['data'] as { fields: object };
    return { ...frame, data: { ...data, fields: { ...fields, 'x-amz-signature': '0'.repeat(64) } } };
  };
  await alice.tim.sendMessage(photo(alice, bob.userID, alice.device.files.photo('1.jpg', 100, 100)));
  same([forms(alice), alice.device.files.uploads.map(({ status }) => status)], [2, [403, 200]]);
});

test('a form whose signer has expired, to which the storage says 400, is made anew, and all files of a message lie together', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  let refusals = 0;
  // The previews have arrived already.
  files.answers = ({ path }) => (path.endsWith('照片.jpg') && refusals++ === 0 ? [400, '<Error><Code>ExpiredToken</Code></Error>'] : undefined);
  const message = photo(alice, bob.userID);
  await alice.tim.sendMessage(message);
  same([forms(alice), files.uploads.map(({ status }) => status)], [2, [400, 200, 200, 200, 200, 200]]);
  same(urlsOf(message).map((url) => url.replace(/.*\//, '')), ['o.jpg', 'p2.jpg', 'p1.jpg']);
  assert.equal(new Set(urlsOf(message).map((url) => url.replace(/[^/]*$/, ''))).size, 1, String(urlsOf(message)));

  // And where it is a preview that has not arrived in time, the message does without.
  files.answers = ({ path }) => (path.endsWith('compressed.jpg') ? [400, '<Error><Code>ExpiredToken</Code></Error>'] : undefined);
  const other = photo(alice, bob.userID);
  await alice.tim.sendMessage(other);
  same([forms(alice), new Set(urlsOf(other)).size], [3, 1]);
});

for (const [builder, code] of [
  ['createImageMessage', 2800], ['createAudioMessage', 2300], ['createVideoMessage', 2350], ['createFileMessage', 2400],
] as [Builder, number][]) {
  test(`${builder}: an upload that fails again and again is given up with ${code}, and can be sent again`, async () => {
    const [alice, bob] = await two();
    const { files } = alice.device;
    files.refuses = () => 'connection reset';
    const name = { createImageMessage: '1.png', createAudioMessage: '1.mp3', createVideoMessage: '1.mp4', createFileMessage: '1.zip' }[builder];
    const message = build(alice, builder, bob.userID, { tempFilePath: files.save(name, 1_000), size: 1_000 });
    const begun = alice.device.clock.now();
    let error: ChatError | undefined;
    const sending = errorOf(alice.tim.sendMessage(message)).then((reason) => { error = reason; });
    for (let turn = 0; turn < 100 && !error; turn++) await alice.device.pass(500);
    await sending;
    same([error?.code, message.status, files.uploads.length, forms(alice)], [code, 'fail', 4, 1]);
    assert.match(error?.message ?? '', /try again.*connection reset/);
    assert.ok(alice.device.clock.now() - begun < 30_000);

    files.refuses = () => undefined;
    await alice.tim.resendMessage(message);
    await until(() => bob.received.length === 1);
    same(bob.received[0]?.payload, message.payload);
  });
}

test('what will not get better is not tried again, and the text says what to do', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  files.refuses = () => 'url not in domain list';
  const error = await errorOf(alice.tim.sendMessage(photo(alice, bob.userID)));
  assert.match(error.message, new RegExp(`add ${users.twin.url}/ to the uploadFile domains`));
  files.refuses = () => undefined;
  // The chooser has said too little, and the storage takes no more than that.
  const message = build(alice, 'createFileMessage', bob.userID, { tempFiles: [{ path: files.save('1.zip', 2_000), size: 1_000, name: '1.zip' }] });
  const refused = await errorOf(alice.tim.sendMessage(message));
  assert.equal(refused.code, 2400);
  assert.match(refused.message, /400 EntityTooLarge/);
  assert.ok(files.uploads.length <= 4);
});

test('an upload that gets no further for a minute begins again', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  let hung = 0;
  files.sent = (part, _, hangs) => { if (part > 0.3 && hung++ === 0) hangs(); };
  const message = photo(alice, bob.userID, files.photo('1.jpg', 100, 100, MB));
  const sending = alice.tim.sendMessage(message);
  await until(() => hung > 0);
  await alice.device.pass(55_000);
  assert.equal(files.uploads.length, 1);
  await alice.device.pass(8_000);
  await sending;
  same(files.uploads.map(({ isAborted, status }) => [isAborted, status]), [[true, undefined], [undefined, 200]]);
});

test('a server that gives no form keeps nobody waiting for ever', async () => {
  const [alice, bob] = await two();
  alice.device.loses = (frame) => frame['action'] === 'getUploadForm';
  let code: number | undefined;
  void codeOf(alice.tim.sendMessage(photo(alice, bob.userID))).then((said) => { code = said; });
  for (let turn = 0; turn < 100 && code === undefined; turn++) await alice.device.pass(500);
  assert.equal(code, 2801);
});

// In order, once, and not at all

test('a picture holds up no text behind it, and two pictures come both', async () => {
  const [alice, bob] = await two();
  // The forms of the pictures come late.
  alice.device.loses = (frame) => frame['action'] === 'getUploadForm';
  const [first, second] = [photo(alice, bob.userID), photo(alice, bob.userID)];
  const sending = Promise.all([first, second].map((each) => alice.tim.sendMessage(each)));
  await alice.send(bob.userID, '先到');
  await until(() => bob.received.length === 1);
  same([bob.texts, first.status], [['先到'], 'unSend']);
  assert.equal(alice.tim.findMessage(first.ID), first);
  alice.device.loses = () => false;
  await alice.device.pass(11_000);
  await sending;
  await until(() => bob.received.length === 3);
  same(new Set(bob.received.slice(1).map(({ ID }) => ID)), new Set([first.ID, second.ID]));
  same((await bob.history(alice.userID)).map(({ sequence }) => sequence), [1, 2, 3]);
});

test('a message that is being uploaded cannot be sent a second time, and is there once', async () => {
  const [alice, bob] = await two();
  const message = photo(alice, bob.userID);
  const sending = alice.tim.sendMessage(message);
  assert.equal(await codeOf(alice.tim.sendMessage(message)), 2100);
  assert.equal(await codeOf(alice.tim.resendMessage(message)), 2100);
  await sending;
  assert.equal(await codeOf(alice.tim.sendMessage(message)), 2100);
  same((await bob.history(alice.userID)).length, 1);
  assert.equal(forms(alice), 1);
});

test('a clone of a message, which is what setData makes, is sent with its file', async () => {
  const [alice, bob] = await two();
  const clone = JSON.parse(JSON.stringify(photo(alice, bob.userID))) as Message;
  await alice.tim.sendMessage(clone);
  await until(() => bob.received.length === 1);
  same(bob.received[0]?.payload, clone.payload);
});

test('what is uploaded is not uploaded again when it is sent again, until it is an hour old', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  await bob.tim.addToBlacklist({ userIDList: [alice.userID] });
  const message = photo(alice, bob.userID);
  assert.equal(await codeOf(alice.tim.sendMessage(message)), 20007);
  assert.equal(message.status, 'fail');
  const [urls, count] = [urlsOf(message), files.uploads.length];
  assert.ok(urls[0]?.startsWith('http'));
  assert.equal(await codeOf(alice.tim.resendMessage(message)), 20007);
  same([urlsOf(message), files.uploads.length], [urls, count]);

  await users.twin.advance(HOUR_MS + 1_000);
  alice.device.clock.set(HOUR_MS + 1_000);
  await alice.device.pass(20_000);
  await bob.tim.removeFromBlacklist({ userIDList: [alice.userID] });
  await alice.tim.resendMessage(message);
  assert.equal(files.uploads.length, 2 * count);
  assert.notDeepEqual(urlsOf(message), urls);
  await until(() => bob.received.length === 1);
  same(urlsOf(bob.received[0]), urlsOf(message));
});

test('a logout ends the upload, and the message can be sent after the next login', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  let isUnderWay = false;
  files.sent = (_, upload, hangs) => { isUnderWay = true; hangs(); void upload; };
  const message = photo(alice, bob.userID, files.photo('1.jpg', 100, 100, MB));
  const sending = errorOf(alice.tim.sendMessage(message));
  await until(() => isUnderWay);
  await alice.tim.logout();
  same([(await sending).code, message.status, files.uploads[0]?.isAborted], [3005, 'fail', true]);
  await alice.device.pass(120_000);
  same([files.uploads.length, forms(alice)], [1, 1]);
  files.sent = () => {};
  await alice.login();
  await alice.tim.resendMessage(message);
  await until(() => bob.received.length === 1);
});

test('a user who is kicked uploads no more', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  let isUnderWay = false;
  files.sent = (_, __, hangs) => { isUnderWay = true; hangs(); };
  const message = photo(alice, bob.userID, files.photo('1.jpg', 100, 100, MB));
  const sending = errorOf(alice.tim.sendMessage(message));
  await until(() => isUnderWay);
  await users.another(alice);
  const { code } = await sending;
  same([code, files.uploads[0]?.isAborted, message.status], [3003, true, 'fail']);
});

test('a message that is deleted while it is uploaded is not sent', async () => {
  const [alice, bob] = await two();
  const { files } = alice.device;
  let isUnderWay = false;
  files.sent = (_, __, hangs) => { isUnderWay = true; hangs(); };
  const message = photo(alice, bob.userID, files.photo('1.jpg', 100, 100, MB));
  const sending = codeOf(alice.tim.sendMessage(message));
  await until(() => isUnderWay);
  await alice.tim.deleteMessage([message]);
  same([await sending, files.uploads[0]?.isAborted], [2100, true]);
  // Also in the last moment before it would be.
  files.sent = () => {};
  const late: Message = photo(alice, bob.userID, undefined, { onProgress: (part) => { if (part === 1) void alice.tim.deleteMessage([late]); } });
  assert.equal(await codeOf(alice.tim.sendMessage(late)), 2100);
  await alice.send(bob.userID, '还在吗');
  same((await bob.history(alice.userID)).map(textOf), ['还在吗']);
});

test('a message that is given up while it waits for its turn, or for its form, is gone, and makes room at once', async () => {
  const [alice, bob] = await two();
  alice.device.loses = (frame) => frame['action'] === 'getUploadForm';
  const { files } = alice.device;
  // The fourth one alone is large enough for previews.
  const messages = [100, 100, 100, 3024, 100].map((side) => photo(alice, bob.userID, files.photo('1.jpg', side, side)));
  const [first, , , fourth, fifth] = messages as [Message, Message, Message, Message, Message];
  const codes = messages.map((message) => alice.tim.sendMessage(message).then(() => 0, (error: ChatError) => error.code));
  await until(() => forms(alice) === 3);
  for (const message of messages) assert.equal(alice.tim.findMessage(message.ID), message, 'it is found while it waits');
  await alice.tim.deleteMessage([fourth]);
  same([await codes[3], fourth.isDeleted, alice.tim.findMessage(fourth.ID)], [2100, true, null]);
  // The one in front of the fifth is left out.
  await alice.tim.deleteMessage([first]);
  await until(() => forms(alice) === 4);
  same([await codes[0], alice.tim.findMessage(first.ID), alice.tim.findMessage(fifth.ID)], [2100, null, fifth]);
  alice.device.loses = () => false;
  await alice.device.pass(11_000);
  same(await Promise.all(codes), [2100, 0, 0, 2100, 0]);
  await until(() => bob.received.length === 3);
  for (const { ID } of [first, fourth]) assert.equal(alice.tim.findMessage(ID), null);
  // What was given up is not asked for again, and no previews are made of it.
  const asked = alice.device.frames.filter(({ action }) => action === 'getUploadForm').map(({ requestID }) => requestID);
  same([new Set(asked).size, files.uploads.length], [4, 3]);
  assert.ok(![...files.stored.keys()].some((path) => path.endsWith('compressed.jpg')));
});

// What is received, forwarded and recalled

test('a message is forwarded with its file where it lies, and its custom data', async () => {
  const [alice, bob] = await two();
  const carol = await users.join(users.named('carol'));
  const original = photo(alice, bob.userID, undefined, { cloudCustomData: '{"order":7}' });
  await alice.tim.sendMessage(original);
  await alice.send(bob.userID, '看');
  await until(() => bob.received.length === 2);
  for (const message of bob.received) {
    const { data } = await bob.tim.sendMessage(bob.tim.createForwardMessage({ to: carol.userID, conversationType: 'C2C', payload: message }));
    assert.notEqual(data.message.ID, message.ID);
  }
  await until(() => carol.received.length === 2);
  // Without the key, by which a recall of it would take the file from the first message.
  const forwarded = { ...imageOf(original), uuid: '' };
  same(carol.received.map(({ payload, cloudCustomData }) => [payload, cloudCustomData]), [[forwarded, '{"order":7}'], [{ text: '看' }, '']]);
  assert.match(imageOf(original).uuid, /^m\//);
  for (const [type, payload, expected] of [
    ['TIMVideoFileElem', { videoUUID: 'm/1/2/o.mp4', thumbUUID: 'm/1/2/p1.jpg', videoUrl: 'https://m.example.com/1' },
      { videoUUID: '', thumbUUID: '', videoUrl: 'https://m.example.com/1' }],
    ['TIMFileElem', { uuid: 'm/1/2/o.pdf' }, { uuid: '' }],
    ['TIMSoundElem', { uuid: 'm/1/2/o.mp3' }, { uuid: '' }],
    // What an app calls so is its own affair.
    ['TIMCustomElem', { data: '', uuid: 'of the app' }, { data: '', uuid: 'of the app' }],
  ] as [MessageType, object, object][]) {
    const foreign = { ...alice.text(bob.userID, 'x'), type, payload } as unknown as Message;
    same(alice.tim.createForwardMessage({ to: bob.userID, conversationType: 'C2C', payload: foreign }).payload, expected);
    assert.notDeepEqual([type, foreign.payload], [type, type === 'TIMCustomElem' ? undefined : expected], 'the original keeps its keys');
  }
  same([bob.device.files.uploads.length, forms(bob)], [0, 0]);

  // What lies only on the device of another cannot be, and neither can one that was built elsewhere.
  const unsent = alice.tim.createForwardMessage({ to: carol.userID, conversationType: 'C2C', payload: photo(alice, bob.userID) });
  assert.equal(await codeOf(alice.tim.sendMessage(unsent)), 2251);
  const file = alice.tim.createForwardMessage({
    to: carol.userID, conversationType: 'C2C', payload: build(alice, 'createFileMessage', bob.userID, { path: 'http://tmp/1.pdf', size: 1, name: '1.pdf' }),
  });
  assert.equal(await codeOf(alice.tim.sendMessage(file)), 2403);
});

test('what another client says of its media is completed with the names that programs read', async () => {
  const [alice, bob] = await two();
  const url = 'https://media.example.com/m/1.jpg';
  const forward = async (type: MessageType, payload: object): Promise<object> => {
    const foreign = { ...alice.text(bob.userID, 'x'), type, payload } as unknown as Message;
    const before = bob.received.length;
    await alice.tim.sendMessage(alice.tim.createForwardMessage({ to: bob.userID, conversationType: 'C2C', payload: foreign }));
    await until(() => bob.received.length > before);
    return bob.received[before]!.payload;
  };
  const entry = { size: 5, width: 10, height: 20, url, imageUrl: url };
  same(await forward('TIMImageElem', { uuid: 'x', imageInfoArray: [{ url, size: 5, width: 10, height: 20 }] }), {
    uuid: '', imageFormat: 0,
    imageInfoArray: [{ type: 0, sizeType: 1, ...entry }, { type: 1, sizeType: 3, ...entry }, { type: 2, sizeType: 2, ...entry }],
  });
  same((await forward('TIMImageElem', { imageInfoArray: [{ imageUrl: url }] }) as ImagePayload).imageInfoArray.map((each) => each.url), [url, url, url]);
  const { remoteAudioUrl, second } = await forward('TIMSoundElem', { url, more: 1 }) as Payloads['TIMSoundElem'];
  same([remoteAudioUrl, second], [url, 0]);
  const video = await forward('TIMVideoFileElem', { remoteVideoUrl: url, thumbUrl: url, thumbWidth: 7 }) as VideoPayload;
  same([video.videoUrl, video.snapshotUrl, video.snapshotWidth, video.snapshotHeight], [url, url, 7, 0]);
  same((await forward('TIMFileElem', { fileUrl: url }) as Payloads['TIMFileElem']).fileName, '');
});

test('a picture that is recalled has three empty places, and its file is gone', async () => {
  const [alice, bob] = await two();
  const message = photo(alice, bob.userID);
  await alice.tim.sendMessage(message);
  await until(() => bob.received.length === 1);
  const [url] = urlsOf(message);
  await alice.tim.revokeMessage(message);
  await until(() => bob.received[0]?.isRevoked === true);
  for (const each of [message, bob.received[0]]) same(urlsOf(each), ['', '', '']);
  await until(async () => (await fetch(url!)).status !== 200);
});

test('a picture that its sender has forwarded stays when the forward is recalled, and goes with the first message', async () => {
  const [alice, bob] = await two();
  const carol = await users.join(users.named('carol'));
  const [original, other] = [photo(alice, bob.userID), photo(alice, carol.userID)];
  for (const message of [original, other]) await alice.tim.sendMessage(message);
  const forward = alice.tim.createForwardMessage({ to: carol.userID, conversationType: 'C2C', payload: original });
  await alice.tim.sendMessage(forward);
  const [urls, [otherUrl]] = [urlsOf(original), urlsOf(other)];
  same(urlsOf(forward), urls);
  // Recalls are seen to in their order: when the file of the second one is gone, the first one is done with.
  await alice.tim.revokeMessage(forward);
  await alice.tim.revokeMessage(other);
  await until(async () => (await fetch(otherUrl!)).status !== 200);
  for (const url of urls) await fetched(url);
  await alice.tim.revokeMessage(original);
  for (const url of urls) await until(async () => (await fetch(url)).status !== 200);
});

test('a file of a browser is no file of a mini-program', async () => {
  const [alice, bob] = await two();
  const file: BrowserFile = { size: 5, type: 'image/png', name: '1.png', slice: () => undefined };
  const error = await errorOf(alice.tim.sendMessage(build(alice, 'createImageMessage', bob.userID, file)));
  assert.equal(error.code, 2800);
  assert.match(error.message, /FormData|XMLHttpRequest/);
  assert.equal(forms(alice), 1, 'it is not tried again');
});
