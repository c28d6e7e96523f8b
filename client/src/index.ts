/** TIM, as programs written for tim-wx-sdk import it. */

import { createChat } from './chat.js';
import { EVENT, TSignaling, TYPES, VERSION } from './constants.js';
import type { ChatSDK, CreateOptions, TIMStatic } from './types.js';

const instances = new Map<number, ChatSDK>();

/** The same SDKAppID gives the same instance, until that one is destroyed. */
function create(options: CreateOptions): ChatSDK {
  // What is missing is told by `login`, where every app looks.
  const { SDKAppID } = options ?? {};
  const known = instances.get(SDKAppID);
  if (known) return known;
  const chat = createChat(options ?? {});
  chat.once(EVENT.SDK_DESTROY, () => instances.delete(SDKAppID));
  instances.set(SDKAppID, chat);
  return chat;
}

const TIM: TIMStatic = { create, EVENT, TYPES, TSignaling, VERSION };

export default TIM;
export type { ChatError } from './errors.js';
export type * from './types.js';
export type { EmptyMethods, SynchronousMethods, UnsupportedMethods, UnsupportedName } from './unsupported.js';
