/** Groups: making and leaving them, who is in them, and what they say about themselves. */

import { GROUP_NOT_IN, GROUP_WORK_NO_DISMISS, PARAM_INVALID, SEND_FAILED } from '../codes.js';
import { TYPES } from '../constants.js';
import { ChatError } from '../errors.js';
import { chunks } from '../lists.js';
import { conversationIDFor } from '../model/conversation-id.js';
import { copyOf, groupOf, memberOf } from '../model/group.js';
import { random32 } from '../model/message.js';
import { errorDataOf } from '../net/error-data.js';
import { setGroup } from '../sync/groups.js';
import { loadNames, loadProfiles } from '../sync/profiles.js';
import type { Session } from '../sync/session.js';
import type { ChatSDK, Group, GroupMember, GroupNoticePayload, Result, UserList } from '../types.js';
import { refuse } from '../unsupported.js';
import type {
  Actions, ApplicationList, FirstMember, RemindType, Role, SelfInfo, SetGroupMember, WireApplication, WireGroup, WireMember,
} from '../wire.js';
import type { Account } from './account.js';
import { requireObject, requireUserIDs } from './checks.js';
import type { MessageMethods } from './messages.js';
import { ok } from './result.js';

/** So many users one change names. */
const MAX_CHANGED = 6;
const MAX_PROFILES = 50;
const MAX_PAGE = 100;
const PAGE_SIZE = 15;
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export type GroupMethods = Pick<ChatSDK,
  | 'createGroup' | 'joinGroup' | 'quitGroup' | 'dismissGroup' | 'searchGroupByID' | 'getGroupList' | 'getGroupProfile'
  | 'updateGroupProfile' | 'changeGroupOwner' | 'addGroupMember' | 'deleteGroupMember' | 'getGroupMemberList'
  | 'getGroupMemberProfile' | 'setGroupMemberRole' | 'setGroupMemberMuteTime' | 'setGroupMemberNameCard' | 'setMessageRemindType'
  | 'getGroupApplicationList' | 'handleGroupApplication'
>;

/** The actions that leave a tip, whose name they have. */
type Change = 'joinGroup' | 'quitGroup' | 'addGroupMember' | 'deleteGroupMember' | 'updateGroupProfile' | 'changeGroupOwner'
  | 'handleGroupApplication' | 'setGroupMember';
type Named = { groupID: string };

const idOf = (groupID: string): string => conversationIDFor(TYPES.CONV_GROUP, groupID);

export function groupMethods(account: Account, { createCustomMessage, sendMessage }: MessageMethods): GroupMethods {
  /** The session, and the ID of the group that a method was given, alone or in an object. */
  function requireGroup(options: Named | string): { session: Session; groupID: string } {
    const session = account.requireSession();
    const groupID = typeof options === 'string' ? options : requireObject(options).groupID;
    if (typeof groupID !== 'string' || !groupID) throw new ChatError(PARAM_INVALID, 'groupID must be a text that is not empty');
    return { session, groupID };
  }

  /** Makes a change. Its name and its base stay the same until it is answered, so that it is made once. */
  async function change<A extends Change>(
    session: Session, action: A, data: Omit<Actions[A]['data'], 'clientID' | 'base'> & Named,
  ): Promise<Actions[A]['reply']> {
    const { instance, now } = account.origin;
    const clientID = `${instance}-${Math.floor(now / 1000)}-${random32()}`;
    let base = session.conversations.get(idOf(data.groupID))?.last;
    for (;;) {
      try {
        return await session.connection.requestWithRetry(action, { ...data, clientID, ...(base !== undefined && { base }) } as unknown as Actions[A]['data']);
      } catch (error) {
        const { lastSequence } = errorDataOf(error as ChatError);
        // There is too much behind the base for the server to look through. Without an answer nothing was changed.
        if ((error as ChatError).code !== SEND_FAILED || lastSequence === undefined || lastSequence === base) throw error;
        base = lastSequence;
      }
    }
  }

  /** What a group is now, taken over if this user is in it. */
  function update(session: Session, wire: WireGroup): Group {
    const state = session.conversations.get(idOf(wire.groupID));
    if (state?.group) setGroup(session, state, wire);
    return state?.shownGroup ?? copyOf(groupOf(wire, session.userID));
  }

  /** A group that this user is in now. Done is done: should looking it up fail or come too early, it is what the answer says. */
  async function entered(session: Session, wire: WireGroup): Promise<Group> {
    const id = idOf(wire.groupID);
    await session.lookUp([id]).catch(() => {});
    const state = session.conversation(id, wire.nextMessageSeq - 1);
    if (!state.group) setGroup(session, state, { selfInfo: { role: 'Member' } as SelfInfo, ...wire });
    return state.shownGroup as Group;
  }

  function known(session: Session, groupID: string): Group | undefined {
    return session.conversations.get(idOf(groupID))?.shownGroup;
  }

  /** A group that this user is in, with what has changed of what they have of it. */
  function mine(session: Session, groupID: string, changed?: Partial<SelfInfo> | false): Group {
    const group = session.conversations.get(idOf(groupID))?.group;
    if (!group) throw new ChatError(GROUP_NOT_IN, 'this user is not in the group');
    return update(session, { ...group, selfInfo: { ...group.selfInfo, ...changed } } as WireGroup);
  }

  async function profile(options: Named | string): Promise<Result<{ group: Group }>> {
    const { session, groupID } = requireGroup(options);
    const { groupList: [wire], failureGroupList: [failed] } = await session.connection.request('getGroupProfile', { groupIDList: [groupID] });
    if (!wire) throw new ChatError(failed?.code ?? PARAM_INVALID, failed?.message ?? 'there is no such group');
    return ok({ group: update(session, wire) });
  }

  async function members(session: Session, groupID: string, list: readonly WireMember[]): Promise<GroupMember[]> {
    const id = idOf(groupID);
    const cards = session.conversations.get(id)?.cards;
    for (const { userID, nameCard = '' } of list) cards?.set(userID, nameCard);
    await loadNames(session, id, list.map(({ userID }) => ({ from: userID, type: '', payload: {} })));
    return list.map((wire) => memberOf(wire, session.profile(wire.userID)));
  }

  async function setMember(
    options: Named & { userID?: string }, what: Pick<SetGroupMember, 'role' | 'muteTime' | 'nameCard'>,
  ): Promise<Result<{ group: Group; member: GroupMember }>> {
    const { session, groupID } = requireGroup(options);
    const { userID = session.userID } = options;
    const { member } = await change(session, 'setGroupMember', { groupID, userID, ...what });
    const group = mine(session, groupID, userID === session.userID && { nameCard: member?.nameCard ?? '' });
    const [changed] = await members(session, groupID, member ? [member] : []);
    return ok({ group, member: changed as GroupMember });
  }

  async function add(session: Session, groupID: string, userIDs: readonly string[]): Promise<{ success: string[]; existed: string[]; group: Group | undefined }> {
    const done = { success: [] as string[], existed: [] as string[], group: undefined as Group | undefined };
    for (const userIDList of chunks(userIDs, MAX_CHANGED)) {
      const reply = await change(session, 'addGroupMember', { groupID, userIDList });
      done.success.push(...reply.successUserIDList);
      done.existed.push(...reply.existedUserIDList);
      done.group = update(session, reply.group);
    }
    return done;
  }

  return {
    async createGroup(options) {
      const session = account.requireSession();
      const { memberList, type, ...rest } = requireObject(options);
      const groupID = rest.groupID || `@TGS#${Array.from({ length: 12 }, () => LETTERS[random32() % LETTERS.length]).join('')}`;
      // Those who come with the group have their roles.
      const first = [...memberList ?? []].sort((a, b) => Number(b.role === 'Admin') - Number(a.role === 'Admin'));
      const later = first.splice(MAX_CHANGED).map(({ userID }) => userID);
      const { group } = await session.connection.requestWithRetry('createGroup', {
        ...rest, type: type || TYPES.GRP_WORK, groupID, memberList: first as FirstMember[],
      });
      const created = await entered(session, group);
      const overLimitUserIDList: string[] = [];
      for (const part of chunks(later, MAX_CHANGED)) {
        // Without them the group is made all the same.
        await add(session, groupID, part).catch(() => { overLimitUserIDList.push(...part); });
      }
      // The SDK says so to all who are in it, and programs for it wait for that.
      const message = createCustomMessage({
        to: groupID, conversationType: TYPES.CONV_GROUP, payload: { data: 'group_create', description: '', extension: `${session.userID}创建群组` },
      });
      sendMessage(message).catch(() => {});
      return ok({ group: known(session, groupID) ?? created, overLimitUserIDList });
    },

    async joinGroup(options) {
      const { session, groupID } = requireGroup(options);
      const joined = known(session, groupID);
      if (joined) return ok({ status: TYPES.JOIN_STATUS_ALREADY_IN_GROUP, group: joined });
      const { applyMessage } = options;
      const { status, group } = await change(session, 'joinGroup', { groupID, ...(applyMessage && { applyMessage }) });
      return ok({ status, group: status === TYPES.JOIN_STATUS_WAIT_APPROVAL ? update(session, group) : await entered(session, group) });
    },

    async quitGroup(options) {
      const { session, groupID } = requireGroup(options);
      mine(session, groupID);
      await change(session, 'quitGroup', { groupID });
      session.leaveGroup(idOf(groupID));
      return ok({ groupID });
    },

    async dismissGroup(options) {
      const { session, groupID } = requireGroup(options);
      if (known(session, groupID)?.type === TYPES.GRP_WORK) {
        throw new ChatError(GROUP_WORK_NO_DISMISS, 'a work group ends when everybody has left it');
      }
      await session.connection.requestWithRetry('dismissGroup', { groupID });
      session.leaveGroup(idOf(groupID));
      return ok({ groupID });
    },

    searchGroupByID: profile,

    getGroupProfile: profile,

    async getGroupList() {
      return ok({ groupList: account.requireSession().groups() });
    },

    async updateGroupProfile(options) {
      const { session } = requireGroup(options);
      return ok({ group: update(session, (await change(session, 'updateGroupProfile', options)).group) });
    },

    async changeGroupOwner(options) {
      const { session, groupID } = requireGroup(options);
      const { group } = await change(session, 'changeGroupOwner', { groupID, newOwnerID: options.newOwnerID });
      return ok({ group: update(session, group) });
    },

    async addGroupMember(options) {
      const { session, groupID } = requireGroup(options);
      const { success, existed, group } = await add(session, groupID, requireUserIDs(options));
      return ok({
        successUserIDList: success, existedUserIDList: existed, failureUserIDList: [], overLimitUserIDList: [], group: group as Group,
      });
    },

    async deleteGroupMember(options) {
      const { session, groupID } = requireGroup(options);
      const { reason } = options;
      const gone: string[] = [];
      let wire: WireGroup | undefined;
      for (const userIDList of chunks(requireUserIDs(options), MAX_CHANGED)) {
        const reply = await change(session, 'deleteGroupMember', { groupID, userIDList, ...(reason && { reason }) });
        gone.push(...reply.userIDList);
        wire = reply.group;
      }
      return ok({ group: update(session, wire as WireGroup), userIDList: gone });
    },

    async getGroupMemberList(options) {
      const { session, groupID } = requireGroup(options);
      const { count = PAGE_SIZE, offset = 0, role } = options;
      const state = session.conversations.get(idOf(groupID));
      const filter = role === undefined ? {} : { role: role as Role };
      if (!state?.group) return ok({ memberList: [], offset: 0 });
      const ask = (next: string, size: number): Promise<Actions['getGroupMemberList']['reply']> =>
        session.connection.request('getGroupMemberList', { groupID, count: Math.min(MAX_PAGE, size), next, ...filter });
      // The server goes on from a member, and programs from a number: what lies before it is passed over, unless it was asked for last.
      const name = (at: number): string => `${role}/${at}`;
      let next = state.memberPages.get(name(offset)) ?? '';
      for (let at = 0; at < offset && !state.memberPages.has(name(offset));) {
        const passed = await ask(next, offset - at);
        at += passed.memberList.length;
        ({ next } = passed);
        if (!next) return ok({ memberList: [], offset: 0 });
      }
      const page = await ask(next, count);
      const end = page.next ? offset + page.memberList.length : 0;
      if (end > 0) state.memberPages.set(name(end), page.next);
      return ok({ memberList: await members(session, groupID, page.memberList), offset: end });
    },

    async getGroupMemberProfile(options) {
      const { session, groupID } = requireGroup(options);
      const userIDList = requireUserIDs(options).slice(0, MAX_PROFILES);
      const { memberList } = await session.connection.request('getGroupMemberProfile', { groupID, userIDList });
      return ok({ memberList: await members(session, groupID, memberList) });
    },

    setGroupMemberRole: async (options) => setMember(options, { role: options?.role as Role }),

    setGroupMemberMuteTime: async (options) => setMember(options, { muteTime: options?.muteTime }),

    setGroupMemberNameCard: async (options) => setMember(options, { nameCard: options?.nameCard }),

    async setMessageRemindType(options) {
      if ((options as Partial<UserList> | undefined)?.userIDList) return refuse('a remind type of users');
      const { session, groupID } = requireGroup(options);
      const messageRemindType = options.messageRemindType as RemindType;
      const { selfInfo } = await change(session, 'setGroupMember', { groupID, messageRemindType });
      return ok({ group: mine(session, groupID, selfInfo) });
    },

    async getGroupApplicationList() {
      const session = account.requireSession();
      const applications: WireApplication[] = [];
      let next: string | undefined;
      do {
        const page: ApplicationList = await session.connection.request('getGroupApplicationList', next ? { next } : {});
        applications.push(...page.applicationList);
        ({ next } = page);
      } while (next);
      await loadProfiles(session, applications.map(({ applicant }) => applicant));
      return ok({ applicationList: applications.map((each) => ({ ...each, applicantNick: session.profile(each.applicant).nick })) });
    },

    async handleGroupApplication(options) {
      const session = account.requireSession();
      const { handleAction, handleMessage, message, application } = requireObject(options);
      const notice = message?.payload as GroupNoticePayload | undefined;
      const userID = application?.applicant ?? notice?.operatorID;
      const groupID = application?.groupID ?? notice?.groupProfile?.groupID;
      const authentication = application?.authentication ?? notice?.authentication;
      if (!userID || !groupID || !authentication) {
        throw new ChatError(PARAM_INVALID, 'give it the message of an application, or one of the list');
      }
      const { group } = await change(session, 'handleGroupApplication', {
        groupID, userID, authentication, handleAction, ...(handleMessage && { handleMessage }),
      });
      return ok({ group: update(session, group) });
    },
  };
}
