import type { ChatError } from '../errors.js';
import type { Message, NetState, Profile, UserStatus } from '../types.js';

/** What the app is told of a session. */
export interface SessionEvents {
  received(messages: Message[]): void;
  revoked(messages: Message[]): void;
  /** The business server has put something else into messages of this user. */
  modified(messages: Message[]): void;
  readByPeer(messages: Message[]): void;
  listChanged(): void;
  /** And with them the list, which shows what they are. */
  groupsChanged(): void;
  /** The list as it is now, whether the session is ready or not. */
  tellList(): void;
  profileUpdated(profile: Profile): void;
  blacklistUpdated(userIDs: string[]): void;
  statusUpdated(list: UserStatus[]): void;
  netState(state: NetState): void;
  failed(error: ChatError): void;
}
