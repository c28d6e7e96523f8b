/** Conversations: the list, single ones, pinning, deleting. */

import { PARAM_INVALID } from '../codes.js';
import { TYPES } from '../constants.js';
import { ChatError } from '../errors.js';
import { ConversationState } from '../sync/conversation.js';
import { updateConversation } from '../sync/inbox.js';
import { loadOlder } from '../sync/list.js';
import { fetchProfiles } from '../sync/profiles.js';
import type { ChatSDK } from '../types.js';
import type { Account } from './account.js';
import { requireConversation, requireObject } from './checks.js';
import { totalUnread } from './events.js';
import { ok } from './result.js';

export type ConversationMethods = Pick<ChatSDK,
  'getConversationList' | 'getConversationProfile' | 'deleteConversation' | 'pinConversation' | 'getTotalUnreadMessageCount'
>;

export function conversationMethods(account: Account): ConversationMethods {
  return {
    async getConversationList(filter) {
      const session = account.requireSession();
      if (Array.isArray(filter)) await session.lookUpMissing(filter);
      else if (filter?.loadOlder) await loadOlder(session);
      let conversationList = session.list();
      if (Array.isArray(filter)) {
        conversationList = conversationList.filter((conversation) => filter.includes(conversation.conversationID));
      } else if (filter !== undefined && filter !== null) {
        const { type, hasUnreadCount, hasGroupAtInfo, markType, groupName } = requireObject(filter);
        conversationList = conversationList.filter((conversation) =>
          (type === undefined || conversation.type === type)
          && (!hasUnreadCount || conversation.unreadCount > 0)
          && (!hasGroupAtInfo || conversation.groupAtInfoList.length > 0)
          // Nothing here is marked or grouped.
          && !markType && !groupName);
      }
      return ok({ conversationList, isSyncCompleted: session.isGrown });
    },

    async getConversationProfile(conversationID) {
      const session = account.requireSession();
      if (conversationID === TYPES.CONV_SYSTEM) return ok({ conversation: session.system.snapshot(session.profile('')) });
      requireConversation(conversationID);
      const state = await session.find(conversationID) ?? new ConversationState(conversationID, 0);
      const { peer } = state;
      if (peer && !session.profiles.has(peer)) await fetchProfiles(session, [peer]);
      return ok({ conversation: state.snapshot({ ...session.profile(peer) }) });
    },

    // One ID is answered with one, and a list with a list.
    deleteConversation: (async (what: string | { conversationIDList: string[]; clearHistoryMessage?: boolean }) => {
      const session = account.requireSession();
      const list = typeof what === 'string' ? [what] : requireObject(what).conversationIDList;
      const keepsHistory = typeof what !== 'string' && what.clearHistoryMessage === false;
      if (!Array.isArray(list)) throw new ChatError(PARAM_INVALID, 'conversationIDList must be a list');
      for (const conversationID of list) if (conversationID !== TYPES.CONV_SYSTEM) requireConversation(conversationID);
      for (const conversationID of list) {
        if (conversationID === TYPES.CONV_SYSTEM) {
          session.system.clear(session.system.last);
          session.events.listChanged();
          continue;
        }
        // Named, so that a repetition does not take with it what came in between.
        const sequence = session.conversations.get(conversationID)?.timeline.top;
        updateConversation(session, await session.connection.request('deleteConversation', {
          conversationID, ...(sequence !== undefined && { sequence }), ...(keepsHistory && { clearHistoryMessage: false }),
        }));
      }
      return ok(typeof what === 'string' ? { conversationID: what } : { conversationIDList: list });
    }) as ChatSDK['deleteConversation'],

    async pinConversation(options) {
      const session = account.requireSession();
      const { conversationID, isPinned } = requireObject(options);
      requireConversation(conversationID);
      await session.inOrder(`pin ${conversationID}`, async () => {
        await session.connection.request('pinConversation', { conversationID, isPinned });
        updateConversation(session, { conversationID, isPinned });
      });
      return ok({ conversationID });
    },

    getTotalUnreadMessageCount: () => totalUnread(account.session),
  };
}
