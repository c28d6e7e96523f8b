/** Somebody with a device, and everything that their app has been told. */

import assert from 'node:assert/strict';
import type { ChatSDK, Conversation, CreateOptions, Message } from '../../src/index.js';
import { Device } from './device.js';
import { SDK_APP_ID, type Twin } from './twin.js';

/** What a user's app knows of the server: the address, and who signs for them. */
export type Server = Pick<Twin, 'proxyServer' | 'userSig'>;

/** Long enough that only something broken takes longer. */
const TIMEOUT_MS = 10_000;

export class User {
  readonly tim: ChatSDK;
  /** The last UserSig that was issued. */
  sig = '';
  /** The events so far: name and data. */
  readonly events: { name: string; data: unknown }[] = [];

  constructor(readonly server: Server, readonly userID: string, options: Partial<CreateOptions> = {}, readonly device = new Device()) {
    const { TIM } = this.device;
    this.tim = TIM.create({ SDKAppID: SDK_APP_ID, proxyServer: server.proxyServer, ...options });
    this.tim.setLogLevel(4);
    for (const name of Object.values(TIM.EVENT)) this.tim.on(name, (event) => this.events.push(event));
  }

  static async loggedIn(server: Server, userID: string): Promise<User> {
    const user = new User(server, userID);
    await user.login();
    return user;
  }

  async login(expireSeconds?: number): Promise<void> {
    this.sig = this.server.userSig(this.userID, expireSeconds);
    await this.tim.login({ userID: this.userID, userSig: this.sig });
  }

  /** The data of all events of a name. */
  told<T = unknown>(name: string): T[] {
    return this.events.filter((event) => event.name === name).map((event) => event.data as T);
  }

  /** Everything that came through MESSAGE_RECEIVED, in its order. */
  get received(): Message[] {
    return this.told<Message[]>('onMessageReceived').flat();
  }

  get texts(): string[] {
    return this.received.map(textOf);
  }

  text(to: string, text: string): Message {
    return this.tim.createTextMessage({ to, conversationType: 'C2C', payload: { text } });
  }

  /** Sends a text, and returns it when it has arrived. */
  async send(to: string, text: string): Promise<Message> {
    const { data } = await this.tim.sendMessage(this.text(to, text));
    return data.message;
  }

  async conversation(peer: string): Promise<Conversation | undefined> {
    const { data } = await this.tim.getConversationList();
    return data.conversationList.find((each) => each.conversationID === `C2C${peer}`);
  }

  async history(peer: string): Promise<Message[]> {
    const history: Message[] = [];
    for (let next = ''; ;) {
      const { data } = await this.tim.getMessageList({ conversationID: `C2C${peer}`, nextReqMessageID: next });
      history.unshift(...data.messageList);
      if (data.isCompleted) return history;
      next = data.nextReqMessageID;
    }
  }

  stop(): void {
    this.device.stop();
  }
}

export function textOf(message: Message): string {
  return message.type === 'TIMTextElem' ? message.payload.text : `[${message.type}]`;
}

/** Waits until something is so, looking whenever something may have happened. */
export async function until(isSo: () => boolean | Promise<boolean>, what = String(isSo)): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `it never came to ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The code that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<number | undefined> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: number }).code;
  }
  return 0;
}

/** Compares what it says: objects of a device come from another world, and have other prototypes. */
export function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(copy(actual), copy(expected));
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
