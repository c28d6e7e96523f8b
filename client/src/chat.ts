/** The instance that `TIM.create` returns. Its methods are in `api`, by areas; they are put together here. */

import { Account, accountMethods } from './api/account.js';
import { conversationMethods } from './api/conversations.js';
import { eventMethods } from './api/events.js';
import { groupMethods } from './api/groups.js';
import { messageMethods } from './api/messages.js';
import { userMethods } from './api/users.js';
import { APP_CODES, UNCAUGHT } from './codes.js';
import { ChatError } from './errors.js';
import type { ChatSDK, CreateOptions } from './types.js';
import { addUnsupported, type EmptyMethods, type SynchronousMethods, type UnsupportedMethods } from './unsupported.js';

type Method = (...args: unknown[]) => unknown;
type ServedMethods = Omit<ChatSDK, keyof UnsupportedMethods | keyof EmptyMethods | keyof SynchronousMethods>;

/** An object with every method of the SDK, and nothing that an app's own `tim.anything = …` could collide with. */
export function createChat(options: Partial<CreateOptions>): ChatSDK {
  const account = new Account(options);
  const messages = messageMethods(account);
  const served: ServedMethods = {
    // Uploads and filters are registered in tim-wx-sdk, and parts of @tencentcloud/lite-chat are used: they are all here.
    registerPlugin() {},
    use() {},
    ...eventMethods(account.events),
    ...accountMethods(account),
    ...messages,
    ...groupMethods(account, messages),
    ...conversationMethods(account),
    ...userMethods(account),
  };
  const chat: Record<string, Method> = {};
  addUnsupported(chat);
  Object.assign(chat, served);
  for (const name of Object.getOwnPropertyNames(chat)) chat[name] = withCode(name, chat[name] as Method);
  return chat as unknown as ChatSDK;
}

/** A method of which whatever goes wrong has a code, and a text with its name, also what nobody has foreseen. What the app's own server says comes as it is. */
function withCode(name: string, method: Method): Method {
  const coded = (error: unknown): ChatError => {
    const { code, message, data } = error instanceof ChatError
      ? error : new ChatError(UNCAUGHT, `this went wrong in the client, please report it: ${String(error)}`);
    return new ChatError(code, code > APP_CODES || message.includes(`${name}: `) ? message : `${name}: ${message}`, data);
  };
  return (...args) => {
    try {
      const answer = method(...args);
      return answer instanceof Promise ? answer.catch((error) => { throw coded(error); }) : answer;
    } catch (error) {
      throw coded(error);
    }
  };
}
