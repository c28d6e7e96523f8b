/** Messages as the app sees them: built here, or made from what the wire says. No I/O. */

import { CONVERSATION_TYPE_INVALID, PARAM_INVALID } from '../codes.js';
import { ChatError } from '../errors.js';
import { isObject, plain } from '../json.js';
import type {
  CreateCustomMessageOptions, CreateFaceMessageOptions, CreateLocationMessageOptions, CreateTextMessageOptions,
  ConversationType, CreateUnservedMessageOptions, GroupNoticePayload, LastMessage, Message, MessageElement, MessageOptions, MessageType, Payloads, SendOptions,
} from '../types.js';
import type { MessageOptions as WireOptions, WireMessage } from '../wire.js';
import { conversationIDFor, conversationIDOf } from './conversation-id.js';
import { completePayload, isMedia } from './media.js';
import { emptyPayload, payloadForShow, tipOf } from './payload.js';

/** What each builder takes. */
export interface BuilderOptions {
  TIMTextElem: CreateTextMessageOptions;
  TIMCustomElem: CreateCustomMessageOptions;
  TIMFaceElem: CreateFaceMessageOptions;
  TIMLocationElem: CreateLocationMessageOptions;
}

/** Where a message comes from: who builds it, in which instance of the client, and when. */
export interface Origin {
  /** Empty when nobody is logged in yet. */
  userID: string;
  /** A random number that the instance keeps for as long as it lives. */
  instance: number;
  /** In milliseconds. */
  now: number;
}

/** What each payload is made of: `?` marks a text that may be left out. */
const BUILDERS: { [Kind in keyof BuilderOptions]: Record<keyof Payloads[Kind], 'text' | 'text?' | 'number'> } = {
  TIMTextElem: { text: 'text' },
  TIMCustomElem: { data: 'text?', description: 'text?', extension: 'text?' },
  TIMFaceElem: { index: 'number', data: 'text?' },
  TIMLocationElem: { description: 'text?', longitude: 'number', latitude: 'number' },
};

const FOR_SHOW: { [Kind in MessageType]?: string } = {
  TIMCustomElem: '[自定义消息]',
  TIMFaceElem: '[表情]',
  TIMLocationElem: '[位置]',
  TIMImageElem: '[图片]',
  TIMSoundElem: '[语音]',
  TIMVideoFileElem: '[视频]',
  TIMFileElem: '[文件]',
  TIMRelayElem: '[聊天记录]',
  TIMGroupTipElem: '[群提示消息]',
  TIMGroupSystemNoticeElem: '[群系统通知]',
};

/** IDs of this form are made by this client. Other programs may name their messages as they like. */
const OWN_ID = /^\d+-\d+-\d+$/;

/** On a prototype, so that neither `JSON` nor `Object.keys` shows what the fields say already. */
class Elements {
  declare type: MessageType;
  declare payload: Payloads[MessageType];

  get elements(): MessageElement[] {
    return [{ type: this.type, content: this.payload }];
  }

  getElements(): MessageElement[] {
    return this.elements;
  }
}

/** A random number that fits a part of a message's ID. */
export function random32(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** Builds a message that has not been sent. Its ID stays for ever. Throws a `ChatError` that says what is missing. */
export function createMessage<Kind extends keyof BuilderOptions>(
  type: Kind,
  options: BuilderOptions[Kind],
  origin: Origin,
): Message {
  check(options);
  return compose(type, parsePayload(BUILDERS[type], options.payload), options, origin);
}

/** Builds a message whose payload is made of what the builder was given, an object. */
export function createMade(
  type: MessageType,
  options: MessageOptions<object>,
  origin: Origin,
  make: (given: object) => object,
): Message {
  check(options);
  const { payload } = options;
  if (!isObject(payload)) throw invalid('`payload` must be an object');
  return compose(type, make(payload), options, origin);
}

/** Builds a message that nobody can send yet, for a program that shows it while it tries to: see `isServed`. */
export function createUnserved(
  type: MessageType,
  options: CreateUnservedMessageOptions,
  origin: Origin,
): Message {
  return createMade(type, options, origin, (given) => payloadForShow(type, given));
}

/** Whether a message can be sent: others are only built. */
export function isServed({ type, conversationType }: Message): boolean {
  return (type in BUILDERS || isMedia(type)) && (conversationType === 'C2C' || conversationType === 'GROUP');
}

/** The sender has recalled it, and nothing of what it said is left. */
export function markRevoked(message: Message, revoker: string): void {
  Object.assign(message, {
    isRevoked: true, revoker, revokerInfo: { userID: revoker, nick: '', avatar: '' }, payload: emptyPayload(message.type), atUserList: [],
  });
}

/** Most callers are JavaScript, so nothing is taken for granted. */
function check(options: MessageOptions<unknown>): void {
  const { to, conversationType, cloudCustomData = '' }: Partial<MessageOptions<unknown>> = options ?? {};
  if (typeof to !== 'string' || to === '') throw invalid('`to` must be the ID of the receiver, a text');
  if (conversationType !== 'C2C' && conversationType !== 'GROUP') {
    throw new ChatError(CONVERSATION_TYPE_INVALID, '`conversationType` must be TIM.TYPES.CONV_C2C or CONV_GROUP');
  }
  if (typeof cloudCustomData !== 'string') {
    throw invalid('`cloudCustomData` must be a text: JSON.stringify makes one of an object');
  }
}

function compose(type: MessageType, given: object, options: MessageOptions<unknown>, origin: Origin): Message {
  const { to, priority = 'Normal', cloudCustomData = '' } = options;
  const conversationType = options.conversationType as ConversationType;
  const time = Math.floor(origin.now / 1000);
  const random = random32();
  return messageOf({
    ID: `${origin.instance}-${time}-${random}`,
    type,
    // Mended here already, so that the sender sees what the others will.
    ...plain({ payload: given, cloudCustomData }),
    conversationType,
    conversationID: conversationIDFor(conversationType, to),
    from: origin.userID,
    to,
    flow: 'out',
    time,
    sequence: 0,
    status: 'unSend',
    priority,
    random,
    needReadReceipt: options.needReadReceipt === true,
    isSupportExtension: options.isSupportExtension === true,
  });
}

/** What the wire says, as `me` sees it. */
export function fromWire({ clientID, isRevoked, revoker, messageControlInfo, onlineUserOnly, ...wire }: WireMessage, me: string): Message {
  const { from, to, time, sequence } = wire;
  const ID = OWN_ID.test(clientID) ? clientID : `${hash(`${from}\n${to}`)}-${time}-${sequence}`;
  // The name of 2.0.9 for the same thing.
  const type = (wire.type === 'TIMVideoElem' ? 'TIMVideoFileElem' : wire.type) as MessageType;
  const message = messageOf({
    ...wire,
    ID,
    type,
    payload: type === 'TIMGroupTipElem' ? tipOf(wire.payload) : completePayload(type, wire.payload),
    conversationID: conversationIDOf(wire, me),
    flow: from === me ? 'out' : 'in',
    status: 'success',
    messageControlInfo: controlInfo(messageControlInfo),
    onlineOnlyFlag: onlineUserOnly === true,
    random: Number(ID.slice(ID.lastIndexOf('-') + 1)),
  });
  if (isRevoked) markRevoked(message, revoker || from);
  return message;
}

/** A message of the system: something has happened in a group to the user `me`. They are counted where they come. */
export function createNotice(payload: GroupNoticePayload, time: number, to: string, sequence: number): Message {
  const random = random32();
  return messageOf({
    ID: `${hash(to)}-${time}-${random}`,
    type: 'TIMGroupSystemNoticeElem',
    payload,
    conversationType: '@TIM#SYSTEM',
    conversationID: '@TIM#SYSTEM',
    from: '@TIM#SYSTEM',
    to,
    flow: 'in',
    time,
    sequence,
    status: 'success',
    isSystemMessage: true,
    random,
  });
}

/** What a message has under the same name on the wire, as far as it may be the last one of a list. */
const ON_THE_WIRE = [
  'from', 'to', 'conversationType', 'sequence', 'time', 'type', 'payload', 'cloudCustomData', 'nameCard', 'atUserList', 'isRevoked', 'revoker',
  'isModified',
] as const;

/** What the wire would say of a message that was sent. */
export function toWire(message: Message): WireMessage {
  const wire: Partial<Record<keyof WireMessage, unknown>> = { clientID: message.ID, ...wireOptions(message) };
  for (const name of ON_THE_WIRE) wire[name] = message[name];
  return wire as WireMessage;
}

/** How a message is to be sent. */
export function setOptions(message: Message, options: SendOptions): void {
  message.messageControlInfo = controlInfo(options.messageControlInfo);
  message.onlineOnlyFlag = options.onlineUserOnly === true;
}

/** The same for the wire, on which nothing is said that goes without saying. */
export function wireOptions({ priority, needReadReceipt, isSupportExtension, messageControlInfo, onlineOnlyFlag }: Message): WireOptions {
  const { excludedFromUnreadCount, excludedFromLastMessage } = controlInfo(messageControlInfo);
  return {
    ...(priority && priority !== 'Normal' && { priority }),
    ...(needReadReceipt && { needReadReceipt }),
    ...(isSupportExtension && { isSupportExtension }),
    ...((excludedFromUnreadCount || excludedFromLastMessage) && {
      messageControlInfo: { ...(excludedFromUnreadCount && { excludedFromUnreadCount }), ...(excludedFromLastMessage && { excludedFromLastMessage }) },
    }),
    ...(onlineOnlyFlag && { onlineUserOnly: true }),
  };
}

function controlInfo(given: SendOptions['messageControlInfo']): Message['messageControlInfo'] {
  return {
    excludedFromUnreadCount: given?.excludedFromUnreadCount === true,
    excludedFromLastMessage: given?.excludedFromLastMessage === true,
  };
}

/** Whether it is a message, by its shape: what comes back from `setData` is a clone. */
export function isMessage(value: unknown): value is Message {
  if (!isObject(value)) return false;
  const { ID, type, to, conversationID, payload } = value as Partial<Message>;
  return [ID, type, to, conversationID].every((each) => typeof each === 'string' && each !== '')
    && isObject(payload);
}

/** One line of text for a list of conversations. */
export function messageForShow(message: Message): string {
  if (message.isRevoked) return '[消息已撤回]';
  if (message.type === 'TIMTextElem') {
    // Another program may have put anything there, also what cannot be made a text.
    const { text } = message.payload as { text?: unknown };
    return typeof text === 'string' ? text : '';
  }
  return FOR_SHOW[message.type] ?? '';
}

/** The newest message of a conversation as its list shows it, or that there is none. */
export function lastMessageOf(message: Message | undefined): LastMessage {
  return {
    lastTime: message?.time ?? 0,
    lastSequence: message?.sequence ?? 0,
    fromAccount: message?.from ?? 0,
    messageForShow: message ? messageForShow(message) : '',
    type: message?.type ?? '',
    payload: message ? { ...message.payload } : null,
    cloudCustomData: message?.cloudCustomData ?? '',
    isRevoked: message?.isRevoked ?? false,
    isPeerRead: message?.isPeerRead ?? false,
    onlineOnlyFlag: false,
    nick: message?.nick ?? '',
    nameCard: message?.nameCard ?? '',
    version: message?.version ?? 0,
    revoker: message?.revoker ?? '',
  };
}

type Given = 'ID' | 'conversationID' | 'from' | 'to' | 'flow' | 'time' | 'sequence' | 'status' | 'random';

/** All fields. Each is there from the start and none is undefined, which `setData` does not take. */
function messageOf(
  given: Pick<Message, Given> & Partial<Omit<Message, 'type' | 'payload'>> & { type: MessageType; payload: object },
): Message {
  const defaults = {
    conversationType: 'C2C',
    conversationSubType: '',
    cloudCustomData: '',
    priority: 'Normal',
    nick: '',
    avatar: '',
    nameCard: '',
    atUserList: [],
    isRead: given.flow === 'out',
    isPeerRead: false,
    isRevoked: false,
    isDeleted: false,
    isModified: false,
    isResend: false,
    isPlaceMessage: 0,
    isSystemMessage: false,
    isBroadcastMessage: false,
    isSupportExtension: false,
    hasRiskContent: false,
    onlineOnlyFlag: false,
    messageControlInfo: controlInfo(undefined),
    needReadReceipt: false,
    readReceiptInfo: { readCount: 0, unreadCount: 0, isPeerRead: false },
    revoker: '',
    revokerInfo: { userID: '', nick: '', avatar: '' },
    revokeReason: '',
    clientSequence: given.sequence,
    clientTime: given.time,
    senderTinyID: given.ID.slice(0, given.ID.indexOf('-')),
    protocol: 'JSON',
    version: 0,
  };
  return Object.assign(new Elements(), defaults, given) as unknown as Message;
}

/** The known fields of a payload, each of its type. */
function parsePayload(shape: Record<string, string>, payload: unknown): object {
  if (!isObject(payload)) {
    throw invalid(`\`payload\` must be an object with ${Object.keys(shape).join(', ')}`);
  }
  const parsed: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(shape)) {
    const value = (payload as Record<string, unknown>)[name];
    if (kind === 'number') {
      if (typeof value !== 'number' || !isFinite(value)) throw invalid(`\`payload.${name}\` must be a number`);
    } else if (kind === 'text' ? typeof value !== 'string' || value === '' : value !== undefined && typeof value !== 'string') {
      throw invalid(`\`payload.${name}\` must be a text${kind === 'text' ? ' that is not empty' : ''}`);
    }
    parsed[name] = value ?? '';
  }
  return parsed;
}

function invalid(what: string): ChatError {
  return new ChatError(PARAM_INVALID, what);
}

/** FNV-1a, 32 bits. It keeps the same message's ID the same on all devices. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
