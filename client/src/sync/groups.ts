/** The groups of this user: what the list says of them, and what happens to this user in them. */

import { TYPES } from '../constants.js';
import { conversationIDFor } from '../model/conversation-id.js';
import { groupOf, noticeOf } from '../model/group.js';
import { createNotice } from '../model/message.js';
import type { RemindType } from '../types.js';
import type { WireConversation, WireGroup, WireNotice } from '../wire.js';
import type { SessionContext } from './context.js';
import type { ConversationState } from './conversation.js';
import { ANNOUNCED } from './lifecycle.js';

/** So many notices are kept. */
const MAX_NOTICES = 100;

/** Takes over what the list says of a group. */
export function adopt(session: SessionContext, state: ConversationState, wire: WireConversation): void {
  const { groupID } = wire.groupProfile as WireGroup;
  const told = (wire.groupAtInfoList ?? []).map((each) => ({ topicID: '', ...each, groupID }));
  // The list may be a second old: what came since, and what was read since, it does not know.
  const since = state.mentions.filter(({ messageSequence }) => messageSequence > wire.lastSequence);
  state.mentions = [...told, ...since].filter(({ messageSequence }) => messageSequence > state.done);
  setGroup(session, state, wire.groupProfile as WireGroup);
}

/** Takes over what a group is now. Of one that tips have changed since, it is what this user has of it alone. */
export function setGroup(session: SessionContext, state: ConversationState, wire: WireGroup): void {
  const { group: known } = state;
  const isOld = known && known.nextMessageSeq > wire.nextMessageSeq;
  state.group = groupOf(isOld ? { ...known, selfInfo: wire.selfInfo } as WireGroup : wire, session.userID, known);
  if (JSON.stringify(state.group) !== JSON.stringify(known)) session.events.groupsChanged();
}

/** Something has happened to this user in a group, or this user has done it on another device. */
export function noticed(session: SessionContext, notice: WireNotice): void {
  const { operationType, groupID, operatorID, messageRemindType } = notice;
  const id = conversationIDFor(TYPES.CONV_GROUP, groupID);
  const group = session.conversations.get(id)?.group;
  // Accepted, created, added.
  if ([2, 6, 7].includes(operationType)) session.lookUp([id]).catch(() => {});
  // Put out, dismissed, left.
  if ([4, 5, 8].includes(operationType)) session.leaveGroup(id);
  // Who is made an admin, or is none any more, hears so by a tip too, which changes the group.
  if (group && operationType === 20) {
    group.selfInfo.messageRemindType = messageRemindType as RemindType;
    session.events.groupsChanged();
  }
  // What this user has done is no news.
  if (operationType === 20 || operatorID === session.userID) return;
  const { system, lifecycle, events } = session;
  const message = createNotice(noticeOf(notice), notice.time, session.userID, system.last + 1);
  session.keep(message);
  system.timeline.top += 1;
  system.add(message);
  system.messagesBySequence.delete(message.sequence - MAX_NOTICES);
  events.listChanged();
  if (lifecycle.phase === ANNOUNCED) events.received([message]);
  else session.unannounced.push(message);
}
