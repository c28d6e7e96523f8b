/** What the app is told, and when. */

import { EVENT } from '../constants.js';
import { Emitter } from '../emitter.js';
import type { ChatError } from '../errors.js';
import type { SessionEvents } from '../sync/events.js';
import type { Session } from '../sync/session.js';
import type { ChatSDK, EventMap, EventName, Message, NetState, Profile, UserStatus } from '../types.js';

export type EventMethods = Pick<ChatSDK, 'setLogLevel' | 'on' | 'once' | 'off'>;

export function eventMethods(events: AppEvents): EventMethods {
  const { emitter } = events;
  return {
    setLogLevel(level) { if (typeof level === 'number') events.logLevel = level; },
    on: (name, handler, context) => emitter.on(name, handler, context),
    once: (name, handler, context) => emitter.once(name, handler, context),
    off: (name, handler, context) => emitter.off(name, handler, context),
  };
}

/** Messages that wait for somebody to listen. */
const MAX_UNDELIVERED = 2_000;

/** How many messages are unread, in all that the list shows but for what is not to disturb, and for the system. */
export function totalUnread(session: Session | undefined): number {
  return session?.sorted().reduce((sum, { unread, group }) => sum + (group && group.selfInfo.messageRemindType !== 'AcceptAndNotify' ? 0 : unread), 0) ?? 0;
}

export class AppEvents implements SessionEvents {
  logLevel = 1;
  readonly emitter = new Emitter<EventMap>(
    (name) => { if (name === EVENT.MESSAGE_RECEIVED) setTimeout(() => this.deliver(), 0); },
    (message, error) => this.report(message, error),
  );
  /** Messages that came while nobody listened. */
  private undelivered: Message[] = [];
  private totalUnread = 0;
  readonly listChanged = this.inOneGo(() => this.tellList());
  private readonly groupsAlone = this.inOneGo(() => this.tellGroups());

  constructor(private readonly session: () => Session | undefined) {}

  emit<Name extends EventName>(name: Name, data: EventMap[Name]): void {
    this.emitter.emit(name, data);
  }

  /** Writes down what has gone wrong in the app. */
  report(message: string, error: unknown): void {
    if (this.logLevel < 4) console.error(`Hongyan: ${message}`, error);
  }

  received(messages: Message[]): void {
    if (this.emitter.has(EVENT.MESSAGE_RECEIVED)) this.emit(EVENT.MESSAGE_RECEIVED, messages);
    else this.undelivered = [...this.undelivered, ...messages].slice(-MAX_UNDELIVERED);
  }

  revoked(messages: Message[]): void {
    this.emit(EVENT.MESSAGE_REVOKED, messages);
  }

  modified(messages: Message[]): void {
    this.emit(EVENT.MESSAGE_MODIFIED, messages);
  }

  readByPeer(messages: Message[]): void {
    this.emit(EVENT.MESSAGE_READ_BY_PEER, messages);
  }

  groupsChanged(): void {
    this.groupsAlone();
    this.listChanged();
  }

  /** Tells something once, however often it changes in one go. */
  private inOneGo(tell: () => void): () => void {
    let isDue = false;
    return () => {
      if (isDue || !this.session()?.isReady) return;
      isDue = true;
      void Promise.resolve().then(() => {
        isDue = false;
        if (this.session()?.isReady) tell();
      });
    };
  }

  profileUpdated(profile: Profile): void {
    this.emit(EVENT.PROFILE_UPDATED, [profile]);
  }

  blacklistUpdated(userIDs: string[]): void {
    this.emit(EVENT.BLACKLIST_UPDATED, userIDs);
  }

  statusUpdated(list: UserStatus[]): void {
    this.emit(EVENT.USER_STATUS_UPDATED, list);
  }

  netState(state: NetState): void {
    this.emit(EVENT.NET_STATE_CHANGE, { state });
  }

  failed({ code, message }: ChatError): void {
    this.emit(EVENT.ERROR, { code, message });
  }

  tellList(): void {
    this.session()?.changed();
    this.emit(EVENT.CONVERSATION_LIST_UPDATED, this.session()?.list() ?? []);
    // Counted anew: who was told may have changed the list, or have logged out.
    const total = totalUnread(this.session());
    if (total === this.totalUnread) return;
    this.totalUnread = total;
    this.emit(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, total);
  }

  /** The groups as they are now. */
  tellGroups(): void {
    this.emit(EVENT.GROUP_LIST_UPDATED, this.session()?.groups() ?? []);
  }

  /** Forgets messages that nobody has listened to: all of them, or those of which it is so. */
  dropUndelivered(isOver: (message: Message) => boolean = () => true): void {
    this.undelivered = this.undelivered.filter((message) => !isOver(message));
  }

  /** The session is over. */
  reset(): void {
    this.undelivered = [];
    this.totalUnread = 0;
  }

  /** Somebody listens now: what came before, but for what has been read since. */
  private deliver(): void {
    const messages = this.undelivered.filter((message) => !this.session()?.isRead(message));
    this.undelivered = [];
    if (messages.length > 0) this.emit(EVENT.MESSAGE_RECEIVED, messages);
  }
}
