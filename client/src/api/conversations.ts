/** Conversations: the list, single ones, pinning, deleting. */

import { PARAM_INVALID } from '../codes.js';
import { TYPES } from '../constants.js';
import { ChatError } from '../errors.js';
import { groupIDOf, isUnserved } from '../model/conversation-id.js';
import { profileOf } from '../model/profile.js';
import { ConversationState } from '../sync/conversation.js';
import { updateConversation } from '../sync/inbox.js';
import { loadOlder } from '../sync/list.js';
import { fetchProfiles } from '../sync/profiles.js';
import type { ChatSDK, Conversation } from '../types.js';
import type { Account } from './account.js';
import { requireObject, requirePeer } from './checks.js';
import { totalUnread } from './events.js';
import { ok } from './result.js';

export type ConversationMethods = Pick<ChatSDK,
  'getConversationList' | 'getConversationProfile' | 'deleteConversation' | 'pinConversation' | 'getTotalUnreadMessageCount'
>;

export function conversationMethods(account: Account): ConversationMethods {
  return {
    async getConversationList(filter) {
      const session = account.requireSession('getConversationList');
      if (Array.isArray(filter)) await session.lookUpMissing(filter);
      else if (filter?.loadOlder) await loadOlder(session);
      let conversationList = session.list();
      if (Array.isArray(filter)) {
        conversationList = conversationList.filter((conversation) => filter.includes(conversation.conversationID));
      } else if (filter !== undefined && filter !== null) {
        const { type, hasUnreadCount, hasGroupAtInfo, markType, groupName } = requireObject(filter, 'getConversationList');
        conversationList = conversationList.filter((conversation) =>
          (type === undefined || conversation.type === type)
          && (!hasUnreadCount || conversation.unreadCount > 0)
          // Nothing here is marked, grouped, or of a group.
          && !hasGroupAtInfo && !markType && !groupName);
      }
      return ok({ conversationList, isSyncCompleted: session.isGrown });
    },

    async getConversationProfile(conversationID) {
      const session = account.requireSession('getConversationProfile');
      if (isUnserved(conversationID)) return ok({ conversation: emptyConversation(conversationID) });
      const peer = requirePeer(conversationID, 'getConversationProfile');
      const found = await session.find(conversationID);
      if (!session.profiles.has(peer)) await fetchProfiles(session, [peer]);
      const state = found ?? new ConversationState(conversationID, 0);
      return ok({ conversation: state.snapshot({ ...session.profile(peer) }) });
    },

    // One ID is answered with one, and a list with a list.
    deleteConversation: (async (what: string | { conversationIDList: string[]; clearHistoryMessage?: boolean }) => {
      const session = account.requireSession('deleteConversation');
      const list = typeof what === 'string' ? [what] : requireObject(what, 'deleteConversation').conversationIDList;
      const keepsHistory = typeof what !== 'string' && what.clearHistoryMessage === false;
      if (!Array.isArray(list)) throw new ChatError(PARAM_INVALID, 'deleteConversation: conversationIDList must be a list');
      for (const conversationID of list) requirePeer(conversationID, 'deleteConversation');
      for (const conversationID of list) {
        // Named, so that a repetition does not take with it what came in between.
        const sequence = session.conversations.get(conversationID)?.timeline.top;
        updateConversation(session, await session.connection.request('deleteConversation', {
          conversationID, ...(sequence !== undefined && { sequence }), ...(keepsHistory && { clearHistoryMessage: false }),
        }));
      }
      return ok(typeof what === 'string' ? { conversationID: what } : { conversationIDList: list });
    }) as ChatSDK['deleteConversation'],

    async pinConversation(options) {
      const session = account.requireSession('pinConversation');
      const { conversationID, isPinned } = requireObject(options, 'pinConversation');
      requirePeer(conversationID, 'pinConversation');
      await session.inOrder(`pin ${conversationID}`, async () => {
        await session.connection.request('pinConversation', { conversationID, isPinned });
        updateConversation(session, { conversationID, isPinned });
      });
      return ok({ conversationID });
    },

    getTotalUnreadMessageCount: () => totalUnread(account.session),
  };
}

function emptyConversation(conversationID: string): Conversation {
  const groupID = groupIDOf(conversationID);
  return {
    ...new ConversationState(conversationID, 0).snapshot(profileOf({ userID: '' })),
    type: groupID ? TYPES.CONV_GROUP : TYPES.CONV_SYSTEM,
    toAccount: groupID,
    groupProfile: groupID ? { 'groupID': groupID, name: '', avatar: '', type: '' } : {},
  };
}
