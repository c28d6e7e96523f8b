// A group: its members and what one may do in it; without a group, how to make one and how to join one.
const TIM = require('../../lib/tim');
const explain = require('../../utils/format').explain;
const listen = require('../../utils/listen');
const groups = require('../../utils/group');

const MUTE_SECONDS = 600;
const PAGE_SIZE = 100;
const TYPES = [
  { type: TIM.TYPES.GRP_WORK, name: '工作群：成员都能邀请' },
  { type: TIM.TYPES.GRP_PUBLIC, name: '公开群：可以申请加入' },
  { type: TIM.TYPES.GRP_MEETING, name: '会议群：随时加入，能看历史' },
];
const LABELS = {
  mention: '@ 对方', makeAdmin: '设为管理员', unmakeAdmin: '取消管理员', mute: '禁言 10 分钟', unmute: '解除禁言',
  makeOwner: '转让群主', remove: '移出群', card: '改我的群名片',
};

function usersIn(line) {
  return line.split(/[\s,，、]+/).filter(Boolean);
}

Page({
  data: {
    groupID: '',
    types: TYPES.map(function (each) { return each.name; }),
    typeIndex: 0,
    needsApproval: false,
    title: '',
    count: 0,
    members: [],
    more: false,
    canInvite: false,
    canMuteAll: false,
    mutedAll: false,
    quiet: false,
    end: '退出群',
  },

  onLoad: function (query) {
    const page = this;
    page.texts = { name: '', users: '', groupID: '' };
    page.known = [];
    return getApp().whenIn(page, query).then(function (isIn) {
      if (!isIn || page.isGone) return undefined;
      page.tim = getApp().tim;
      page.groupID = decodeURIComponent(query.groupID || '');
      page.setData({ groupID: page.groupID });
      if (!page.groupID) return undefined;
      const handlers = {};
      handlers[TIM.EVENT.GROUP_LIST_UPDATED] = function () { page.showGroup(); };
      page.stop = listen(page.tim, handlers);
      page.showGroup();
      return page.load();
    });
  },

  onUnload: function () {
    this.isGone = true;
    if (this.stop) this.stop();
  },

  complain: function (error) {
    wx.showToast({ title: explain(error), icon: 'none' });
  },

  type: function (event) {
    this.texts[event.currentTarget.dataset.field] = event.detail.value;
  },

  chooseType: function (event) {
    this.setData({ typeIndex: Number(event.detail.value) });
  },

  chooseApproval: function (event) {
    this.setData({ needsApproval: event.detail.value });
  },

  create: function () {
    const page = this;
    const name = page.texts.name.trim();
    const type = TYPES[page.data.typeIndex].type;
    if (!name) return page.complain(new Error('群要有名称'));
    const options = {
      name: name,
      type: type,
      memberList: usersIn(page.texts.users).map(function (userID) { return { userID: userID }; }),
    };
    if (type === TIM.TYPES.GRP_PUBLIC) options.joinOption = page.data.needsApproval ? 'NeedPermission' : 'FreeAccess';
    return page.tim.createGroup(options).then(function (result) {
      page.goTo(result.data.group.groupID);
    }, page.complain);
  },

  join: function () {
    const page = this;
    const groupID = page.texts.groupID.trim();
    if (!groupID) return page.complain(new Error('请输入群 ID'));
    return page.tim.joinGroup({ groupID: groupID }).then(function (result) {
      if (result.data.status === TIM.TYPES.JOIN_STATUS_WAIT_APPROVAL) page.complain(new Error('申请已经发出，等群主或管理员同意'));
      else page.goTo(groupID);
    }, page.complain);
  },

  goTo: function (groupID) {
    wx.redirectTo({ url: '/pages/chat/chat?conversationID=' + encodeURIComponent('GROUP' + groupID) });
  },

  // The group as the app has it. One that this user is not in any more has no page.
  showGroup: function () {
    const group = this.group = getApp().groups[this.groupID];
    if (this.isGone) return;
    if (!group) {
      wx.reLaunch({ url: '/pages/conversations/conversations' });
      return;
    }
    const isManager = group.selfInfo.role === 'Owner' || group.selfInfo.role === 'Admin';
    const isWork = group.type === TIM.TYPES.GRP_WORK;
    this.setData({
      title: groups.nameOf(group.name, group.groupID),
      count: group.memberNum,
      canInvite: isManager || group.inviteOption === 'FreeAccess',
      canMuteAll: isManager && !isWork,
      mutedAll: Boolean(group.muteAllMembers),
      quiet: group.selfInfo.messageRemindType !== TIM.TYPES.MSG_REMIND_ACPT_AND_NOTE,
      end: group.selfInfo.role === 'Owner' && !isWork ? '解散群' : '退出群',
    });
  },

  // Members from the beginning, or the next page of them.
  load: function () {
    this.known = [];
    this.offset = 0;
    return this.loadMore();
  },

  loadMore: function () {
    const page = this;
    return page.tim.getGroupMemberList({ groupID: page.groupID, count: PAGE_SIZE, offset: page.offset }).then(function (result) {
      page.known = page.known.concat(result.data.memberList);
      page.offset = result.data.offset;
      page.showMembers();
    }, page.complain);
  },

  showMembers: function () {
    const now = this.tim.getServerTime();
    if (this.isGone) return;
    this.setData({
      members: this.known.map(function (member) { return groups.memberRow(member, now); }),
      more: this.offset > 0,
    });
  },

  // Does something, and shows what has come of it.
  change: function (promise) {
    return promise.then(this.load, this.complain);
  },

  showMember: function (event) {
    const page = this;
    const member = page.known.filter(function (one) { return one.userID === event.currentTarget.dataset.id; })[0];
    if (!member || !page.group) return;
    const actions = groups.memberActions(page.group, member, getApp().userID, page.tim.getServerTime());
    wx.showActionSheet({
      itemList: actions.map(function (action) { return LABELS[action]; }),
      success: function (choice) { page.act(actions[choice.tapIndex], member); },
    });
  },

  act: function (action, member) {
    const page = this;
    const tim = page.tim;
    const who = { groupID: page.groupID, userID: member.userID };
    const name = groups.nameOf(member.nameCard, member.nick, member.userID);
    if (action === 'mention') return page.mention(member.userID, name);
    if (action === 'card') return page.askCard(member);
    if (action === 'makeAdmin') return page.change(tim.setGroupMemberRole(Object.assign({ role: TIM.TYPES.GRP_MBR_ROLE_ADMIN }, who)));
    if (action === 'unmakeAdmin') return page.change(tim.setGroupMemberRole(Object.assign({ role: TIM.TYPES.GRP_MBR_ROLE_MEMBER }, who)));
    if (action === 'mute') return page.change(tim.setGroupMemberMuteTime(Object.assign({ muteTime: MUTE_SECONDS }, who)));
    if (action === 'unmute') return page.change(tim.setGroupMemberMuteTime(Object.assign({ muteTime: 0 }, who)));
    if (action === 'makeOwner') {
      return page.ask('把群主转让给 ' + name + '？', '转让', function () {
        return page.change(tim.changeGroupOwner({ groupID: page.groupID, newOwnerID: member.userID }));
      });
    }
    return page.ask('把 ' + name + ' 移出群？', '移出', function () {
      return page.change(tim.deleteGroupMember({ groupID: page.groupID, userIDList: [member.userID] }));
    });
  },

  ask: function (question, yes, action) {
    wx.showModal({
      title: question,
      confirmText: yes,
      success: function (answer) {
        if (answer.confirm) action();
      },
    });
  },

  // Asks for a line of text.
  askText: function (question, start, action) {
    wx.showModal({
      title: question,
      editable: true,
      content: start,
      success: function (answer) {
        if (answer.confirm) action((answer.content || '').trim());
      },
    });
  },

  askCard: function (member) {
    const page = this;
    page.askText('在这个群里叫什么？', groups.nameOf(member.nameCard, member.nick, member.userID), function (text) {
      return page.change(page.tim.setGroupMemberNameCard({ groupID: page.groupID, nameCard: text }));
    });
  },

  // Goes back to the chat, with the name in its input.
  mention: function (userID, name) {
    getApp().mentioned = { userID: userID, name: name };
    wx.navigateBack();
  },

  mentionAll: function () {
    this.mention(TIM.TYPES.MSG_AT_ALL, '所有人');
  },

  invite: function () {
    const page = this;
    page.askText('邀请谁？写下用户 ID', '', function (text) {
      const userIDList = usersIn(text);
      if (userIDList.length) return page.change(page.tim.addGroupMember({ groupID: page.groupID, userIDList: userIDList }));
      return undefined;
    });
  },

  toggleMuteAll: function () {
    return this.tim.updateGroupProfile({ groupID: this.groupID, muteAllMembers: !this.data.mutedAll }).catch(this.complain);
  },

  toggleQuiet: function () {
    const type = this.data.quiet ? TIM.TYPES.MSG_REMIND_ACPT_AND_NOTE : TIM.TYPES.MSG_REMIND_ACPT_NOT_NOTE;
    return this.tim.setMessageRemindType({ groupID: this.groupID, messageRemindType: type }).catch(this.complain);
  },

  copyID: function () {
    wx.setClipboardData({ data: this.groupID });
  },

  leave: function () {
    const page = this;
    const ends = page.data.end === '解散群';
    page.ask(page.data.end + '？', page.data.end, function () {
      const done = ends ? page.tim.dismissGroup(page.groupID) : page.tim.quitGroup(page.groupID);
      // The list of groups says so, and this page goes then.
      return done.catch(page.complain);
    });
  },
});
