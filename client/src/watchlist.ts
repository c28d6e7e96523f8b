/** Whose coming and going this client is told. A subscription ends with its connection, so the list is kept here. */

import type { Connection } from './connection.js';
import { chunks } from './lists.js';
import type { UserStatus } from './types.js';
import type { FailedUser } from './wire.js';

/** So many users are watched, those that were named last. */
const MAX_WATCHED = 200;
const AT_ONCE = 30;

export class Watchlist {
  /** Who is watched, and what was last said of them. */
  private readonly watched = new Map<string, UserStatus | undefined>();

  constructor(private readonly connection: Connection) {}

  /**
   * The server answers with what each one's status is, as a push, and with those whom it does not tell of. They stay
   * on the list: with the next connection it may.
   */
  async add(userIDs: readonly string[]): Promise<FailedUser[]> {
    // Who is named again is among the last ones, and it is told again how it stands with them.
    for (const userID of userIDs) {
      this.watched.delete(userID);
      this.watched.set(userID, undefined);
    }
    const all = [...this.watched.keys()];
    await this.remove(all.slice(0, Math.max(0, all.length - MAX_WATCHED)));
    return this.say('subscribeUserStatus', userIDs.filter((userID) => this.watched.has(userID)));
  }

  /** Everybody, if nobody is named. */
  async remove(userIDs: readonly string[] = [...this.watched.keys()]): Promise<void> {
    const known = userIDs.filter((userID) => this.watched.delete(userID));
    await this.say('unsubscribeUserStatus', known);
  }

  /** A new connection knows of no subscription. What has changed meanwhile comes as a push. */
  renew(): Promise<unknown> {
    return this.say('subscribeUserStatus', [...this.watched.keys()]);
  }

  /** Takes over what is said, and returns what is news. */
  learn(list: readonly UserStatus[]): UserStatus[] {
    const news = list.filter(({ userID, statusType, customStatus }) => {
      const before = this.watched.get(userID);
      return this.watched.has(userID) && (before?.statusType !== statusType || before.customStatus !== customStatus);
    });
    for (const status of news) this.watched.set(status.userID, status);
    return news;
  }

  private async say(action: 'subscribeUserStatus' | 'unsubscribeUserStatus', userIDs: readonly string[]): Promise<FailedUser[]> {
    const failed: FailedUser[] = [];
    for (const userIDList of chunks([...new Set(userIDs)], AT_ONCE)) {
      failed.push(...(await this.connection.persist(action, { userIDList })).failureUserList);
    }
    return failed;
  }
}
