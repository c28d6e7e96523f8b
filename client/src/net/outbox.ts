/**
 * Messages on their way out. Of one conversation one at a time, because two frames at once have no
 * order; each with the `clientID` and the `base` of its first composition, so that the server knows
 * every further attempt as the same message.
 */

import { SERVER_FAILED } from '../codes.js';
import { ChatError } from '../errors.js';
import { plain } from '../json.js';
import { conversationIDFor } from '../model/conversation-id.js';
import { wireOptions } from '../model/message.js';
import type { Message } from '../types.js';
import type { MessageRange, MessageReply, SendMessage, WireMessage } from '../wire.js';
import { errorDataOf } from './error-data.js';
import { inTime } from './timeout.js';
import type { Cancellation, Requests } from './requests.js';

/** How often a message is composed anew because its base did not fit. */
const MAX_ATTEMPTS = 6;
/** For how many seconds with a connection a message may keep those behind it waiting. */
const TIMEOUT_SECONDS = 30;
/** After this time a message for those who are connected has nothing to say any more. */
const ONLINE_ONLY_TIMEOUT_MS = 5_000;

type Base = number | Promise<number | undefined>;

interface Item extends Cancellation {
  id: string;
  conversationID: string;
  data: SendMessage;
  resolve: (sent: WireMessage) => void;
  reject: (error: ChatError) => void;
}

export class Outbox {
  /** What waits in each conversation, by its ID. */
  private readonly queues = new Map<string, Item[]>();
  /** What each message had in front of it when it was first composed, which may still have to be looked up. */
  private readonly bases = new Map<string, Base>();
  /** The IDs of all that are on their way. */
  private readonly waiting = new Set<string>();

  constructor(private readonly requests: Requests) {}

  /**
   * Sends a message behind those that wait already. `base` is for the first time. Of a message that has been tried
   * before, in another session, it is not known any more; the server then looks back itself.
   */
  send(message: Message, base: Base | undefined, pushInfo?: object): Promise<WireMessage> {
    if (!this.bases.has(message.ID) && base !== undefined) this.bases.set(message.ID, base);
    return new Promise((resolve, reject) => {
      const data: SendMessage = { ...dataOf(message), ...(pushInfo && { offlinePushInfo: plain(pushInfo) }) };
      const conversationID = conversationIDFor(message.conversationType, data.to);
      const queue = this.queues.get(conversationID) ?? [];
      queue.push({ id: message.ID, conversationID, data, resolve, reject });
      this.waiting.add(message.ID);
      this.queues.set(conversationID, queue);
      if (queue.length === 1) void this.work(conversationID, queue);
    });
  }

  /** Sends a message that only those are to get who are connected: now, and past all that wait. */
  async sendOnlineOnly(message: Message): Promise<WireMessage> {
    return messageIn(await this.requests.request('sendMessage', dataOf(message), ONLINE_ONLY_TIMEOUT_MS));
  }

  /** Whether a message is on its way. */
  has(id: string): boolean {
    return this.waiting.has(id);
  }

  /** Whether one for a conversation is. */
  isFor(conversationID: string): boolean {
    return this.queues.has(conversationID);
  }

  /** Keeps the bases of so many messages that have failed, of the latest. The server looks back itself for older ones. */
  forget(but: number): void {
    for (const id of this.bases.keys()) {
      if (this.bases.size <= but) break;
      if (!this.waiting.has(id)) this.bases.delete(id);
    }
  }

  /** The app gives a message up. One that is being sent may arrive all the same. */
  cancel(id: string, error: ChatError): void {
    for (const queue of this.queues.values()) {
      for (const item of queue) {
        if (item.id !== id) continue;
        item.isCancelled = true;
        item.reject(error);
      }
    }
  }

  /** Everything that waits has failed. */
  close(error: ChatError): void {
    for (const queue of this.queues.values()) for (const item of queue.splice(0)) item.reject(error);
  }

  private async work(conversationID: string, queue: Item[]): Promise<void> {
    for (let item = queue[0]; item; item = queue[0]) {
      try {
        if (!item.isCancelled) item.resolve(await this.deliverInTime(item));
        this.bases.delete(item.id);
      } catch (error) {
        item.reject(error as ChatError);
      }
      queue.shift();
      this.waiting.delete(item.id);
    }
    if (this.queues.get(conversationID) === queue) this.queues.delete(conversationID);
  }

  /** Gives a message up when its time is over. It may have arrived all the same, and its ID and base stay for the next try. */
  private deliverInTime(item: Item): Promise<WireMessage> {
    return inTime(this.requests, TIMEOUT_SECONDS, item, this.deliver(item), 'it may have arrived all the same; sent again, it is there once');
  }

  private async deliver(item: Item): Promise<WireMessage> {
    const known = this.bases.get(item.id);
    const base = typeof known === 'object' ? await known : known;
    if (base !== undefined) {
      item.data = { ...item.data, base };
      this.bases.set(item.id, base);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return messageIn(await this.requests.requestWithRetry('sendMessage', item.data, Infinity, item));
      } catch (error) {
        const { lastSequence } = errorDataOf(error as ChatError);
        if (lastSequence === undefined || attempt === MAX_ATTEMPTS || item.isCancelled) throw error;
        // The server cannot tell whether it has this message: look, and compose anew only if it is not there.
        const found = await this.find(item, lastSequence);
        if (found) return found;
        item.data = { ...item.data, base: lastSequence };
        this.bases.set(item.id, lastSequence);
      }
    }
  }

  private async find({ id, conversationID, data }: Item, last: number): Promise<WireMessage | undefined> {
    // A base from the future says nothing: the tables were restored from a backup.
    const base = data.base ?? 0;
    for (let from = base < last ? base + 1 : 1; from <= last;) {
      const part = (await this.requests.requestWithRetry('getMessageList', { conversationID, fromSequence: from, toSequence: last })) as MessageRange;
      const found = part.messageList.find((message) => message.clientID === id && message.to === data.to);
      if (found) return found;
      if (part.isCompleted) return undefined;
      from = part.nextSequence;
    }
    return undefined;
  }
}

/** What the app does to the message while it waits does not change what is sent. */
function dataOf(message: Message): SendMessage {
  const { to, conversationType, ID, type, payload, cloudCustomData, atUserList } = message;
  return {
    to, conversationType, clientID: ID, type, payload: plain<Record<string, unknown>>({ ...payload }),
    ...(cloudCustomData ? { cloudCustomData } : {}), ...(atUserList?.length > 0 ? { atUserList: [...atUserList] } : {}), ...wireOptions(message),
  };
}

function messageIn(reply: MessageReply): WireMessage {
  if (typeof reply?.message?.sequence === 'number') return reply.message;
  throw new ChatError(SERVER_FAILED, 'the server\'s answer cannot be read: update the client, or look at what is in between');
}
