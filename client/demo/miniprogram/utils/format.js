// What the pages show, computed from what the client gives. Nothing here knows about wx or the pages,
// and everything that comes out is plain data, fit for setData. What other users have filled in may be
// of any type, and is checked here and in media.js; it is shown as text, or is the address of a picture.
const group = require('./group');
const media = require('./media');
const text = require('./text');

const GAP_SECONDS = 300; // Messages that are further apart than this get a line with the time.
const RECALL_SECONDS = 120;
const LATEST_SECONDS = 8.64e12; // Beyond it there is no Date.

const PREVIEW_BYTES = 300; // More does not fit into a line.
const REASON_BYTES = 300;

const PLACEHOLDERS = new Map([
  ['TIMImageElem', '[图片]'],
  ['TIMSoundElem', '[语音]'],
  ['TIMFileElem', '[文件]'],
  ['TIMVideoFileElem', '[视频]'],
  ['TIMLocationElem', '[位置]'],
  ['TIMRelayElem', '[聊天记录]'],
  ['TIMFaceElem', '[表情]'],
  ['TIMCustomElem', '[自定义消息]'],
]);

// The field that says in words what a message is.
const WORDS = new Map([
  ['TIMTextElem', 'text'],
  ['TIMFaceElem', 'data'],
  ['TIMCustomElem', 'description'],
]);

const BLOCKED_BY_YOU = '你已拉黑对方，移出黑名单后才能发送';
const ERRORS = new Map([
  [2040, '这个部署还不能收发图片和文件'],
  [2108, '文件是空的'],
  [2252, '不能发送这种格式'],
  [2253, '不能超过 20 MB'],
  [2300, '上传没有成功，请再试一次'],
  [2301, '不能超过 20 MB'],
  [2350, '上传没有成功，请再试一次'],
  [2351, '不能超过 100 MB'],
  [2352, '不能发送这种格式'],
  [2400, '上传没有成功，请再试一次'],
  [2402, '不能超过 100 MB'],
  [2501, '没有这个用户'],
  [10007, '没有权限，或者你不在这个群里'],
  [10010, '没有这个群'],
  [10014, '群里的人已经满了'],
  [10017, '你或全员被禁言了'],
  [10023, '群里的消息太快了，请过一会儿再试'],
  [10024, '别人已经处理了这个申请'],
  [2800, '网络不通，请稍后再试'],
  [2801, '网络不通，请稍后再试'],
  [2805, '网络不通，请稍后再试'],
  [20007, '你已被对方拉黑，消息没有送达'],
  [20016, '超过两分钟，不能撤回了'],
  [60007, '这段时间发得太多了，请过一会儿再试'],
  [80002, '消息太长了'],
  [93000, '消息太长了'],
]);

function two(number) {
  return (number < 10 ? '0' : '') + number;
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function timeText(seconds, withTime) {
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > LATEST_SECONDS) return '';
  const then = new Date(seconds * 1000);
  const now = new Date();
  const clock = two(then.getHours()) + ':' + two(then.getMinutes());
  const days = Math.round((midnight(now) - midnight(then)) / 86400000);
  if (days <= 0) return clock;
  let day = then.getMonth() + 1 + '月' + then.getDate() + '日';
  if (days === 1) day = '昨天';
  else if (days < 7) day = '星期' + '日一二三四五六'[then.getDay()];
  else if (then.getFullYear() !== now.getFullYear()) day = then.getFullYear() + '年' + day;
  return withTime ? day + ' ' + clock : day;
}

function explain(error) {
  // The server says who has blocked whom.
  if (error && error.code === 20007 && text.of(error.message).indexOf('removeFromBlacklist') >= 0) return BLOCKED_BY_YOU;
  // The code of an upload that has failed, too, and another try is of no use.
  if (error && error.code === 2300 && text.of(error.message).indexOf('is not taken') >= 0) return ERRORS.get(2252);
  const known = error && ERRORS.get(error.code);
  return known || text.head((error && text.of(error.message)) || '没有成功', REASON_BYTES);
}

function peerOf(conversationID) {
  return conversationID.replace(/^(C2C|GROUP)/, '');
}

function isGroup(conversationID) {
  return conversationID.indexOf('GROUP') === 0;
}

// The conversation that a link to a page names, or '' when it names none.
function conversationOf(query) {
  try {
    const id = decodeURIComponent(query.conversationID || '');
    return /^(C2C[\x21-\x7e]{1,32}|GROUP[\x20-\x7e]{1,48})$/.test(id) ? id : '';
  } catch (error) {
    return ''; // It is not encoded the way that links are.
  }
}

// The first of these that is a name.
function firstName() {
  const names = Array.from(arguments).map(function (name) {
    return text.of(name).trim();
  });
  return names.filter(Boolean)[0] || '?';
}

function avatarOf(userID, name) {
  let hash = 0;
  for (let index = 0; index < userID.length; index += 1) hash = (hash * 31 + userID.charCodeAt(index)) % 997;
  return { hue: hash % 6, initial: text.first(name).toUpperCase() };
}

// `name` is that of who has recalled it, in a group.
function recallText(own, name) {
  return own ? '你撤回了一条消息' : (name || '对方') + '撤回了一条消息';
}

// The text of a message, or what stands for its type.
function bodyOf(message) {
  const payload = typeof message.payload === 'object' && message.payload !== null ? message.payload : {};
  const words = WORDS.has(message.type) ? text.of(payload[WORDS.get(message.type)]) : '';
  return words || PLACEHOLDERS.get(message.type) || '[消息]';
}

function countText(count) {
  if (typeof count !== 'number' || !(count > 0)) return '';
  return count > 99 ? '99+' : String(count);
}

function previewOf(conversation, me) {
  const last = conversation.lastMessage || {};
  const inGroup = isGroup(conversation.conversationID);
  if (!last.lastTime) return '';
  const name = text.head(firstName(last.nameCard, last.nick, last.fromAccount), PREVIEW_BYTES);
  const by = last.revoker || last.fromAccount;
  if (last.isRevoked) return recallText(by === me, inGroup && (by === last.fromAccount ? name : text.of(by)));
  const event = inGroup && group.eventText(Object.assign({}, last, { from: last.fromAccount }), me);
  const said = inGroup && !event ? (last.fromAccount === me ? '你' : name) + '：' : '';
  const mark = inGroup && conversation.groupAtInfoList && conversation.groupAtInfoList.length ? '[有人@我] ' : '';
  const line = mark + said + (event || bodyOf(last)).replace(/\s+/g, ' ');
  const start = text.head(line, PREVIEW_BYTES);
  return start === line ? line : start + '…';
}

function conversationRow(conversation, me) {
  const last = conversation.lastMessage || {};
  const userID = peerOf(conversation.conversationID);
  const profile = conversation.userProfile || {};
  const ofGroup = isGroup(conversation.conversationID) ? conversation.groupProfile || {} : {};
  const name = text.head(firstName(conversation.remark, ofGroup.name, profile.nick, userID), PREVIEW_BYTES);
  const avatar = avatarOf(userID, name);
  return {
    id: conversation.conversationID,
    userID: userID,
    name: name,
    initial: avatar.initial,
    hue: avatar.hue,
    preview: previewOf(conversation, me),
    time: timeText(last.lastTime, false),
    unread: countText(conversation.unreadCount),
    isPinned: Boolean(conversation.isPinned),
  };
}

// Messages that the server has are in the order of their numbers. One that failed stays by its time,
// one that is still on its way is last.
function inOrder(messages, sending) {
  const arrived = messages.filter(function (message) {
    return message.status === 'success';
  });
  arrived.sort(function (a, b) {
    return (a.sequence || 0) - (b.sequence || 0) || a.time - b.time;
  });
  messages.forEach(function (message) {
    if (message.status === 'success') return;
    let at = arrived.length;
    if (!sending[message.ID]) while (at > 0 && arrived[at - 1].time > message.time) at -= 1;
    arrived.splice(at, 0, message);
  });
  return arrived;
}

// Adds messages to those that are there; one that is there already is replaced, and stays one.
function merge(known, added, sending) {
  const byID = {};
  const ids = [];
  known.concat(added).forEach(function (message) {
    if (!byID[message.ID]) ids.push(message.ID);
    byID[message.ID] = message;
  });
  const all = ids.map(function (id) {
    return byID[id];
  });
  return inOrder(
    all.filter(function (message) {
      return !message.isDeleted;
    }),
    sending,
  );
}

// `notes` is what the page knows and the message does not: who is being sent, why one was refused, what was in
// one that was recalled, how much of a file has gone up or come down, which voice plays, how large a picture is.
function messageRow(message, previous, me, notes) {
  const own = message.flow === 'out';
  const inGroup = isGroup(message.conversationID);
  const event = inGroup && !message.isRevoked ? group.eventText(message, me) : '';
  const name = text.head(firstName(message.nameCard, message.nick, message.from), PREVIEW_BYTES);
  const by = message.revoker || message.from;
  const isSending = Boolean(notes.sending[message.ID]);
  const avatar = avatarOf(own ? me : message.from, own ? me : name);
  const isApart = !previous || message.time - previous.time > GAP_SECONDS;
  const revoked = Boolean(message.isRevoked || event);
  const follows = Boolean(!isApart && previous && !previous.isRevoked && previous.from === message.from && !(inGroup && group.eventText(previous, me)));
  const shown = media.of(message);
  return Object.assign({
    id: message.ID,
    anchor: 'm-' + message.ID,
    own: own,
    initial: avatar.initial,
    hue: avatar.hue,
    // What is shown of a picture, a voice, a video or a file stands in the place of the text.
    kind: shown ? shown.kind : '',
    parts: shown ? [] : text.parts(event || (revoked ? recallText(by === me, inGroup && (by === message.from ? name : text.of(by))) : bodyOf(message))),
    time: isApart ? timeText(message.time, true) : '',
    follows: follows,
    sender: inGroup && !own && !follows && !revoked ? name : '',
    revoked: revoked,
    canEdit: !event && revoked && own && notes.recalled[message.ID] !== undefined,
    sending: isSending,
    failed: !isSending && message.status === 'fail',
    reason: (!isSending && notes.refused[message.ID]) || '',
    mark: own && !inGroup && !revoked && message.status === 'success' ? (message.isPeerRead ? '已读' : '未读') : '',
  }, shown && media.row(message.ID, shown, notes));
}

function messageRows(messages, me, notes) {
  return messages.map(function (message, index) {
    return messageRow(message, messages[index - 1], me, notes);
  });
}

// `now` is the server's time, which is also that of the message.
function canRecall(message, now) {
  return message.flow === 'out' && message.status === 'success' && !message.isRevoked && now - message.time < RECALL_SECONDS;
}

module.exports = {
  avatarOf: avatarOf,
  bodyOf: bodyOf,
  canRecall: canRecall,
  conversationOf: conversationOf,
  conversationRow: conversationRow,
  explain: explain,
  isGroup: isGroup,
  merge: merge,
  messageRows: messageRows,
  peerOf: peerOf,
  timeText: timeText,
};
