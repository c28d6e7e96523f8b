// One user's chat, written against the API of tim-wx-sdk: TIM.create, login, on, sendMessage and so on.

import { bodyOf, clockText, countOf, firstName, isJumbo, mediaOf, tipText } from './display.js';
import { $, icon, make, makeButton, place, setAvatar, setBadge, setText } from './dom.js';
import { speak, t, texts, timeText } from './language.js';
import { groupIDOf, groupTools, isGroup } from './groups.js';
import { showMedia, showProgress, silence } from './media.js';
import { ask, closeMenu, onPress, openMenu, openMenuBelow, toast } from './overlay.js';
import { canRecord, record } from './recorder.js';

const { TIM, network } = window;
const RECALL_SECONDS = 120;
const GAP_SECONDS = 300; // Messages that are further apart than this get a line with the time.
const NEWS = 5; // So many messages stay where a screen reader finds what has just come in.
const EMOJI = '😀 😂 🥰 😎 🤔 😭 😴 🙏 👍 👏 💪 🎉 ❤️ 🌹 ☕ 🪿'.split(' ');
// What is shown as a picture or a video. The server takes no other format of them, and any file.
const PICTURE = /^image\/(jpeg|png|gif|bmp|webp)$/;
const VIDEO = /^video\/(mp4|quicktime)$/;
const MOST_FILES = 9;
const SHORTEST_MS = 1000; // Who records for less has missed the button.
const NETWORK_ERRORS = [2800, 2801, 2805];
const ERRORS = new Map([
  [2040, 'noMedia'],
  [2108, 'emptyFile'],
  [2252, 'wrongType'],
  [2253, 'over20MB'],
  [2300, 'uploadFailed'],
  [2301, 'over20MB'],
  [2350, 'uploadFailed'],
  [2351, 'over100MB'],
  [2352, 'wrongType'],
  [2400, 'uploadFailed'],
  [2402, 'over100MB'],
  [2501, 'noSuchUser'],
  [10007, 'notAllowed'],
  [10010, 'noSuchGroup'],
  [10014, 'groupFull'],
  [10017, 'mutedInGroup'],
  [10023, 'tooFastInGroup'],
  [10024, 'handledAlready'],
  [20007, 'blockedByPeer'],
  [20016, 'tooLateToRecall'],
  [60007, 'tooMuch'],
  [80002, 'tooLong'],
  [93000, 'tooLong'],
]);

const params = new URLSearchParams(location.search);
const me = params.get('user') || 'alice';
const suggested = params.get('peer') || '';

let tim = null;
let ready = false;
let conversations = [];
let blacklist = [];

// The chat that is on the screen: null, or what is known of it.
let chat = null;
const unsent = new Map(); // conversationID -> the messages that have not arrived yet
const sending = new Set(); // their IDs while a request is under way
const uploaded = new Map(); // ID -> how much of its file has gone up, from 0 to 1
const refused = new Map(); // ID -> the error with which sending failed
const recalled = new Map(); // ID -> the text that was in it, to edit it again
const drafts = new Map(); // conversationID -> what is in the composer

const peerOf = (conversationID) => conversationID.replace(/^(C2C|GROUP)/, '');
const conversationOf = (conversationID) => conversations.find((one) => one.conversationID === conversationID);
const recallText = (by, name, group) => (by === me ? t('recalledByYou') : group ? t('recalledBy', name) : t('recalledByPeer'));
const senderOf = (message) => (message.flow === 'out' ? me : firstName(message.nameCard, message.nick, message.from));
// Whom a message from the open chat goes to.
const address = () => ({ to: peerOf(chat.id), conversationType: isGroup(chat.id) ? TIM.TYPES.CONV_GROUP : TIM.TYPES.CONV_C2C });

const tools = groupTools({ me, tim: () => tim, attempt, openChat, mention });

function nameOf(conversationID) {
  const { remark, userProfile, groupProfile } = conversationOf(conversationID) || {};
  if (isGroup(conversationID)) {
    const { name } = tools.groupOf(conversationID) || groupProfile || {};
    return firstName(name, groupIDOf(conversationID));
  }
  return firstName(remark, userProfile && userProfile.nick, peerOf(conversationID));
}

function explain(error) {
  const { code, message } = error || {};
  if (NETWORK_ERRORS.includes(code)) return t('networkError');
  // The server says who has blocked whom.
  if (code === 20007 && String(message).includes('removeFromBlacklist')) return t('blockedByYou');
  // The code of an upload that has failed, too, and another try is of no use.
  if (code === 2300 && String(message).includes('is not taken')) return t('wrongType');
  return ERRORS.has(code) ? t(ERRORS.get(code)) : t('failed', message, code);
}

// Runs what a button asks for. A failure is told to the user and ends here.
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(explain(error));
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------
// The conversation list

const rows = new Map(); // conversationID -> its <li>

function makeRow(conversationID) {
  const row = make('li', 'conversation', 'conversation');
  row.dataset.id = conversationID;
  const button = makeButton('conversation-open', '', () => openChat(conversationID, true));
  const avatar = make('span', 'avatar');
  avatar.setAttribute('aria-hidden', 'true');
  const name = make('bdi', 'conversation-name', 'name');
  const pin = make('span', 'pin', 'pinned');
  pin.append(icon('pin'));
  pin.setAttribute('role', 'img');
  const time = make('time', 'conversation-time');
  const preview = make('span', 'conversation-preview', 'preview');
  preview.dir = 'auto';
  const badge = make('b', 'badge', 'unread');
  button.append(avatar, name, pin, time, preview, badge);
  const more = makeButton('icon-button more', 'conversation-menu', () => openMenuBelow(more, conversationItems(conversationID)));
  more.append(icon('more'));
  row.append(button, more);
  row.parts = { button, avatar, name, pin, time, preview, badge, more };
  return row;
}

function previewOf(conversation) {
  const id = conversation.conversationID;
  const draft = chat && chat.id === id ? '' : drafts.get(id);
  if (draft) return t('draft', draft);
  const last = conversation.lastMessage;
  if (!last || !last.lastTime) return '';
  const sender = firstName(last.nameCard, last.nick, last.fromAccount);
  if (last.isRevoked) return recallText(last.revoker || last.fromAccount, last.revoker === last.fromAccount ? sender : last.revoker, isGroup(id));
  if (!isGroup(id)) return bodyOf(last, texts());
  const kinds = (conversation.groupAtInfoList || []).flatMap(({ atTypeArray }) => atTypeArray);
  const mark = kinds.some((kind) => kind !== TIM.TYPES.CONV_AT_ALL) ? t('mentionedYou') + ' ' : kinds.length ? t('mentionedAll') + ' ' : '';
  return mark + (eventOf({ ...last, from: last.fromAccount }) || t('said', last.fromAccount === me ? t('you') : sender, bodyOf(last, texts())));
}

// What has happened in a group, in one line; '' for what somebody has said.
function eventOf(message) {
  const { type, payload } = message;
  if (type === TIM.TYPES.MSG_CUSTOM && payload && payload.data === 'group_create') return t('groupCreated', senderOf(message));
  return type === TIM.TYPES.MSG_GRP_TIP ? tipText(message, t, (...names) => (names.includes(me) ? t('you') : firstName(...names))) || t('tip') : '';
}

function renderRow(conversation) {
  const id = conversation.conversationID;
  if (!rows.has(id)) rows.set(id, makeRow(id));
  const row = rows.get(id);
  const { button, avatar, name, pin, time, preview, badge, more } = row.parts;
  setAvatar(avatar, peerOf(id), nameOf(id));
  setText(name, nameOf(id));
  pin.hidden = !conversation.isPinned;
  pin.setAttribute('aria-label', t('pinned'));
  setText(time, conversation.lastMessage ? timeText(conversation.lastMessage.lastTime, false) : '');
  setText(preview, previewOf(conversation));
  setBadge(badge, countOf(conversation.unreadCount));
  more.setAttribute('aria-label', t('conversationMenuOf', nameOf(id)));
  row.toggleAttribute('data-pinned', Boolean(conversation.isPinned));
  button.setAttribute('aria-current', String(Boolean(chat && chat.id === id)));
  return row;
}

function renderList() {
  const shown = conversations.filter((one) => one.type === TIM.TYPES.CONV_C2C || one.type === TIM.TYPES.CONV_GROUP);
  place($('conversations'), shown.map(renderRow));
  const ids = new Set(shown.map((one) => one.conversationID));
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);

  $('no-conversations').hidden = !ready || shown.length > 0;
  $('suggestion').hidden = !suggested;
  setText($('suggestion'), t('chatWith', suggested));

  const total = ready ? tim.getTotalUnreadMessageCount() : 0;
  document.title = (total ? '(' + total + ') ' : '') + me + ' · ' + t('brand');
  setBadge($('back-badge'), total);
  if (window.parent !== window) {
    window.parent.postMessage({ kind: 'unread', userID: me, count: total }, location.origin);
  }
}

function conversationItems(conversationID) {
  const conversation = conversationOf(conversationID);
  if (!conversation) return [];
  const pinned = Boolean(conversation.isPinned);
  return [
    {
      label: t(pinned ? 'unpin' : 'pin'),
      testid: 'pin',
      run: () => attempt(() => tim.pinConversation({ conversationID, isPinned: !pinned })),
    },
    { label: t('deleteConversation'), testid: 'delete-conversation', danger: true, run: () => removeConversation(conversationID) },
  ];
}

async function removeConversation(conversationID) {
  if (!(await ask(t('askDeleteConversation', nameOf(conversationID)), t('delete')))) return;
  await attempt(async () => {
    await tim.deleteConversation(conversationID);
    unsent.delete(conversationID);
    drafts.delete(conversationID);
    if (chat && chat.id === conversationID) closeChat();
  });
}

onPress($('conversations'), '.conversation', (row, at) => {
  openMenu(at, row.parts.button, conversationItems(row.dataset.id));
});

// Older conversations come when the end of the list is seen. The list is told as any other change of it.
$('conversations').addEventListener('scroll', ({ target }) => {
  if (ready && target.scrollHeight - target.scrollTop - target.clientHeight < 200) attempt(() => tim.getConversationList({ loadOlder: true }));
});

$('new-chat').addEventListener('submit', (event) => {
  event.preventDefault();
  const userID = $('new-chat-input').value.trim();
  if (!userID) return;
  if (!/^[\x21-\x7e]{1,32}$/.test(userID)) return toast(t('invalidUserID'));
  if (userID === me) return toast(t('yourself'));
  $('new-chat-input').value = '';
  openChat('C2C' + userID, true);
});
$('suggestion').addEventListener('click', () => openChat('C2C' + suggested, true));

// ---------------------------------------------------------------------------------------------
// The messages of the open chat

function withUnsent(conversationID, change) {
  const list = unsent.get(conversationID) || [];
  unsent.set(conversationID, change(list));
}

// Messages that the server has are in the order of their numbers. One that failed stays by its
// time, one that is still on its way is last.
function inOrder(messages) {
  const arrived = messages.filter((one) => one.status === 'success');
  arrived.sort((a, b) => (a.sequence || 0) - (b.sequence || 0) || a.time - b.time);
  for (const message of messages.filter((one) => one.status !== 'success')) {
    let at = arrived.length;
    if (!sending.has(message.ID)) while (at > 0 && arrived[at - 1].time > message.time) at -= 1;
    arrived.splice(at, 0, message);
  }
  return arrived;
}

function merge(messages) {
  const byID = new Map(chat.messages.map((one) => [one.ID, one]));
  for (const message of messages) {
    if (message.conversationID === chat.id) byID.set(message.ID, message);
  }
  chat.messages = inOrder(Array.from(byID.values()).filter((one) => !one.isDeleted));
}

function makeMessage(message) {
  const row = make('li', 'message', 'message');
  row.dataset.id = message.ID;
  const avatar = make('span', 'avatar');
  avatar.setAttribute('aria-hidden', 'true');
  const who = make('span', 'sr');
  const sender = make('bdi', 'sender', 'sender');
  sender.setAttribute('aria-hidden', 'true');
  const bubble = make('p', 'bubble', 'text');
  // Each message has the direction of its own first letter.
  bubble.dir = 'auto';
  const more = makeButton('icon-button more', 'message-menu', () => openMenuBelow(more, messageItems(message.ID)));
  more.append(icon('more'));
  const mark = make('span', 'read-mark', 'read-mark');
  const spinner = make('span', 'spinner', 'sending');
  spinner.setAttribute('role', 'img');
  const resend = makeButton('resend', 'resend', () => resendMessage(message.ID));
  resend.append(icon('alert'));
  const reason = make('p', 'reason', 'reason');
  const tip = make('p', 'tip', 'recalled');
  const tipText = make('span');
  const again = makeButton('link', 'reedit', () => editAgain(message.ID));
  tip.append(tipText, ' ', again);
  row.append(sender, avatar, who, bubble, mark, spinner, resend, more, reason, tip);
  row.parts = { sender, avatar, who, bubble, more, mark, spinner, resend, reason, tip, tipText, again };
  return row;
}

function showBody(bubble, message) {
  const media = mediaOf(message);
  if (media) return showMedia(bubble, media, uploaded.get(message.ID) ?? 1);
  const body = bodyOf(message, texts());
  setText(bubble, body);
  return bubble.classList.toggle('jumbo', isJumbo(body));
}

function renderMessage(message, previous) {
  const id = message.ID;
  if (!chat.nodes.has(id)) chat.nodes.set(id, makeMessage(message));
  const row = chat.nodes.get(id);
  const { sender, avatar, who, bubble, more, mark, spinner, resend, reason, tip, tipText: line, again } = row.parts;
  const own = message.flow === 'out';
  const waiting = sending.has(id);
  const failed = !waiting && message.status === 'fail';
  const arrived = message.status === 'success';
  const inGroup = isGroup(chat.id);
  const event = inGroup && !message.isRevoked ? eventOf(message) : '';
  const gone = Boolean(message.isRevoked || event);
  const follows = Boolean(previous && !previous.isRevoked && previous.from === message.from && !(inGroup && eventOf(previous)));

  row.dataset.flow = message.flow;
  row.dataset.status = event ? 'tip' : gone ? 'revoked' : waiting ? 'sending' : message.status;
  row.toggleAttribute('data-follows', follows);
  sender.hidden = gone || own || !inGroup || follows;
  setText(sender, sender.hidden ? '' : senderOf(message));
  tip.hidden = !gone;
  [avatar, who, bubble, more].forEach((node) => {
    node.hidden = gone;
  });
  mark.hidden = gone || !own || !arrived || inGroup;
  spinner.hidden = gone || !waiting;
  resend.hidden = gone || !failed;
  reason.hidden = gone || !failed || !refused.has(id);
  if (gone) {
    const by = message.revoker || message.from;
    setText(line, event || recallText(by, by === message.from ? senderOf(message) : by, inGroup));
    setText(again, t('editAgain'));
    again.hidden = Boolean(event) || !own || !recalled.has(id);
    return row;
  }
  setAvatar(avatar, own ? me : message.from, senderOf(message));
  setText(who, t('speaker', own ? t('you') : senderOf(message)));
  showBody(bubble, message);
  bubble.title = timeText(message.time, true);
  more.setAttribute('aria-label', t('messageMenu'));
  setText(mark, t(message.isPeerRead ? 'read' : 'notRead'));
  mark.toggleAttribute('data-read', Boolean(message.isPeerRead));
  spinner.setAttribute('aria-label', t('sending'));
  resend.setAttribute('aria-label', t('resendFailed'));
  resend.title = t('resend');
  setText(reason, refused.has(id) ? explain(refused.get(id)) : '');
  return row;
}

function renderTime(message) {
  const key = 'time-' + message.ID;
  if (!chat.nodes.has(key)) chat.nodes.set(key, make('li', 'time', 'time'));
  setText(chat.nodes.get(key), timeText(message.time, true));
  return chat.nodes.get(key);
}

function historyText() {
  if (chat.failed) return t('historyFailed');
  if (!chat.complete) return t('loading');
  return t(chat.messages.length ? 'historyEnd' : 'sayHello');
}

const atBottom = () => $('scroller').scrollHeight - $('scroller').scrollTop - $('scroller').clientHeight < 80;

// Where the view stays: at the 'bottom', on the message that is there ('keep', when older ones
// come in above it), or wherever it is.
function renderMessages(hold) {
  if (!chat) return;
  const scroller = $('scroller');
  const stick = hold === 'bottom' || (hold !== 'keep' && atBottom());
  const fromEnd = scroller.scrollHeight - scroller.scrollTop;

  const nodes = [];
  let previous = null;
  for (const message of chat.messages) {
    const apart = !previous || message.time - previous.time > GAP_SECONDS;
    if (apart) nodes.push(renderTime(message));
    nodes.push(renderMessage(message, apart ? null : previous));
    previous = message;
  }
  place($('messages'), nodes);
  setText($('history'), historyText());

  if (stick) scroller.scrollTop = scroller.scrollHeight;
  else if (hold === 'keep') scroller.scrollTop = scroller.scrollHeight - fromEnd;
  if (stick) $('newer').hidden = true;
  stuck = stick;
}

// The window got another size, the keyboard came up, or a picture came: a user who read the end goes on reading it.
let stuck = true;
const sizes = new ResizeObserver(() => {
  if (stuck) $('scroller').scrollTop = $('scroller').scrollHeight;
});
sizes.observe($('scroller'));
sizes.observe($('messages'));

// Tells a screen reader what has come in.
function announce(messages) {
  for (const message of messages.filter((one) => one.flow === 'in' && !one.isRevoked)) {
    const line = make('p');
    setText(line, (isGroup(message.conversationID) && eventOf(message)) || t('said', senderOf(message), bodyOf(message, texts())));
    $('news').append(line);
  }
  while ($('news').children.length > NEWS) $('news').firstElementChild.remove();
}

async function loadOlder() {
  if (!ready || !chat || chat.loading || chat.complete) return;
  const here = chat;
  here.loading = true;
  here.failed = false;
  const first = here.cursor === '';
  try {
    const { data } = await tim.getMessageList({ conversationID: here.id, nextReqMessageID: here.cursor, count: 15 });
    here.cursor = data.nextReqMessageID;
    here.complete = data.isCompleted;
    here.loading = false;
    if (here !== chat) return;
    merge(data.messageList);
    renderMessages(first ? 'bottom' : 'keep');
    // A page that does not fill the window leaves nothing to scroll, so the next one is due.
    if ($('scroller').scrollHeight <= $('scroller').clientHeight + 40) loadOlder();
  } catch (error) {
    here.loading = false;
    here.failed = true;
    renderMessages();
  }
}

// A chat counts as read when somebody can see it: the tab is in front, the frame has a size.
function markRead() {
  if (!ready || !chat || document.visibilityState !== 'visible' || innerWidth === 0) return;
  tim.setMessageRead({ conversationID: chat.id }).catch(() => {});
}

let watched = ''; // The user whose coming and going the server tells.

function watch(userID) {
  if (!ready || watched === userID) return;
  if (watched) tim.unsubscribeUserStatus({ userIDList: [watched] }).catch(() => {});
  watched = userID;
  // The next look tries again.
  const again = () => { if (watched === userID) watched = ''; };
  if (userID) tim.subscribeUserStatus({ userIDList: [userID] }).then(({ data }) => data.failureUserList.forEach(again), again);
}

// Is the peer there? This is a look; what changes after it is told.
async function lookAtPeer() {
  if (!ready || !chat) return;
  const here = chat;
  if (isGroup(here.id)) return watch('');
  const { told } = here;
  watch(peerOf(here.id));
  let online;
  try {
    const { data } = await tim.getUserStatus({ userIDList: [peerOf(here.id)] });
    const status = data.successUserList[0];
    // Of a stranger, and of who has blocked this user, nobody says it.
    online = status && status.statusType === TIM.TYPES.USER_STATUS_ONLINE;
  } catch (error) {
    online = undefined; // Nobody knows.
  }
  // What was told meanwhile is newer.
  if (here.told === told) here.online = online;
  return renderHead();
}

function statusUpdated(statuses) {
  for (const { userID, statusType } of statuses) {
    if (!chat || userID !== peerOf(chat.id)) continue;
    chat.online = statusType === TIM.TYPES.USER_STATUS_ONLINE;
    chat.told += 1;
  }
  renderHead();
}

function renderHead() {
  if (!chat) return;
  const peer = peerOf(chat.id);
  const blocked = blacklist.includes(peer);
  const state = blocked ? 'blocked' : chat.online === undefined ? '' : chat.online ? 'online' : 'offline';
  setAvatar($('peer-avatar'), peer, nameOf(chat.id));
  setText($('peer-name'), nameOf(chat.id));
  const group = isGroup(chat.id) && tools.groupOf(chat.id);
  setText($('peer-state'), group ? t('groupOf', group.memberNum) : state ? t(state) : '');
  $('peer-state').dataset.state = state;
}

function keepDraft() {
  if (chat) drafts.set(chat.id, $('input').value.trim() ? $('input').value : '');
}

function openChat(conversationID, focus) {
  keepDraft();
  if (!chat || chat.id !== conversationID) {
    leaveVoices();
    chat = { id: conversationID, messages: [], nodes: new Map(), cursor: '', complete: false, loading: false, failed: false, online: undefined, told: 0, mentions: new Map() };
    $('messages').replaceChildren();
    $('news').replaceChildren();
    merge(unsent.get(conversationID) || []);
  }
  document.body.dataset.screen = 'chat';
  $('talk').hidden = false;
  $('nothing').hidden = true;
  $('input').value = drafts.get(conversationID) || '';
  fitInput();
  renderHead();
  renderList();
  renderMessages('bottom');
  loadOlder();
  markRead();
  lookAtPeer();
  // On a touch screen focus would push the keyboard over the messages.
  if (focus && matchMedia('(pointer: fine)').matches) $('input').focus({ preventScroll: true });
}

function closeChat() {
  keepDraft();
  leaveVoices();
  watch('');
  const row = chat && rows.get(chat.id);
  chat = null;
  document.body.dataset.screen = 'list';
  $('talk').hidden = true;
  $('nothing').hidden = false;
  renderList();
  if (row) row.parts.button.focus({ preventScroll: true });
}

// ---------------------------------------------------------------------------------------------
// What one does with a message

// Sending a message for the first time and sending it again differ in one call.
async function deliver(message, send) {
  const id = message.conversationID;
  sending.add(message.ID);
  if (mediaOf(message)) uploaded.set(message.ID, 0);
  refused.delete(message.ID);
  withUnsent(id, (list) => list.filter((one) => one.ID !== message.ID).concat(message));
  if (chat && chat.id === id) {
    merge([message]);
    renderMessages('bottom');
  }
  let result = message;
  try {
    result = (await send(message)).data.message;
    withUnsent(id, (list) => list.filter((one) => one.ID !== message.ID));
  } catch (error) {
    result.status = 'fail';
    refused.set(message.ID, error);
  }
  sending.delete(message.ID);
  uploaded.delete(message.ID);
  if (chat && chat.id === id) {
    merge([result]);
    renderMessages();
    lookAtPeer();
  }
}

function sendText() {
  const text = $('input').value.trim();
  if (!text || !ready || !chat) return;
  $('input').value = '';
  fitInput();
  // Those who were named and are still in the text.
  const atUserList = [...chat.mentions].filter(([name]) => text.includes('@' + name)).map(([, userID]) => userID);
  chat.mentions.clear();
  const message = atUserList.length
    ? tim.createTextAtMessage({ ...address(), payload: { text, atUserList } })
    : tim.createTextMessage({ ...address(), payload: { text } });
  deliver(message, (one) => tim.sendMessage(one));
  // The button makes room for another one. The focus of a user who has pressed it with the keyboard has to go somewhere.
  if (document.activeElement === document.body) $('input').focus();
}

// Names somebody in the composer.
function mention(userID, name) {
  chat.mentions.set(name, userID);
  const input = $('input');
  const before = input.value.slice(0, input.selectionStart);
  input.setRangeText((before.endsWith('@') ? '' : '@') + name + ' ', input.selectionStart, input.selectionEnd, 'end');
  fitInput();
  input.focus();
}

// `builder` is the name of the method that makes a message of such a file.
function sendMedia(builder, file) {
  const message = tim[builder]({
    ...address(),
    payload: { file },
    onProgress: (part) => {
      uploaded.set(message.ID, part);
      const row = chat && chat.nodes.get(message.ID);
      if (row) showProgress(row.parts.bubble, part);
    },
  });
  return deliver(message, (one) => tim.sendMessage(one));
}

function sendFiles(files) {
  if (!ready || !chat) return;
  if (files.length > MOST_FILES) return toast(t('tooManyFiles', MOST_FILES));
  for (const file of files) {
    sendMedia(PICTURE.test(file.type) ? 'createImageMessage' : VIDEO.test(file.type) ? 'createVideoMessage' : 'createFileMessage', file);
  }
}

// What was pasted or dropped may have been meant for another window.
async function offerFiles(files) {
  if (!ready || !chat || !files.length) return;
  const here = chat;
  const name = nameOf(here.id);
  const picture = files.length === 1 && PICTURE.test(files[0].type) ? URL.createObjectURL(files[0]) : '';
  const question = files.length === 1 ? t('askSendFile', name, files[0].name) : t('askSendFiles', name, files.length);
  const yes = await ask(question, t('send'), { picture, isHarmless: true });
  if (picture) URL.revokeObjectURL(picture);
  if (yes && chat === here) sendFiles(files);
}

function resendMessage(id) {
  const message = chat && chat.messages.find((one) => one.ID === id);
  if (message && message.status === 'fail' && !sending.has(id)) return deliver(message, (one) => tim.resendMessage(one));
  return undefined;
}

function recallMessage(message) {
  return attempt(async () => {
    if (message.type === TIM.TYPES.MSG_TEXT) recalled.set(message.ID, bodyOf(message, texts()));
    const { data } = await tim.revokeMessage(message);
    if (chat && chat.id === message.conversationID) {
      merge([data.message]);
      renderMessages();
    }
  });
}

function editAgain(id) {
  const typed = $('input').value;
  $('input').value = (typed ? typed + '\n' : '') + recalled.get(id);
  fitInput();
  $('input').focus();
}

async function removeMessage(message) {
  if (!(await ask(t('askDeleteMessage'), t('delete')))) return;
  await attempt(async () => {
    if (message.status === 'success') await tim.deleteMessage([message]);
    withUnsent(message.conversationID, (list) => list.filter((one) => one.ID !== message.ID));
    if (!chat || chat.id !== message.conversationID) return;
    chat.messages = chat.messages.filter((one) => one.ID !== message.ID);
    renderMessages();
  });
}

// A large file takes a while, in which one may think better of it.
function cancelSending(message) {
  return attempt(async () => {
    await tim.deleteMessage([message]);
    withUnsent(message.conversationID, (list) => list.filter((one) => one.ID !== message.ID));
  });
}

function messageItems(id) {
  const message = chat.messages.find((one) => one.ID === id);
  const items = [];
  if (!message || message.isRevoked) return items;
  const arrived = message.status === 'success';
  // By the server's clock, which is also that of the message.
  const recent = tim.getServerTime() - message.time < RECALL_SECONDS;
  if (message.type === TIM.TYPES.MSG_TEXT && navigator.clipboard) {
    items.push({ label: t('copy'), testid: 'copy', run: () => attempt(() => navigator.clipboard.writeText(bodyOf(message, texts()))) });
  }
  const inGroup = isGroup(message.conversationID);
  if (arrived && ((message.flow === 'out' && recent) || (inGroup && tools.isManager(message.conversationID)))) {
    items.push({ label: t('recall'), testid: 'recall', run: () => recallMessage(message) });
  }
  if (message.status === 'fail' && !sending.has(id)) {
    items.push({ label: t('resend'), testid: 'menu-resend', run: () => resendMessage(id) });
  }
  if (uploaded.has(id)) {
    items.push({ label: t('cancelSending'), testid: 'cancel-sending', danger: true, run: () => cancelSending(message) });
  }
  // What has arrived in a group is not gone for one user alone.
  if (!sending.has(id) && !(inGroup && arrived)) {
    items.push({ label: t('delete'), testid: 'delete-message', danger: true, run: () => removeMessage(message) });
  }
  return items;
}

onPress($('messages'), '.bubble', (bubble, at) => {
  const row = bubble.closest('.message');
  const items = messageItems(row.dataset.id);
  if (items.length) openMenu(at, row.parts.more, items);
});

// ---------------------------------------------------------------------------------------------
// The composer and the head of the chat

function fitInput() {
  const input = $('input');
  input.style.height = 'auto';
  input.style.height = Math.min(input.scrollHeight, 132) + 'px';
  const hasText = Boolean(input.value.trim());
  $('send').disabled = !hasText;
  // One place for two buttons: there is something to send, or something can be said.
  $('record').hidden = hasText || !canRecord();
  $('send').hidden = !$('record').hidden;
}

function showEmoji(show) {
  $('emoji-panel').hidden = !show;
  $('emoji').setAttribute('aria-expanded', String(show));
}

$('emoji-panel').append(
  ...EMOJI.map((emoji) => {
    const button = makeButton('', 'emoji-choice', () => {
      $('input').setRangeText(emoji, $('input').selectionStart, $('input').selectionEnd, 'end');
      fitInput();
      if (matchMedia('(pointer: fine)').matches) $('input').focus();
    });
    setText(button, emoji);
    return button;
  }),
);
$('emoji').addEventListener('click', () => showEmoji($('emoji-panel').hidden));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') showEmoji(false);
});
document.addEventListener('pointerdown', (event) => {
  if (!event.target.closest('#emoji-panel, #emoji')) showEmoji(false);
});

$('input').addEventListener('input', (event) => {
  fitInput();
  if (event.data === '@' && ready && isGroup(chat.id)) tools.offerMentions(chat.id);
});
$('input').addEventListener('keydown', (event) => {
  // While an input method is composing, Enter chooses a word.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  sendText();
});
$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  showEmoji(false);
  sendText();
});
// The keyboard of a phone stays open only if the button does not take the focus.
$('send').addEventListener('mousedown', (event) => event.preventDefault());

// ---------------------------------------------------------------------------------------------
// Files: chosen, pasted and dropped

$('attach').addEventListener('click', () => $('files').click());
$('files').addEventListener('change', () => {
  sendFiles(Array.from($('files').files));
  $('files').value = ''; // The same one may be chosen again.
});

$('input').addEventListener('paste', (event) => {
  const { files, types } = event.clipboardData;
  // What an office program copies is text, with a picture of the text beside it.
  if (!files.length || (types.includes('text/plain') && types.includes('text/html'))) return;
  event.preventDefault();
  offerFiles(Array.from(files));
});

let drags = 0; // How many elements the pointer has entered and not left.

function showDrop(depth) {
  drags = depth;
  $('drop').hidden = !depth || !chat;
  if (chat) setText($('drop'), t('dropHere', nameOf(chat.id)));
}

const hasFiles = (event) => event.dataTransfer && event.dataTransfer.types.includes('Files');
// A file that misses the chat is not to open in its place.
['dragenter', 'dragover', 'dragleave', 'drop'].forEach((type) => {
  window.addEventListener(type, (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (type === 'dragenter') showDrop(drags + 1);
    else if (type === 'dragleave') showDrop(Math.max(0, drags - 1));
    else if (type === 'drop') showDrop(0);
  });
});
$('chat').addEventListener('drop', (event) => {
  if (!hasFiles(event)) return;
  // A folder looks like a file, and cannot be read.
  const items = Array.from(event.dataTransfer.items).filter((item) => item.kind === 'file' && !item.webkitGetAsEntry()?.isDirectory);
  offerFiles(items.map((item) => item.getAsFile()).filter(Boolean));
});

// ---------------------------------------------------------------------------------------------
// Voice

let recording = null; // What is being recorded, or 'asked' while the user has not said whether it may be.
let recordTimer = 0;

function showRecorder(show) {
  $('recorder').hidden = !show;
  $('composer').hidden = show;
  clearInterval(recordTimer);
  if (!show) return;
  const started = performance.now();
  const tell = () => setText($('record-time'), clockText(Math.floor((performance.now() - started) / 1000)));
  tell();
  recordTimer = setInterval(tell, 250);
  $('record-send').focus();
}

async function recordVoice() {
  if (recording || !ready || !chat) return;
  const here = chat;
  silence();
  recording = 'asked';
  try {
    recording = await record();
  } catch (error) {
    recording = null;
    toast(t(error.name === 'NotAllowedError' ? 'microphoneBlocked' : 'noMicrophone'));
    return;
  }
  // The user has gone elsewhere in the meantime.
  if (chat === here) showRecorder(true);
  else recording.cancel();
  const file = await recording.file;
  recording = null;
  showRecorder(false);
  if (!file || chat !== here) return;
  $('record').focus();
  if (file.duration < SHORTEST_MS) toast(t('tooShort'));
  else sendMedia('createAudioMessage', file);
}

// What plays or is recorded belongs to the chat that is open.
function leaveVoices() {
  silence();
  if (recording && recording !== 'asked') recording.cancel();
}

$('record').addEventListener('click', recordVoice);
$('record-send').addEventListener('click', () => recording.stop());
$('record-cancel').addEventListener('click', () => recording.cancel());
$('recorder').addEventListener('keydown', (event) => {
  if (event.key === 'Escape') recording.cancel();
});

$('scroller').addEventListener('scroll', () => {
  if ($('scroller').scrollTop < 60) loadOlder();
  stuck = atBottom();
  if (stuck) $('newer').hidden = true;
});
$('newer').addEventListener('click', () => {
  $('newer').hidden = true;
  $('scroller').scrollTo({ top: $('scroller').scrollHeight, behavior: 'smooth' });
});
$('back').addEventListener('click', closeChat);
$('chat-menu').addEventListener('click', () => {
  if (isGroup(chat.id)) {
    const items = conversationItems(chat.id);
    return openMenuBelow($('chat-menu'), [...items.slice(0, 1), ...tools.chatItems(chat.id), ...items.slice(1)]);
  }
  const peer = peerOf(chat.id);
  const blocked = blacklist.includes(peer);
  return openMenuBelow($('chat-menu'), [
    ...conversationItems(chat.id).slice(0, 1),
    {
      label: t(blocked ? 'unblock' : 'block'),
      testid: blocked ? 'unblock' : 'block',
      run: () => setBlocked(peer, !blocked),
    },
    ...conversationItems(chat.id).slice(1),
  ]);
});

async function setBlocked(userID, blocked) {
  if (blocked && !(await ask(t('askBlock', userID), t('block')))) return;
  await attempt(async () => {
    const { data } = await (blocked ? tim.addToBlacklist({ userIDList: [userID] }) : tim.removeFromBlacklist({ userIDList: [userID] }));
    blacklist = data;
    renderHead();
  });
}

// ---------------------------------------------------------------------------------------------
// Coming, going, and the network in between

// 'entering' while a login is under way, 'in' until the client says that it is over, otherwise 'out'.
let account = 'out';
let netState = 'connected'; // What the client says.
let trouble = null; // Why nobody is logged in: a function that says so in the language of the page.
let enterWithNetwork = false; // The login failed for want of a network.

function renderConnection() {
  const online = network.isOnline();
  let state = netState;
  if (account === 'out') state = 'loggedOut';
  // The client goes on trying while the network is switched off; for the user it is off.
  else if (!online) state = 'disconnected';
  else if (account === 'entering') state = 'connecting';
  $('state').dataset.state = state;
  setText($('state'), t(state));
  $('network').setAttribute('aria-checked', String(online));
  $('banner').hidden = !trouble;
  setText($('banner-text'), trouble ? trouble() : '');
  $('notice').hidden = account !== 'in' || state === 'connected';
  // Without a connection nobody knows whether the peer is there.
  if (chat && state !== 'connected') {
    chat.online = undefined;
    renderHead();
  }
}

$('network').addEventListener('click', () => {
  network.set(!network.isOnline());
  renderConnection();
  if (network.isOnline() && enterWithNetwork) login();
});
$('log-in').addEventListener('click', login);

async function fetchUser() {
  const response = await fetch('/demo/user?userID=' + encodeURIComponent(me)).catch(({ message }) => {
    throw Object.assign(new Error(message), { code: NETWORK_ERRORS[0] });
  });
  if (!response.ok) throw new Error(t('noUserSig', await response.text()));
  return response.json();
}

// May be called at any time. Whatever ends it, it can be called again.
async function login() {
  if (account !== 'out') return;
  account = 'entering';
  trouble = null;
  enterWithNetwork = false;
  renderConnection();
  try {
    const user = await fetchUser();
    if (!tim) {
      // The list of the last time is shown while this one is under way.
      tim = TIM.create({ SDKAppID: user.SDKAppID, proxyServer: user.proxyServer, cache: true });
      tim.setLogLevel(1);
      listen();
    }
    const { data } = await tim.login({ userID: user.userID, userSig: user.userSig });
    // SDK_READY comes with every other login, and calls this.
    if (data.repeatLogin) enter();
    else if (account === 'entering') account = 'in';
  } catch (error) {
    account = 'out';
    trouble = () => t('loginFailed', explain(error));
    enterWithNetwork = NETWORK_ERRORS.includes(error.code);
  }
  renderConnection();
}

async function enter() {
  ready = true;
  account = 'in';
  netState = 'connected';
  renderConnection();
  const lists = await attempt(() => Promise.all([tim.getConversationList(), tim.getBlacklist()]));
  if (lists) {
    conversations = lists[0].data.conversationList;
    blacklist = lists[1].data;
  }
  renderList();
  const id = chat && chat.id;
  if (id) {
    // What was missed between two logins is part of the history, which starts anew.
    keepDraft();
    chat = null;
    openChat(id);
  } else if (suggested && params.has('open')) openChat('C2C' + suggested);
}

function kickedOut(type) {
  ready = false;
  account = 'out';
  // Only the user knows which of two devices is to stay, but a UserSig that is too old has to be a new one.
  if (type === TIM.TYPES.KICKED_OUT_USERSIG_EXPIRED) return login();
  trouble = () => t(type === TIM.TYPES.KICKED_OUT_REST_API ? 'kickedByServer' : 'kicked');
  return renderConnection();
}

function listen() {
  const { EVENT } = TIM;

  tim.on(EVENT.SDK_READY, enter);
  tim.on(EVENT.SDK_NOT_READY, () => {
    ready = false;
    watched = '';
  });
  tim.on(EVENT.NET_STATE_CHANGE, (event) => {
    netState = event.data.state;
    renderConnection();
    if (netState !== 'connected' || !ready) return;
    if (chat && chat.failed) loadOlder();
    lookAtPeer();
    markRead();
  });
  tim.on(EVENT.CONVERSATION_LIST_UPDATED, (event) => {
    conversations = event.data;
    renderList();
    renderHead();
  });
  tim.on(EVENT.GROUP_LIST_UPDATED, (event) => {
    tools.listUpdated(event.data);
    // The group was left on another device, or this user was put out of it.
    if (chat && isGroup(chat.id) && !tools.groupOf(chat.id)) {
      toast(t('groupGone'));
      closeChat();
    }
    renderList();
    renderHead();
  });
  tim.on(EVENT.MESSAGE_RECEIVED, (event) => {
    event.data.filter((message) => message.type === TIM.TYPES.MSG_GRP_SYS_NOTICE).forEach((message) => tools.noticed(message));
    const here = event.data.filter((message) => chat && message.conversationID === chat.id);
    if (!here.length) return;
    const reading = atBottom();
    merge(here);
    renderMessages();
    announce(here);
    $('newer').hidden = reading;
    markRead();
    if (here.some((message) => message.flow === 'in') && !chat.online) lookAtPeer();
  });
  // Both bring messages that are on the screen already, with a new state.
  [EVENT.MESSAGE_REVOKED, EVENT.MESSAGE_READ_BY_PEER, EVENT.MESSAGE_MODIFIED].forEach((name) => {
    tim.on(name, (event) => {
      if (!chat) return;
      const known = new Set(chat.messages.map((message) => message.ID));
      merge(event.data.filter((message) => known.has(message.ID)));
      renderMessages();
    });
  });
  tim.on(EVENT.BLACKLIST_UPDATED, (event) => {
    blacklist = event.data;
    renderHead();
  });
  tim.on(EVENT.USER_STATUS_UPDATED, (event) => statusUpdated(event.data));
  tim.on(EVENT.KICKED_OUT, (event) => kickedOut(event.data.type));
  tim.on(EVENT.ERROR, (event) => {
    // These two say that there is no network, which the page shows already.
    if (event.data.code !== 2800 && event.data.code !== 2999) toast(explain(event.data));
  });
}

document.addEventListener('visibilitychange', () => {
  markRead();
  if (document.visibilityState === 'visible') lookAtPeer();
});
// A frame that was hidden and is shown again has got a size.
window.addEventListener('resize', markRead);

// In a frame, the page around it has the switch of the language.
$('language').hidden = window.parent !== window;
setAvatar($('my-avatar'), me, me);
setText($('my-name'), me);
speak(() => {
  closeMenu();
  renderConnection();
  renderList();
  renderHead();
  renderMessages();
});
login();
