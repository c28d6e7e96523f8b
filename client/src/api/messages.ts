/** Messages: building, sending, history, recalling, deleting, reading. */

import { INVALID_OPERATION, MESSAGE_DELETE_FAIL, MESSAGE_INVALID, MESSAGE_REVOKE_FAIL, MESSAGE_SEND_FAIL } from '../codes.js';
import { TYPES } from '../constants.js';
import { ChatError } from '../errors.js';
import { forwardedPayload } from '../model/media.js';
import { createMade, createMessage, createUnserved, fromWire, isMessage, isServed, markRevoked, setOptions, type BuilderOptions } from '../model/message.js';
import type { ConversationState } from '../sync/conversation.js';
import { deleteMessages, messageSent, nameOf, pageShown } from '../sync/inbox.js';
import { loadNames } from '../sync/profiles.js';
import { markRead } from '../sync/read-marks.js';
import type { ChatSDK, CreateUnservedMessageOptions, Message, MessageListData, MessageType, Result, SendOptions } from '../types.js';
import type { MessagePage } from '../wire.js';
import type { Account } from './account.js';
import { requireConversation, requireObject, requireSequence } from './checks.js';
import { Media } from './media.js';
import { failure, ok } from './result.js';

const PAGE_SIZE = 15;
const lastPage = (messageList: Message[] = []): MessageListData => ({ messageList, nextReqMessageID: '', isCompleted: true });
const MAX_DELETED_PER_REQUEST = 30;
/** How many pages of nothing but deleted messages are passed over for one that has something to show. */
const MAX_EMPTY_PAGES = 10;

export type MessageMethods = Pick<ChatSDK,
  | 'createTextMessage' | 'createCustomMessage' | 'createFaceMessage' | 'createLocationMessage' | 'createTextAtMessage'
  | 'createImageMessage' | 'createAudioMessage' | 'createVideoMessage' | 'createFileMessage' | 'createMergerMessage'
  | 'createForwardMessage' | 'sendMessage' | 'resendMessage' | 'revokeMessage' | 'deleteMessage' | 'findMessage'
  | 'getMessageList' | 'setMessageRead' | 'setAllMessageRead'
>;

export function messageMethods(account: Account): MessageMethods {
  const media = new Media(account);

  function compose<Kind extends keyof BuilderOptions>(type: Kind, options: BuilderOptions[Kind]): Message {
    return createMessage(type, options, account.origin);
  }

  /** For what can be shown, and not be sent yet. */
  function composeUnserved(type: MessageType, options: CreateUnservedMessageOptions): Message {
    return createUnserved(type, options, account.origin);
  }

  async function sendMessage(message: Message, options?: SendOptions): Promise<Result<{ message: Message }>> {
    const session = account.requireSession();
    if (!isMessage(message)) {
      throw new ChatError(MESSAGE_INVALID, 'this is no message: make one with createTextMessage');
    }
    if (!isServed(message)) {
      message.status = 'fail';
      throw new ChatError(INVALID_OPERATION, 'merged messages and rooms are not served', { message });
    }
    if (message.status === 'success' || session.isSending(message.ID)) {
      throw new ChatError(MESSAGE_SEND_FAIL, 'this message is sent or being sent: make a new one', { message });
    }
    const isFirst = message.status === 'unSend' && !message.isResend;
    session.withSender(Object.assign(message, { from: session.userID, status: 'unSend' }));
    // When it is sent again, how need not be said again.
    if (options) setOptions(message, options);
    try {
      const sent = await media.send(session, message, () => session.send(message, isFirst, options?.offlinePushInfo));
      media.arrived(message.ID);
      session.update(message, fromWire(sent, session.userID));
      messageSent(session, sent);
      return ok({ message });
    } catch (error) {
      message.status = 'fail';
      throw failure(error as ChatError, { message });
    }
  }

  return {
    createTextMessage: (options) => compose(TYPES.MSG_TEXT, options),
    createCustomMessage: (options) => compose(TYPES.MSG_CUSTOM, options),
    createFaceMessage: (options) => compose(TYPES.MSG_FACE, options),
    createLocationMessage: (options) => compose(TYPES.MSG_LOCATION, options),
    createImageMessage: (options) => media.create(TYPES.MSG_IMAGE, options),
    createAudioMessage: (options) => media.create(TYPES.MSG_AUDIO, options),
    createVideoMessage: (options) => media.create(TYPES.MSG_VIDEO, options),
    createFileMessage: (options) => media.create(TYPES.MSG_FILE, options),
    createTextAtMessage(options) {
      const message = compose(TYPES.MSG_TEXT, options);
      const { atUserList } = options.payload;
      if (Array.isArray(atUserList)) message.atUserList = atUserList.map(String);
      return message;
    },
    createMergerMessage: (options) => composeUnserved(TYPES.MSG_MERGER, options),

    createForwardMessage(options) {
      const original = options?.payload;
      if (!isMessage(original)) throw new ChatError(MESSAGE_INVALID, '`payload` must be a message');
      const { type } = original;
      const { cloudCustomData = original.cloudCustomData } = options;
      return createMade(type, { ...options, cloudCustomData }, account.origin, () => forwardedPayload(type, original.payload));
    },

    sendMessage,

    async resendMessage(message, options) {
      account.requireSession();
      if (isMessage(message)) {
        // One that was given up may have been seen to arrive since.
        if (message.status === 'success') return ok({ message });
        message.isResend = true;
      }
      return sendMessage(message, options);
    },

    async revokeMessage(message) {
      const session = account.requireSession();
      const sequence = requireSequence(message, MESSAGE_REVOKE_FAIL);
      await session.connection.request('revokeMessage', { conversationID: message.conversationID, sequence });
      const known = session.messagesByID.get(message.ID);
      for (const each of known ? [message, known] : [message]) {
        markRevoked(each, session.userID);
        session.withSender(each);
      }
      account.events.listChanged();
      return ok({ message });
    },

    async deleteMessage(messages) {
      const session = account.requireSession();
      const list = Array.isArray(messages) ? messages : [messages];
      const [first] = list;
      if (!first || list.some((message) => !isMessage(message) || message.conversationID !== first.conversationID)) {
        throw new ChatError(MESSAGE_DELETE_FAIL, 'give messages of one conversation');
      }
      const { conversationID } = first;
      const deleted = new ChatError(MESSAGE_SEND_FAIL, 'the message was deleted before it was sent');
      for (const { ID } of list) session.giveUp(ID, deleted);
      // The server says which it has deleted: of large messages one frame may hide only a few. What is not stored is nowhere else.
      for (let rest = list.filter(({ status, onlineOnlyFlag }) => status === 'success' && !onlineOnlyFlag); rest.length > 0;) {
        const messages = rest.slice(0, MAX_DELETED_PER_REQUEST).map(nameOf);
        const answer = await session.connection.request('deleteMessage', { conversationID, messages });
        const left = rest.filter((message) => !answer.messages.includes(nameOf(message)));
        if (left.length === rest.length) throw new ChatError(MESSAGE_DELETE_FAIL, 'none was deleted');
        rest = left;
        deleteMessages(session, answer);
      }
      for (const message of list) {
        message.isDeleted = true;
        session.messagesByID.delete(message.ID);
      }
      return ok({ messageList: list });
    },

    findMessage: (messageID) => account.session?.messagesByID.get(messageID) ?? null,

    async getMessageList(options) {
      const session = account.requireSession();
      const { conversationID, nextReqMessageID = '' } = requireObject(options);
      if (conversationID === TYPES.CONV_SYSTEM) {
        return ok(lastPage([...session.system.messagesBySequence.values()]));
      }
      requireConversation(conversationID);
      // Of a group that this user is not in there is nothing to see.
      if (session.isLeft(conversationID)) return ok(lastPage());
      const count = options.count && options.count > 0 && options.count < PAGE_SIZE ? Math.floor(options.count) : PAGE_SIZE;
      // Together with the page: one that is not loaded, or was deleted, has marks.
      const looking = session.conversations.has(conversationID) || session.lookUp([conversationID]).catch(() => {});
      let page: MessagePage;
      let next = nextReqMessageID;
      for (let pages = 0; ; pages++) {
        page = (await session.connection.request('getMessageList', { conversationID, nextReqMessageID: next, count })) as MessagePage;
        if (page.messageList.length > 0 || page.isCompleted || pages >= MAX_EMPTY_PAGES) break;
        next = page.nextReqMessageID;
      }
      await looking;
      await loadNames(session, conversationID, page.messageList);
      if (session.isLeft(conversationID)) return ok(lastPage());
      pageShown(session, conversationID, page.messageList);
      const messageList = page.messageList.map((wire) => session.toMessage(wire));
      const state = session.conversations.get(conversationID);
      if (!nextReqMessageID) messageList.push(...newerThan(messageList, state));
      for (const message of messageList) if (message.sequence > 0) state?.messagesBySequence.set(message.sequence, message);
      return ok({ messageList, nextReqMessageID: page.nextReqMessageID, isCompleted: page.isCompleted });
    },

    async setMessageRead(options) {
      const session = account.requireSession();
      const { conversationID } = requireObject(options);
      if (conversationID === TYPES.CONV_SYSTEM) {
        session.system.markRead(session.system.last);
        account.events.listChanged();
        return ok({});
      }
      requireConversation(conversationID);
      const state = session.conversations.get(conversationID) ?? await session.find(conversationID);
      // A conversation that nobody has used is not made by reading it.
      if (state) markRead(session, state);
      account.events.dropUndelivered((message) => session.isRead(message));
      return ok({});
    },

    async setAllMessageRead(options) {
      const session = account.requireSession();
      const except = { [TYPES.READ_ALL_C2C_MSG]: TYPES.CONV_GROUP, [TYPES.READ_ALL_GROUP_MSG]: TYPES.CONV_C2C }[String(options?.scope)];
      for (const state of session.conversations.values()) if (!except || !state.id.startsWith(except)) markRead(session, state);
      account.events.dropUndelivered((message) => session.isRead(message));
      return ok({});
    },
  };
}

/** What a page, which may be a second old, does not know yet. */
function newerThan(page: readonly Message[], state: ConversationState | undefined): Message[] {
  if (!state) return [];
  const last = page[page.length - 1]?.sequence ?? state.cleared;
  return [...state.messagesBySequence.values()]
    .filter((message) => message.sequence > last && message.sequence <= state.timeline.top)
    .sort((a, b) => a.sequence - b.sequence);
}
