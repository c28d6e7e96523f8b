/** What users are called, and whom this one has blocked. */

import { chunks, within } from '../lists.js';
import { conversationIDOf, groupIDOf, peerOf } from '../model/conversation-id.js';
import { namedIn } from '../model/payload.js';
import { profileOf } from '../model/profile.js';
import type { Message, Profile } from '../types.js';
import type { WireMessage, WireProfile } from '../wire.js';
import type { SessionContext } from './context.js';

const MAX_PER_REQUEST = 100;
const MAX_CARDS = 50;
/** For so long a message waits for the name of its sender, at the most. */
const NAME_TIMEOUT_MS = 3_000;

/** What names users: a message, as far as that says whom. */
type Naming = Pick<WireMessage | Message, 'from' | 'type' | 'payload'>;

/** Takes over a profile. The app is told of a new name, and with `always` of whatever else has changed. */
export function cacheProfile(session: SessionContext, wire: WireProfile, always = false): Profile {
  const profile = profileOf(wire);
  const { userID, nick, avatar } = profile;
  const before = session.profiles.get(userID);
  session.profiles.set(userID, profile);
  const isRenamed = nick !== (before?.nick ?? '') || avatar !== (before?.avatar ?? '');
  if (isRenamed) {
    for (const message of session.messagesByID.values()) {
      if (message.from === userID || message.revoker === userID || namedIn(message).includes(userID)) session.withSender(message);
    }
  }
  if (session.lifecycle.isReady && (always || isRenamed && before)) {
    session.events.profileUpdated(profile);
    session.events.listChanged();
  }
  return profile;
}

/** Takes over what a push says of its sender, if that is anything. */
export function cacheSender(session: SessionContext, wire: WireMessage): void {
  const { from, nick = '', avatar = '', nameCard = '' } = wire;
  // Who is called by a card in a group has it in each of their pushes.
  session.conversations.get(conversationIDOf(wire, session.userID))?.cards.set(from, nameCard);
  const known = session.profiles.get(from);
  if (!nick && !avatar || known?.nick === nick && known.avatar === avatar) return;
  cacheProfile(session, { ...(known ?? profileOf({ userID: from })), nick, avatar });
  // It does not say the rest of their profile.
  if (!known) fetchProfiles(session, [from]).then(() => session.events.listChanged(), () => {});
}

/** The profiles of those users who exist, in the order of their names here. */
export async function fetchProfiles(session: SessionContext, userIDs: readonly string[]): Promise<Profile[]> {
  const found = new Map<string, Profile>();
  const all = [...new Set(userIDs)];
  for (const part of chunks(all, MAX_PER_REQUEST)) {
    // A reply holds those that fit into a frame.
    for (let left = Infinity, rest = part; rest.length > 0 && rest.length < left;) {
      left = rest.length;
      const { profileList } = await session.connection.request('getUserProfile', { userIDList: rest });
      for (const profile of profileList) found.set(profile.userID, cacheProfile(session, profile));
      rest = rest.filter((userID) => !found.has(userID));
    }
  }
  return all.map((userID) => found.get(userID)).filter((profile): profile is Profile => profile !== undefined);
}

/** Waits for the names of some users, but not for long. `done` is called when they are here, even if that is later. */
export function loadProfiles(session: SessionContext, userIDs: readonly string[], done?: () => void): Promise<void> {
  return within(NAME_TIMEOUT_MS, fetchProfiles(session, userIDs).then(done));
}

/** The same for the peer of a conversation, or all who are named in messages of a group, if it is not known what they are called. */
export async function loadNames(session: SessionContext, conversationID: string, messages: readonly Naming[]): Promise<void> {
  const groupID = groupIDOf(conversationID);
  const names = new Set(groupID ? messages.map(({ from }) => from) : [peerOf(conversationID) ?? '']);
  if (groupID) for (const message of messages) for (const userID of namedIn(message)) names.add(userID);
  const users = [...names];
  const unknown = users.filter((userID) => !session.profiles.has(userID));
  const cards = session.conversations.get(conversationID)?.cards;
  const nameless = groupID && cards ? users.filter((userID) => !cards.has(userID)) : [];
  await Promise.all([
    unknown.length > 0 && loadProfiles(session, unknown),
    nameless.length > 0 && within(NAME_TIMEOUT_MS, loadCards(session, groupID as string, nameless, cards as Map<string, string>)),
  ]);
}

async function loadCards({ connection }: SessionContext, groupID: string, userIDs: readonly string[], cards: Map<string, string>): Promise<void> {
  for (const userIDList of chunks(userIDs, MAX_CARDS)) {
    const { memberList } = await connection.request('getGroupMemberProfile', { groupID, userIDList });
    // Who is not in it any more has none.
    for (const userID of userIDList) cards.set(userID, memberList.find((member) => member.userID === userID)?.nameCard ?? '');
  }
}

/** Takes over the blacklist. */
export function setBlacklist(session: SessionContext, userIDs: string[]): void {
  const isNew = userIDs.join() !== session.blacklist.join();
  session.blacklist = [...userIDs];
  if (isNew) session.events.blacklistUpdated([...userIDs]);
}
