/**
 * What is kept of a session on the device, so that the next one has something to show at once: the list with its last
 * messages, and what users are called. Nothing depends on it: what cannot be read is dropped, and what is lost is asked for.
 */

import { within } from '../lists.js';
import { profileOf } from '../model/profile.js';
import { keep, kept } from '../net/platform.js';
import type { Profile } from '../types.js';
import type { WireConversation } from '../wire.js';
import type { SessionContext } from './context.js';
import { adopt } from './groups.js';
import { merge } from './list.js';
import { ConversationState } from './conversation.js';

/** What is kept in another way is dropped. */
const FORMAT = 2;
/** How long a change waits for others. */
const WRITE_AFTER_MS = 5_000;
/** A key of `wx` takes 1 MB, and a character three bytes at the most. */
const MAX_CHARACTERS = 300_000;
/** For so long what has happened since is asked for; then the list is taken anew. A conversation deleted elsewhere goes then. */
const COMPARABLE_SECONDS = 24 * 60 * 60;
/** A login waits for the device for so long at the most. */
const READ_TIMEOUT_MS = 500;

/** A profile without what is empty. */
type SetFields = Partial<Profile> & { userID: string };

/** A list, because its names are what they are in every version: those of the wire are, and the client's own are not. */
type Kept = [
  format: number, owner: string, since: number, freshSince: number, older: string | null, profiles: SetFields[],
  conversations: [wire: WireConversation, reportedRead: number][],
];

export class Cache {
  private timer: number | undefined;
  private isOver = false;
  /** The last write, which the next one waits for. */
  private writing = Promise.resolve();

  /** What was kept of another owner is dropped. */
  constructor(private readonly owner: string) {}

  /** Takes over what was kept, if it is any good. */
  async restore(session: SessionContext): Promise<void> {
    let text: unknown;
    await within(READ_TIMEOUT_MS, kept().then((found) => { text = found; }));
    if (text === undefined || text === '' || this.isOver) return;
    try {
      const [format, owner, since, freshSince, older, profiles, conversations] = JSON.parse(String(text)) as Kept;
      if (format !== FORMAT || owner !== this.owner) throw new Error();
      for (const profile of profiles) session.profiles.set(profile.userID, profileOf(profile));
      for (const [wire, reportedRead] of conversations) {
        const state = ConversationState.of(wire);
        session.conversations.set(state.id, state);
        if (wire.groupProfile) adopt(session, state, wire);
        merge(session, state, wire);
        state.reportedRead = reportedRead;
      }
      // What cannot be shown shows itself here.
      if (session.list().length !== conversations.length) throw new Error();
      session.freshSince = freshSince;
      session.older = older ?? undefined;
      if (Math.abs(Date.now() / 1000 - freshSince) < COMPARABLE_SECONDS) session.since = since;
    } catch {
      session.forgetConversations();
      session.profiles.clear();
      void this.write(undefined);
    }
  }

  /** Something is not any more as it was kept. It is written a little later, with what changes until then. */
  changed(session: SessionContext): void {
    if (this.isOver || session.since === 0) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.write(this.textOf(session));
    }, WRITE_AFTER_MS);
  }

  /** Nothing is written any more. */
  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  /** Nothing stays. */
  clear(): Promise<void> {
    this.stop();
    return this.write(undefined);
  }

  private write(text: string | undefined): Promise<void> {
    this.writing = this.writing.then(() => keep(text));
    return this.writing;
  }

  /** The newest conversations that there is room for, and nothing when what an app has put into a message is no JSON. */
  private textOf(session: SessionContext): string | undefined {
    const { since, freshSince, older = null } = session;
    const kept: Kept = [FORMAT, this.owner, since, freshSince, older, [setFields(session.profile(session.userID))], []];
    try {
      let room = MAX_CHARACTERS;
      for (const state of session.sorted()) {
        const conversation: Kept[6][number] = [state.toWire(), state.reportedRead];
        const profile = setFields(session.profile(state.peer || (state.newest?.from ?? session.userID)));
        room -= JSON.stringify([conversation, profile]).length;
        if (room < 0) {
          // The next session loads the rest from the beginning.
          kept[4] = '';
          break;
        }
        kept[5].push(profile);
        kept[6].push(conversation);
      }
      return JSON.stringify(kept);
    } catch {
      return undefined;
    }
  }
}

function setFields(profile: Profile): SetFields {
  return JSON.parse(JSON.stringify(profile, (_, value) => (value === 0 || value?.length === 0 ? undefined : value))) as SetFields;
}
