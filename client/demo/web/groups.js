// Groups, written against the API of tim-wx-sdk: making and joining them, who is in them, and what they say of themselves.

import { firstName, memberText } from './display.js';
import { $ } from './dom.js';
import { t } from './language.js';
import { ask, askText, openMenuBelow, toast } from './overlay.js';

const { TIM } = window;
const MUTE_SECONDS = 600;
const PAGE = 100; // As many members as one request asks for.

export const isGroup = (conversationID) => conversationID.startsWith('GROUP');
export const groupIDOf = (conversationID) => conversationID.replace(/^GROUP/, '');

/** What is done in groups. `page` is what the chat lends: its client, its user, and how to open a chat and to fail. */
export function groupTools(page) {
  const { me, attempt, openChat, mention } = page;
  const groups = new Map(); // groupID -> what is known of it

  const groupOf = (conversationID) => groups.get(groupIDOf(conversationID));
  const roleIn = (conversationID) => (groupOf(conversationID) || { selfInfo: {} }).selfInfo.role;
  const isManager = (conversationID) => ['Owner', 'Admin'].includes(roleIn(conversationID));

  function listUpdated(list) {
    groups.clear();
    for (const group of list) groups.set(group.groupID, group);
  }

  async function create() {
    const field = (name) => $('group-' + name).value.trim();
    const memberList = field('members').split(/[\s,，、]+/).filter(Boolean).map((userID) => ({ userID }));
    const type = $('group-type').value;
    await attempt(async () => {
      const { data } = await page.tim().createGroup({
        name: field('name'),
        type,
        memberList,
        ...(type === TIM.TYPES.GRP_PUBLIC && { joinOption: $('group-approval').checked ? 'NeedPermission' : 'FreeAccess' }),
      });
      $('group-dialog').close();
      openChat('GROUP' + data.group.groupID, true);
    });
  }

  async function join() {
    const groupID = $('group-id').value.trim();
    if (!groupID) return;
    await attempt(async () => {
      const { data } = await page.tim().joinGroup({ groupID });
      $('group-dialog').close();
      if (data.status === TIM.TYPES.JOIN_STATUS_WAIT_APPROVAL) toast(t('waitsForApproval'));
      else openChat('GROUP' + groupID, true);
    });
  }

  $('new-group').addEventListener('click', () => {
    $('group-form').reset();
    showApproval();
    $('group-dialog').showModal();
  });
  const showApproval = () => { $('group-approval-line').hidden = $('group-type').value !== TIM.TYPES.GRP_PUBLIC; };
  $('group-type').addEventListener('change', showApproval);
  $('group-cancel').addEventListener('click', () => $('group-dialog').close());
  $('group-form').addEventListener('submit', (event) => {
    event.preventDefault();
    create();
  });
  $('group-join').addEventListener('click', join);

  async function members(groupID) {
    const all = [];
    let offset = 0;
    do {
      const { data } = await page.tim().getGroupMemberList({ groupID, count: PAGE, offset });
      all.push(...data.memberList);
      ({ offset } = data);
    } while (offset);
    return all;
  }

  const nameOfMember = ({ userID, nick, nameCard }) => firstName(nameCard, nick, userID);

  // What this user may do to a member. The server has the last word.
  function memberItems(group, member) {
    const { groupID, type, selfInfo } = group;
    const { userID, role, muteUntil } = member;
    const name = nameOfMember(member);
    const tim = page.tim();
    const isOther = userID !== me;
    const isAbove = isOther && (selfInfo.role === 'Owner' || (selfInfo.role === 'Admin' && role === 'Member'));
    const isMuted = muteUntil > tim.getServerTime();
    const users = { groupID, userIDList: [userID] };
    const act = (action) => () => attempt(action);
    const askFirst = (question, yes, action) => async () => {
      if (await ask(question, yes)) await attempt(action);
    };
    return [
      isOther && { label: t('mention'), testid: 'mention', run: () => mention(userID, name) },
      isOther && { label: t('chatWith', name), testid: 'chat-with', run: () => openChat('C2C' + userID, true) },
      !isOther && { label: t('myCard'), testid: 'name-card', run: () => setCard(group, member) },
      isOther && selfInfo.role === 'Owner' && type !== 'Private' && role === 'Member'
        && { label: t('makeAdmin'), testid: 'make-admin', run: act(() => tim.setGroupMemberRole({ groupID, userID, role: 'Admin' })) },
      isOther && selfInfo.role === 'Owner' && role === 'Admin'
        && { label: t('unmakeAdmin'), testid: 'unmake-admin', run: act(() => tim.setGroupMemberRole({ groupID, userID, role: 'Member' })) },
      isAbove && type !== 'Private' && {
        label: t(isMuted ? 'unmute' : 'mute'),
        testid: isMuted ? 'unmute' : 'mute',
        run: act(() => tim.setGroupMemberMuteTime({ groupID, userID, muteTime: isMuted ? 0 : MUTE_SECONDS })),
      },
      isOther && selfInfo.role === 'Owner' && {
        label: t('makeOwner'), testid: 'make-owner', run: askFirst(t('askMakeOwner', name), t('makeOwner'), () => tim.changeGroupOwner({ groupID, newOwnerID: userID })),
      },
      isAbove && {
        label: t('removeMember'), testid: 'remove-member', danger: true, run: askFirst(t('askRemoveMember', name), t('removeMember'), () => tim.deleteGroupMember(users)),
      },
    ].filter(Boolean);
  }

  async function setCard({ groupID }, { nameCard }) {
    const text = await askText(t('askCard'), t('save'), nameCard);
    if (text !== null) await attempt(() => page.tim().setGroupMemberNameCard({ groupID, nameCard: text }));
  }

  function showMembers(conversationID) {
    return attempt(async () => {
      const group = groupOf(conversationID);
      const all = await members(group.groupID);
      openMenuBelow($('chat-menu'), all.map((member) => ({
        label: memberText(nameOfMember(member), member.role, member.muteUntil > page.tim().getServerTime(), t),
        testid: 'member',
        run: () => openMenuBelow($('chat-menu'), memberItems(group, member)),
      })));
    });
  }

  // Whom one may name, below the composer's own button.
  function offerMentions(conversationID) {
    return attempt(async () => {
      const others = (await members(groupIDOf(conversationID))).filter(({ userID }) => userID !== me);
      openMenuBelow($('emoji'), [
        { label: t('everybody'), testid: 'mention-all', run: () => mention(TIM.TYPES.MSG_AT_ALL, t('everybody')) },
        ...others.map((member) => ({ label: nameOfMember(member), testid: 'mention', run: () => mention(member.userID, nameOfMember(member)) })),
      ]);
    });
  }

  async function invite({ groupID }) {
    const text = await askText(t('askInvite'), t('invite'));
    const userIDList = (text || '').split(/[\s,，、]+/).filter(Boolean);
    if (userIDList.length) await attempt(() => page.tim().addGroupMember({ groupID, userIDList }));
  }

  async function leave(group, ends) {
    const { groupID, name } = group;
    if (!(await ask(t(ends ? 'askDismiss' : 'askLeave', name), t(ends ? 'dismiss' : 'leave')))) return;
    await attempt(() => (ends ? page.tim().dismissGroup(groupID) : page.tim().quitGroup(groupID)));
  }

  /** What the menu of a chat has for a group. */
  function chatItems(conversationID) {
    const group = groupOf(conversationID);
    if (!group) return [];
    const { groupID, type, selfInfo, inviteOption, muteAllMembers } = group;
    const tim = page.tim();
    const isQuiet = selfInfo.messageRemindType !== TIM.TYPES.MSG_REMIND_ACPT_AND_NOTE;
    // A work group has no end, and the others are not without an owner.
    const ends = selfInfo.role === 'Owner' && type !== 'Private';
    return [
      { label: t('members', group.memberNum), testid: 'members', run: () => showMembers(conversationID) },
      (isManager(conversationID) || inviteOption === 'FreeAccess') && { label: t('invite'), testid: 'invite', run: () => invite(group) },
      isManager(conversationID) && type !== 'Private' && {
        label: t(muteAllMembers ? 'unmuteAll' : 'muteAll'),
        testid: 'mute-all',
        run: () => attempt(() => tim.updateGroupProfile({ groupID, muteAllMembers: !muteAllMembers })),
      },
      {
        label: t(isQuiet ? 'disturb' : 'doNotDisturb'),
        testid: 'quiet',
        run: () => attempt(() => tim.setMessageRemindType({
          groupID, messageRemindType: isQuiet ? TIM.TYPES.MSG_REMIND_ACPT_AND_NOTE : TIM.TYPES.MSG_REMIND_ACPT_NOT_NOTE,
        })),
      },
      navigator.clipboard && { label: t('copyGroupID'), testid: 'copy-group', run: () => attempt(() => navigator.clipboard.writeText(groupID)) },
      { label: t(ends ? 'dismiss' : 'leave'), testid: ends ? 'dismiss' : 'leave', danger: true, run: () => leave(group, ends) },
    ].filter(Boolean);
  }

  /** Something has happened to this user in a group. */
  async function noticed(message) {
    const { operationType, operatorID, groupProfile, handleMessage } = message.payload;
    const key = { 2: 'noticeAccepted', 3: 'noticeRejected', 4: 'noticeRemoved', 5: 'noticeDismissed', 7: 'noticeAdded', 9: 'noticeAdmin', 10: 'noticeNoAdmin' }[operationType];
    if (key) toast(t(key, groupProfile.name, operatorID));
    if (operationType !== 1) return;
    const yes = await ask(t('noticeApplied', groupProfile.name, operatorID, handleMessage), t('accept'), { isHarmless: true });
    await attempt(() => page.tim().handleGroupApplication({ handleAction: yes ? 'Agree' : 'Reject', message }));
  }

  return { groupOf, isManager, listUpdated, chatItems, offerMentions, noticed };
}
