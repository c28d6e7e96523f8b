/** What `TIM.create` hands out: the methods, and nothing that an app's own `tim.anything = …` could collide with. */

import { UNCAUGHT } from './codes.js';
import { ChatError } from './errors.js';
import type { Chat } from './chat.js';
import type { ChatSDK } from './types.js';
import { addUnsupported } from './unsupported.js';

/** The methods that are served. A list of words takes less room than one of strings. */
const SERVED = [
  'registerPlugin use setLogLevel on once off login logout destroy isReady ready getLoginUser getServerTime',
  'createTextMessage createCustomMessage createFaceMessage createLocationMessage createTextAtMessage',
  'createImageMessage createAudioMessage createVideoMessage createFileMessage createMergerMessage',
  'createForwardMessage sendMessage resendMessage',
  'revokeMessage deleteMessage findMessage getMessageList setMessageRead setAllMessageRead getConversationList',
  'getConversationProfile deleteConversation pinConversation getTotalUnreadMessageCount getMyProfile',
  'getUserProfile updateMyProfile getBlacklist addToBlacklist removeFromBlacklist getUserStatus',
  'subscribeUserStatus unsubscribeUserStatus',
];

type Method = (...args: unknown[]) => unknown;

export function facadeOf(chat: Chat): ChatSDK {
  const facade: Record<string, Method> = {};
  addUnsupported(facade);
  for (const name of [...Object.getOwnPropertyNames(facade), ...SERVED.join(' ').split(' ')]) {
    facade[name] = (...args) => {
      try {
        const answer = (chat as unknown as Record<string, Method>)[name]?.apply(chat, args);
        return answer instanceof Promise ? answer.catch((error) => { throw coded(name, error); }) : answer;
      } catch (error) {
        throw coded(name, error);
      }
    };
  }
  return facade as unknown as ChatSDK;
}

/** Whatever goes wrong has a code and a text, also what nobody has foreseen. */
function coded(name: string, error: unknown): ChatError {
  return error instanceof ChatError ? error : new ChatError(UNCAUGHT, `${name}: this went wrong in the client, please report it: ${String(error)}`);
}
