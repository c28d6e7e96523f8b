/** Whose status this client is told. A subscription ends with its connection, so the list is kept here. */

import { chunks } from '../lists.js';
import type { Requests } from '../net/requests.js';
import type { UserStatus } from '../types.js';
import type { FailedUser } from '../wire.js';

/** So many users are subscribed to, those that were named last. */
const MAX_SUBSCRIBED = 200;
const MAX_PER_REQUEST = 30;

export class Subscriptions {
  /** The users, and what was last said of each. */
  private readonly subscribed = new Map<string, UserStatus | undefined>();

  constructor(private readonly requests: Requests) {}

  /**
   * The server answers with what each one's status is, as a push, and with those whom it does not tell of. They stay
   * on the list: with the next connection it may.
   */
  async add(userIDs: readonly string[]): Promise<FailedUser[]> {
    // Who is named again is among the last ones, and it is told again how it stands with them.
    for (const userID of userIDs) {
      this.subscribed.delete(userID);
      this.subscribed.set(userID, undefined);
    }
    const all = [...this.subscribed.keys()];
    await this.remove(all.slice(0, Math.max(0, all.length - MAX_SUBSCRIBED)));
    return this.send('subscribeUserStatus', userIDs.filter((userID) => this.subscribed.has(userID)));
  }

  /** Everybody, if nobody is named. */
  async remove(userIDs: readonly string[] = [...this.subscribed.keys()]): Promise<void> {
    const known = userIDs.filter((userID) => this.subscribed.delete(userID));
    await this.send('unsubscribeUserStatus', known);
  }

  /** A new connection knows of no subscription. What has changed meanwhile comes as a push. */
  renew(): Promise<unknown> {
    return this.send('subscribeUserStatus', [...this.subscribed.keys()]);
  }

  /** Takes over what is said, and returns what is news. */
  update(list: readonly UserStatus[]): UserStatus[] {
    const news = list.filter(({ userID, statusType, customStatus }) => {
      const before = this.subscribed.get(userID);
      return this.subscribed.has(userID) && (before?.statusType !== statusType || before.customStatus !== customStatus);
    });
    for (const status of news) this.subscribed.set(status.userID, status);
    return news;
  }

  private async send(action: 'subscribeUserStatus' | 'unsubscribeUserStatus', userIDs: readonly string[]): Promise<FailedUser[]> {
    const failed: FailedUser[] = [];
    for (const userIDList of chunks([...new Set(userIDs)], MAX_PER_REQUEST)) {
      failed.push(...(await this.requests.requestWithRetry(action, { userIDList })).failureUserList);
    }
    return failed;
  }
}
