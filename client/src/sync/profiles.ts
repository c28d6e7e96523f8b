/** What users are called, and whom this one has blocked. */

import { chunks, within } from '../lists.js';
import { profileOf } from '../model/profile.js';
import type { Profile } from '../types.js';
import type { WireMessage, WireProfile } from '../wire.js';
import type { SessionContext } from './context.js';

const MAX_PER_REQUEST = 100;
/** For so long a message waits for the name of its sender, at the most. */
const NAME_TIMEOUT_MS = 3_000;

/** Takes over a profile. The app is told of a new name, and with `always` of whatever else has changed. */
export function cacheProfile(session: SessionContext, wire: WireProfile, always = false): Profile {
  const profile = profileOf(wire);
  const { userID, nick, avatar } = profile;
  const before = session.profiles.get(userID);
  session.profiles.set(userID, profile);
  const isRenamed = nick !== (before?.nick ?? '') || avatar !== (before?.avatar ?? '');
  if (isRenamed) for (const message of session.messagesByID.values()) if (message.from === userID) session.withSender(message);
  if (session.lifecycle.isReady && (always || isRenamed && before)) {
    session.events.profileUpdated(profile);
    session.events.listChanged();
  }
  return profile;
}

/** Takes over what a push says of its sender, if that is anything. */
export function cacheSender(session: SessionContext, { from, nick = '', avatar = '' }: WireMessage): void {
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

/** The same for one user, if it is not known what they are called. */
export async function loadUnknownProfile(session: SessionContext, userID: string): Promise<void> {
  if (!session.profiles.has(userID)) await loadProfiles(session, [userID]);
}

/** Takes over the blacklist. */
export function setBlacklist(session: SessionContext, userIDs: string[]): void {
  const isNew = userIDs.join() !== session.blacklist.join();
  session.blacklist = [...userIDs];
  if (isNew) session.events.blacklistUpdated([...userIDs]);
}
