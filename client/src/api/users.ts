/** Users: profiles, the blacklist, and who is online. */

import { chunks } from '../lists.js';
import { cacheProfile, fetchProfiles, setBlacklist } from '../sync/profiles.js';
import type { ChatSDK, Result, UserList, UserStatusData } from '../types.js';
import type { Account } from './account.js';
import { requireObject, requireUserIDs } from './checks.js';
import { ok } from './result.js';

const MAX_STATUSES_PER_REQUEST = 40;
/** How many a change of the blacklist may name. */
const MAX_BLOCKED_PER_REQUEST = 15;

export type UserMethods = Pick<ChatSDK,
  | 'getMyProfile' | 'getUserProfile' | 'updateMyProfile' | 'getBlacklist' | 'addToBlacklist' | 'removeFromBlacklist'
  | 'getUserStatus' | 'subscribeUserStatus' | 'unsubscribeUserStatus'
>;

export function userMethods(account: Account): UserMethods {
  async function changeBlacklist(action: 'addToBlacklist' | 'removeFromBlacklist', options: UserList): Promise<Result<string[]>> {
    const session = account.requireSession();
    const parts = chunks(requireUserIDs(options), MAX_BLOCKED_PER_REQUEST);
    return session.inOrder('blacklist', async () => {
      let list = session.blacklist;
      for (const userIDList of parts) {
        list = (await session.connection.request(action, { userIDList })).blacklist;
        setBlacklist(session, list);
      }
      return ok(list);
    });
  }

  return {
    async getMyProfile() {
      const session = account.requireSession();
      const [profile] = await fetchProfiles(session, [session.userID]);
      return ok(profile ?? session.profile(session.userID));
    },

    async getUserProfile(options) {
      const session = account.requireSession();
      return ok(await fetchProfiles(session, requireUserIDs(options)));
    },

    async updateMyProfile(options) {
      const session = account.requireSession();
      const fields = { ...requireObject(options) };
      return session.inOrder('profile', async () => {
        const { profile } = await session.connection.request('updateMyProfile', fields);
        return ok(cacheProfile(session, profile, true));
      });
    },

    async getBlacklist() {
      const session = account.requireSession();
      const { blacklist } = await session.connection.request('getBlacklist', {});
      setBlacklist(session, blacklist);
      return ok(blacklist);
    },

    addToBlacklist: (options) => changeBlacklist('addToBlacklist', options),

    removeFromBlacklist: (options) => changeBlacklist('removeFromBlacklist', options),

    async getUserStatus(options) {
      const { connection } = account.requireSession();
      const data: UserStatusData = { successUserList: [], failureUserList: [] };
      for (const userIDList of chunks(requireUserIDs(options), MAX_STATUSES_PER_REQUEST)) {
        const part = await connection.request('getUserStatus', { userIDList });
        data.successUserList.push(...part.successUserList);
        data.failureUserList.push(...part.failureUserList);
      }
      return ok(data);
    },

    async subscribeUserStatus(options) {
      const session = account.requireSession();
      const list = requireUserIDs(options);
      return ok({ failureUserList: await session.inOrder('status', () => session.subscriptions.add(list)) });
    },

    async unsubscribeUserStatus(options) {
      const session = account.requireSession();
      const list = options?.userIDList === undefined ? undefined : requireUserIDs(options as UserList);
      await session.inOrder('status', () => session.subscriptions.remove(list));
      return ok({ failureUserList: [] });
    },
  };
}
