/**
 * Files on their way to the storage. The server makes a form for each, and the device posts the file with it, again and
 * again while the network is lost. That keeps no message behind it waiting.
 */

import { NETWORK_ERROR } from '../codes.js';
import { ChatError } from '../errors.js';
import { LARGE, MEDIA, THUMBNAIL, learn, type MediaType, type Place, type Preview, type Source } from '../model/media.js';
import type { GetUploadForm, UploadFormReply } from '../wire.js';
import { backOff } from './backoff.js';
import type { Connection } from './connection.js';
import { inTime } from './timeout.js';
import { lookAt, post, POST_TIMEOUT_MS, sizeOf } from './platform.js';
import type { Cancellation } from './requests.js';

/** How many messages are uploaded at once. */
const MAX_AT_ONCE = 3;
/** How often a file is posted, all failures counted. */
const MAX_ATTEMPTS = 4;
/** For how long with a connection the server may keep somebody waiting for a form. */
const FORM_TIMEOUT_SECONDS = 30;
/** An upload that has begun and gets no further for so long leads nowhere. */
const STALL_MS = 60_000;
/** A form is not begun with when it is good for no longer than this. */
const EXPIRY_MARGIN_MS = 60_000;
/** What a form for a preview may be asked for. */
const MAX_PREVIEW_BYTES = 2 * 1024 * 1024;
/** What would make a name look like another one: it ends the line, or turns the rest of it around. */
const INVISIBLE = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;
/** How often one who waits for the network looks for it. */
const LOOK_MS = 1_000;

/** The upload of one message, which may be given up. */
export interface Upload extends Cancellation {
  stop(error: ChatError): void;
  /** What ends the posts that are under way. */
  readonly aborts: Set<() => void>;
}

interface Failure {
  status: number;
  why: string;
}

export class Uploads {
  /** By the ID of the message. */
  private readonly running = new Map<string, Upload>();

  private busy = 0;
  /** Those whose turn has not come. */
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly connection: Connection) {}

  /** Whether a message is being uploaded, or sent after that. */
  has(id: string): boolean {
    return this.running.has(id);
  }

  /** The app gives a message up, or the session ends. */
  cancel(id: string, error: ChatError): void {
    this.running.get(id)?.stop(error);
  }

  close(error: ChatError): void {
    for (const upload of this.running.values()) upload.stop(error);
  }

  /** Does `work` for a message and then what follows, unless the message is given up before. */
  run<T>(id: string, work: (upload: Upload) => Promise<void>, next: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const upload: Upload = {
        aborts: new Set(),
        stop: (error) => {
          upload.isCancelled = true;
          for (const abort of upload.aborts) abort();
          upload.forget?.();
          this.running.delete(id);
          reject(error);
        },
      };
      this.running.set(id, upload);
      this.inTurn(async () => { if (!upload.isCancelled) await work(upload); }).then(() => (upload.isCancelled ? undefined : next().then(resolve))).catch(reject)
        .then(() => { if (this.running.get(id) === upload) this.running.delete(id); });
    });
  }

  /** Not more at once than a mini-program may upload: ten files, of which one message has three. */
  private async inTurn(work: () => Promise<void>): Promise<void> {
    while (this.busy >= MAX_AT_ONCE) await new Promise<void>((resolve) => { this.waiting.push(resolve); });
    this.busy += 1;
    try {
      await work();
    } finally {
      this.busy -= 1;
      this.waiting.shift()?.();
    }
  }

  /**
   * Uploads a file and what goes with it. Returns where it lies, and where each of its previews does that made it there.
   * `progress` is told how much of it is done, from 0 to 1, and never less than before.
   */
  async upload(upload: Upload, type: MediaType, source: Source, progress: (part: number) => void): Promise<Map<Source | Preview, Place>> {
    await prepare(type, source);
    const parts = [source, ...source.previews];
    const places = new Map<Source | Preview, Place>();
    const total = parts.reduce((sum, { size }) => sum + size, 0);
    const sent = new Map<Source | Preview, number>();
    let told = 0;
    const tell = (): void => {
      const now = parts.reduce((sum, part) => sum + part.size * (sent.get(part) ?? 0), 0) / total;
      // All of it is not there before the storage has said so.
      const percent = Math.min(Math.floor(now * 100), 99);
      if (percent > told) progress((told = percent) / 100);
    };
    let form: UploadFormReply | undefined;
    for (let attempt = 1; !upload.isCancelled; attempt++) {
      form ??= await this.form(upload, type, source);
      const forms = [form, ...form.previews];
      const failures = await Promise.all(parts.map(async (part, index) => {
        const target = forms[index];
        if (places.has(part) || !target) return undefined;
        const failure = await this.post(upload, { url: form!.url, fields: target.fields, handle: part.handle }, (done) => {
          sent.set(part, done);
          tell();
        });
        if (!failure) places.set(part, target);
        return failure;
      }));
      const failure = failures.find(Boolean);
      const isOver = !failure || attempt === MAX_ATTEMPTS || isFinal(failure);
      if (!isOver) {
        await sleep(backOff(attempt));
        while (!this.connection.isOpen && !upload.isCancelled) await sleep(LOOK_MS);
      }
      const isStale = failures.some(isRefusal) || form.expires * 1000 - EXPIRY_MARGIN_MS < this.connection.clock.now();
      // A message does without its previews, and not without what it is about.
      if (isOver || isStale && places.has(source)) {
        if (!places.has(source)) throw failed(type, failure!, form.url);
        progress(1);
        return places;
      }
      if (!isStale) continue;
      // All files of a message lie in one folder, that of its form: a recall takes them away from there.
      form = undefined;
      places.clear();
    }
    // Who has given it up knows why.
    throw new ChatError(NETWORK_ERROR, 'the upload was given up');
  }

  private form(upload: Upload, type: MediaType, { type: extension, size, name, previews }: Source): Promise<UploadFormReply> {
    const [kind] = MEDIA[type];
    const data: GetUploadForm = {
      kind, type: extension, size,
      ...(kind === 'file' && name && { name: plainName(name, extension) }),
      ...(previews.length > 0 && { previews: previews.map((preview) => preview.size) }),
    };
    return inTime(this.connection, FORM_TIMEOUT_SECONDS, upload, this.connection.requestWithRetry('getUploadForm', data, Infinity, upload), 'try again');
  }

  /** Posts a file once. Returns what has gone wrong, or nothing. */
  private post(upload: Upload, what: Parameters<typeof post>[0], progress: (part: number) => void): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      const ended = (status: number, why: string): void => {
        clearTimeout(stall);
        upload.aborts.delete(stop);
        resolve(status >= 200 && status < 300 ? undefined : { status, why });
      };
      const stop = (): void => {
        abort();
        ended(0, 'it has stalled');
      };
      upload.aborts.add(stop);
      // Some devices tell of no progress at all, so a minute without any is no reason to give up before there was some.
      let stall = setTimeout(stop, POST_TIMEOUT_MS);
      const abort = post(what, {
        progress: (part) => {
          clearTimeout(stall);
          stall = setTimeout(stop, STALL_MS);
          progress(part);
        },
        ended,
      });
    });
  }
}

/** Finds out what has to be known of a file before it is uploaded, and makes its previews, once. */
async function prepare(type: MediaType, source: Source): Promise<void> {
  if (source.isPrepared) return;
  const { handle } = source;
  const [isPicture, isVideo] = [type === 'TIMImageElem', type === 'TIMVideoFileElem'];
  source.size ||= await sizeOf(handle);
  // What the device does not say now it may say when the message is sent again.
  if (!source.size) return;
  for (const preview of source.previews) preview.size = await sizeOf(preview.handle);
  const look = isPicture || isVideo && source.previews.length === 0
    ? await lookAt(handle, isVideo, isVideo ? [LARGE] : [LARGE, THUMBNAIL]) : undefined;
  if (look) learn(type, source, look);
  // What moves would stand still.
  source.previews = source.type === 'gif' ? []
    : source.previews.filter(({ size }) => size > 0 && size <= MAX_PREVIEW_BYTES && (isVideo || size < source.size));
  source.isPrepared = true;
}

/** The storage does not take the form, or not any more: it says 403 to one that has expired, and 400 to one whose signer has. */
function isRefusal(failure: Failure | undefined): boolean {
  return failure !== undefined && failure.status >= 400 && failure.status < 500;
}

/** A failure that is none of the network's or of the form's, and would come again. */
function isFinal({ status, why }: Failure): boolean {
  return status < 0 || /domain list|not found|EntityToo/i.test(why);
}

function failed(type: MediaType, { status, why }: Failure, url: string): ChatError {
  const reason = /<Code>(\w+)/.exec(why)?.[1] ?? why.slice(0, 200);
  const step = /domain list/i.test(why) ? `add ${url} to the uploadFile domains of the mini-program` : 'try again';
  return new ChatError(MEDIA[type][2], `the upload has failed, ${step} (${[status || '', reason].join(' ').trim()})`);
}

/** A name under which a file can be saved anywhere: a line of at most 255 bytes. */
function plainName(name: string, extension: string): string {
  const line = name.replace(INVISIBLE, ' ');
  // A character has three bytes at the most, and half of a pair two.
  return line.length > 85 ? `${line.slice(0, 74)}.${extension}` : line;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
