// What is shown of groups, computed from what the client gives: tips in words, members and what may be done to them.
// What other users have filled in may be of any type, and is checked here.
const text = require('./text');

const NAME_BYTES = 300;

function nameOf() {
  const names = Array.from(arguments).map(function (name) { return text.of(name).trim(); });
  return text.head(names.filter(Boolean)[0] || '?', NAME_BYTES);
}

function object(value) {
  return typeof value === 'object' && value !== null ? value : {};
}

function list(value) {
  return Array.isArray(value) ? value : [];
}

// What has happened in a group, in one line; '' for what somebody has said.
function eventText(message, me) {
  const payload = object(message.payload);
  const named = function () {
    return Array.from(arguments).indexOf(me) >= 0 ? '你' : nameOf.apply(null, arguments);
  };
  if (message.type === 'TIMCustomElem' && payload.data === 'group_create') return named(message.nick, message.from) + ' 创建了群';
  if (message.type !== 'TIMGroupTipElem') return '';
  const members = list(payload.memberList).map(object);
  const nickOf = function (userID) {
    return members.filter(function (member) { return member.userID === userID; }).map(function (member) { return member.nick; })[0];
  };
  const users = list(payload.userIDList).filter(function (userID) { return text.of(userID) !== ''; });
  const who = users.map(function (userID) { return named(nickOf(userID), userID); }).join('、');
  const operator = text.of(payload.operatorID) || text.of(message.from);
  const by = named(nickOf(operator), operator);
  const changed = object(payload.newGroupProfile);
  const muteTime = (members[0] || {}).muteTime;
  switch (payload.operationType) {
    case 1: return users.length === 1 && users[0] === operator ? who + ' 加入了群' : by + ' 邀请 ' + who + ' 加入了群';
    case 2: return (who || by) + ' 退出了群';
    case 3: return by + ' 把 ' + who + ' 移出了群';
    case 4: return who + ' 成为管理员';
    case 5: return who + ' 不再是管理员';
    case 6:
      if (text.of(changed.ownerID)) return named(changed.ownerID) + ' 成为群主';
      if (text.of(changed.groupName)) return by + ' 把群名改为“' + nameOf(changed.groupName) + '”';
      if (typeof changed.muteAllMembers === 'boolean') return by + (changed.muteAllMembers ? ' 开启了全员禁言' : ' 解除了全员禁言');
      return by + ' 修改了群资料';
    case 7: return muteTime > 0 ? by + ' 禁言了 ' + who : by + ' 解除了 ' + who + ' 的禁言';
    default: return '[群提示]';
  }
}

// What a notice of the system says, or '' for one that nobody has to be told.
function noticeText(payload) {
  const group = nameOf(object(payload.groupProfile).name, object(payload.groupProfile).groupID);
  switch (payload.operationType) {
    case 2: return '你已加入 ' + group;
    case 3: return group + ' 没有同意你的申请';
    case 4: return '你被移出了 ' + group;
    case 5: return group + ' 已解散';
    case 7: return nameOf(payload.operatorID) + ' 邀请你加入了 ' + group;
    case 9: return '你成为 ' + group + ' 的管理员';
    case 10: return '你不再是 ' + group + ' 的管理员';
    default: return '';
  }
}

function memberRow(member, now) {
  const name = nameOf(member.nameCard, member.nick, member.userID);
  const marks = [];
  if (member.role === 'Owner') marks.push('群主');
  if (member.role === 'Admin') marks.push('管理员');
  if (member.muteUntil > now) marks.push('禁言中');
  return { id: member.userID, name: name, initial: text.first(name).toUpperCase(), marks: marks.join(' · ') };
}

// What this user may do to a member, by name. The server has the last word.
function memberActions(group, member, me, now) {
  const mine = group.selfInfo.role;
  const isWork = group.type === 'Private';
  if (member.userID === me) return ['card'];
  const isAbove = mine === 'Owner' || (mine === 'Admin' && member.role === 'Member');
  const actions = ['mention'];
  if (mine === 'Owner' && !isWork) actions.push(member.role === 'Admin' ? 'unmakeAdmin' : 'makeAdmin');
  if (isAbove && !isWork) actions.push(member.muteUntil > now ? 'unmute' : 'mute');
  if (mine === 'Owner') actions.push('makeOwner');
  if (isAbove) actions.push('remove');
  return actions;
}

module.exports = { eventText: eventText, memberActions: memberActions, memberRow: memberRow, nameOf: nameOf, noticeText: noticeText };
