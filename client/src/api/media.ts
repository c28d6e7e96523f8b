/** Pictures, sounds, videos and files: building a message of one, and uploading it when it is sent. */

import { checkLink, checkThere, isMedia, localPayload, remotePayload, sourceOf, type MediaType, type Source } from '../model/media.js';
import { createMade } from '../model/message.js';
import { emptyPayload } from '../model/payload.js';
import { localUrl } from '../net/platform.js';
import type { Upload } from '../net/upload.js';
import type { Session } from '../sync/session.js';
import type { CreateMediaMessageOptions, Message } from '../types.js';
import type { Account } from './account.js';

/** So many messages that were built and have not arrived keep their files, those that were built last. */
const MAX_DRAFTS = 500;
/** What was uploaded longer ago is uploaded again: the days for which it is kept began then, and those of the message begin when it arrives. */
const UPLOADED_MS = 60 * 60 * 1_000;

interface Draft {
  /** Undefined when the builder was given no file. */
  source: Source | undefined;
  onProgress: CreateMediaMessageOptions['onProgress'];
  /** In the server's time and milliseconds. */
  uploadedAt: number;
}

export class Media {
  /** By the ID of the message: it may come back from `setData` as a clone, which a `File` does not survive. */
  private readonly drafts = new Map<string, Draft>();

  constructor(private readonly account: Account) {}

  /** A message that shows what is on the device. */
  create(type: MediaType, options: CreateMediaMessageOptions): Message {
    let source: Source | undefined;
    const message = createMade(type, options, this.account.origin, (given) => {
      source = sourceOf(type, (given as CreateMediaMessageOptions['payload']).file);
      return source ? localPayload(type, source, localUrl) : emptyPayload(type);
    });
    this.drafts.set(message.ID, { source, onProgress: options.onProgress, uploadedAt: -Infinity });
    for (const id of this.drafts.keys()) {
      if (this.drafts.size <= MAX_DRAFTS) break;
      this.drafts.delete(id);
    }
    return message;
  }

  /** Does `send` for a message, after its file is uploaded if it has one. Throws the code of one whose file is nowhere. */
  send<T>(session: Session, message: Message, send: () => Promise<T>): Promise<T> {
    const draft = this.drafts.get(message.ID);
    if (!draft) checkLink(message);
    if (!draft || this.account.now() - draft.uploadedAt <= UPLOADED_MS) return send();
    // It is found while it waits for its turn, and not put back when it was deleted meanwhile.
    if (!message.onlineOnlyFlag) session.keep(message);
    // What is behind it does not wait until it is uploaded: it takes its place when it is.
    return session.uploads.run(message.ID, (upload) => this.upload(session, upload, message), send);
  }

  /** Uploads the file of a message, and says in its payload where it is now. */
  private async upload(session: Session, upload: Upload, message: Message): Promise<void> {
    const { ID, type, payload } = message;
    const draft = this.drafts.get(ID);
    if (!draft || !isMedia(type)) return;
    const { source, onProgress } = draft;
    checkThere(type, source);
    const places = await session.uploads.upload(upload, type, source, (part) => {
      try {
        onProgress?.(part);
      } catch (error) {
        this.account.events.report('onProgress threw', error);
      }
    });
    draft.uploadedAt = this.account.now();
    Object.assign(payload, remotePayload(type, source, (part) => places.get(part)));
  }

  /** A message has arrived, and does not need its file any more. */
  arrived(id: string): void {
    this.drafts.delete(id);
  }
}
