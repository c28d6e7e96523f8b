// One user's chat, written against the API of tim-wx-sdk: TIM.create, login, on, sendMessage and so
// on. Whatever somebody typed reaches the page by textContent alone, never as HTML.
(function () {
  'use strict';

  const RECALL_SECONDS = 120;
  const GAP_SECONDS = 300; // Messages that are further apart than this get a line with the time.
  const NETWORK_ERRORS = [2800, 2801, 2805];
  const EMOJI = '😀 😂 🥰 😎 🤔 😭 😴 🙏 👍 👏 💪 🎉 ❤️ 🌹 ☕ 🪿'.split(' ');
  const TYPE_NAMES = {
    TIMImageElem: '[图片]',
    TIMSoundElem: '[语音]',
    TIMFileElem: '[文件]',
    TIMVideoFileElem: '[视频]',
    TIMLocationElem: '[位置]',
    TIMRelayElem: '[聊天记录]',
  };

  const $ = (id) => document.getElementById(id);
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
  const refused = new Map(); // ID -> the code with which sending failed
  const recalled = new Map(); // ID -> the text that was in it, for 重新编辑
  const drafts = new Map(); // conversationID -> what is in the composer

  // ---------------------------------------------------------------------------------------------
  // Small helpers

  function make(tag, className, testid) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (testid) node.dataset.testid = testid;
    return node;
  }

  function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', '#i-' + name);
    svg.append(use);
    return svg;
  }

  // Writing the same text again would make a screen reader say it again.
  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function setBadge(node, count) {
    node.hidden = !count;
    setText(node, count > 99 ? '99+' : String(count || ''));
  }

  function setAvatar(node, userID, name) {
    let hash = 0;
    for (const letter of userID) hash = (hash * 31 + letter.codePointAt(0)) % 997;
    node.dataset.hue = String(hash % 6);
    setText(node, (Array.from(name)[0] || '?').toUpperCase());
  }

  // Puts exactly these nodes into the parent, in this order, and moves only those that have to be
  // moved, so that focus, scrolling and live regions are left in peace.
  function place(parent, nodes) {
    const wanted = new Set(nodes);
    for (const child of Array.from(parent.children)) if (!wanted.has(child)) child.remove();
    nodes.forEach((node, index) => {
      if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] || null);
    });
  }

  const peerOf = (conversationID) => conversationID.replace(/^C2C/, '');
  const conversationOf = (conversationID) => conversations.find((one) => one.conversationID === conversationID);

  function nameOf(conversationID) {
    const conversation = conversationOf(conversationID);
    const profile = conversation && conversation.userProfile;
    return (conversation && conversation.remark) || (profile && profile.nick) || peerOf(conversationID);
  }

  function timeText(seconds, withTime) {
    const then = new Date(seconds * 1000);
    const now = new Date();
    const clock = String(then.getHours()).padStart(2, '0') + ':' + String(then.getMinutes()).padStart(2, '0');
    const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
    const days = Math.round((midnight(now) - midnight(then)) / 86400000);
    if (days <= 0) return clock;
    let day = then.getMonth() + 1 + '月' + then.getDate() + '日';
    if (days === 1) day = '昨天';
    else if (days < 7) day = '星期' + '日一二三四五六'[then.getDay()];
    else if (then.getFullYear() !== now.getFullYear()) day = then.getFullYear() + '年' + day;
    return withTime ? day + ' ' + clock : day;
  }

  function bodyOf(message) {
    const payload = message.payload || {};
    if (message.type === TIM.TYPES.MSG_TEXT) return payload.text || '';
    if (message.type === TIM.TYPES.MSG_FACE) return payload.data || '[表情]';
    if (message.type === TIM.TYPES.MSG_CUSTOM) return payload.description || '[自定义消息]';
    return TYPE_NAMES[message.type] || '[消息]';
  }

  const recallText = (own) => (own ? '你撤回了一条消息' : '对方撤回了一条消息');
  const onlyEmoji = (text) => /^(\p{Extended_Pictographic}[\uFE0F\u200D]*){1,3}$/u.test(text);

  function explain(error) {
    const known = {
      2501: '没有这个用户',
      20007: '你已被对方拉黑，消息没有送达',
      20016: '超过两分钟，不能撤回了',
      80002: '消息太长了',
      93000: '消息太长了',
    };
    const code = error && error.code;
    if (NETWORK_ERRORS.includes(code)) return '网络不通，请稍后再试';
    return known[code] || '没有成功：' + ((error && error.message) || '未知的错误') + (code ? '（' + code + '）' : '');
  }

  let toastTimer = 0;
  function toast(text) {
    const node = $('toast');
    setText(node, text);
    node.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => {
      node.hidden = true;
    }, 3500);
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

  function ask(text, yes) {
    const dialog = $('dialog');
    setText($('dialog-text'), text);
    setText($('dialog-yes'), yes);
    return new Promise((resolve) => {
      const done = (answer) => () => dialog.close(answer);
      $('dialog-yes').onclick = done('yes');
      $('dialog-no').onclick = done('no');
      dialog.onclose = () => resolve(dialog.returnValue === 'yes');
      dialog.returnValue = 'no';
      dialog.showModal();
    });
  }

  // ---------------------------------------------------------------------------------------------
  // Menus: by the button that appears on hover, by the right mouse button, by a long press

  let menuOwner = null;

  function closeMenu() {
    if ($('menu').hidden) return;
    $('menu').hidden = true;
    if (menuOwner && menuOwner.isConnected) menuOwner.focus({ preventScroll: true });
    menuOwner = null;
  }

  function openMenu(at, owner, items) {
    const menu = $('menu');
    menuOwner = owner;
    menu.replaceChildren(
      ...items.map((item) => {
        const button = make('button', item.danger ? 'danger' : '', item.testid);
        button.type = 'button';
        button.setAttribute('role', 'menuitem');
        setText(button, item.label);
        button.addEventListener('click', () => {
          closeMenu();
          item.run();
        });
        return button;
      }),
    );
    menu.hidden = false;
    const box = menu.getBoundingClientRect();
    menu.style.left = Math.max(8, Math.min(at.x, innerWidth - box.width - 8)) + 'px';
    menu.style.top = Math.max(8, at.y + box.height + 8 > innerHeight ? at.y - box.height : at.y) + 'px';
    menu.firstElementChild.focus({ preventScroll: true });
  }

  function openMenuBelow(button, items) {
    const box = button.getBoundingClientRect();
    openMenu({ x: box.right - 132, y: box.bottom + 4 }, button, items);
  }

  $('menu').addEventListener('keydown', (event) => {
    const buttons = Array.from($('menu').children);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
    }
    if (event.key === 'Tab') closeMenu();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      closeMenu();
      showEmoji(false);
    }
  });
  document.addEventListener('pointerdown', (event) => {
    if (!$('menu').contains(event.target)) closeMenu();
    if (!event.target.closest('#emoji-panel, #emoji')) showEmoji(false);
  });

  // iOS has no contextmenu event for a long press, so touches are timed here.
  function onPress(parent, selector, handler) {
    let timer = 0;
    let pressed = false;
    const stop = () => clearTimeout(timer);
    parent.addEventListener('contextmenu', (event) => {
      const target = event.target.closest(selector);
      if (!target || String(getSelection())) return;
      event.preventDefault();
      stop();
      handler(target, { x: event.clientX, y: event.clientY });
    });
    parent.addEventListener('pointerdown', (event) => {
      const target = event.target.closest(selector);
      pressed = false;
      if (event.pointerType !== 'touch' || !target) return;
      timer = setTimeout(() => {
        pressed = true;
        handler(target, { x: event.clientX, y: event.clientY });
      }, 500);
    });
    ['pointerup', 'pointercancel', 'pointermove'].forEach((type) => parent.addEventListener(type, stop));
    // The click at the end of a long press is part of the press.
    parent.addEventListener(
      'click',
      (event) => {
        if (pressed) event.stopPropagation();
        pressed = false;
      },
      true,
    );
  }

  // ---------------------------------------------------------------------------------------------
  // The conversation list

  const rows = new Map(); // conversationID -> its <li>

  function makeRow(conversationID) {
    const row = make('li', 'conversation', 'conversation');
    row.dataset.id = conversationID;
    const button = make('button', 'conversation-open');
    button.type = 'button';
    const avatar = make('span', 'avatar');
    avatar.setAttribute('aria-hidden', 'true');
    const name = make('span', 'conversation-name');
    const pin = make('span', 'pin', 'pinned');
    pin.append(icon('pin'));
    pin.setAttribute('role', 'img');
    pin.setAttribute('aria-label', '已置顶');
    const time = make('time', 'conversation-time');
    const preview = make('span', 'conversation-preview', 'preview');
    const badge = make('b', 'badge', 'unread');
    button.append(avatar, name, pin, time, preview, badge);
    button.addEventListener('click', () => openChat(conversationID, true));
    const more = make('button', 'icon-button more', 'conversation-menu');
    more.type = 'button';
    more.append(icon('more'));
    more.addEventListener('click', () => openMenuBelow(more, conversationItems(conversationID)));
    row.append(button, more);
    row.parts = { button, avatar, name, pin, time, preview, badge, more };
    return row;
  }

  function renderRow(conversation) {
    const id = conversation.conversationID;
    if (!rows.has(id)) rows.set(id, makeRow(id));
    const row = rows.get(id);
    const { button, avatar, name, pin, time, preview, badge, more } = row.parts;
    const last = conversation.lastMessage || {};
    const draft = chat && chat.id === id ? '' : drafts.get(id) || '';
    setAvatar(avatar, peerOf(id), nameOf(id));
    setText(name, nameOf(id));
    pin.hidden = !conversation.isPinned;
    setText(time, last.lastTime ? timeText(last.lastTime, false) : '');
    setText(preview, draft ? '[草稿] ' + draft : last.isRevoked ? recallText(last.fromAccount === me) : last.messageForShow || '');
    setBadge(badge, conversation.unreadCount);
    badge.setAttribute('aria-label', conversation.unreadCount + ' 条未读');
    more.setAttribute('aria-label', nameOf(id) + ' 的会话菜单');
    row.toggleAttribute('data-pinned', Boolean(conversation.isPinned));
    button.setAttribute('aria-current', String(Boolean(chat && chat.id === id)));
    return row;
  }

  function renderList() {
    const shown = conversations.filter((one) => one.type === TIM.TYPES.CONV_C2C);
    place($('conversations'), shown.map(renderRow));
    const ids = new Set(shown.map((one) => one.conversationID));
    for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);

    $('no-conversations').hidden = !ready || shown.length > 0;
    $('suggestion').hidden = !suggested;
    setText($('suggestion'), '和 ' + suggested + ' 聊天');

    const total = ready ? tim.getTotalUnreadMessageCount() : 0;
    document.title = (total ? '(' + total + ') ' : '') + me + ' · 鸿雁';
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
        label: pinned ? '取消置顶' : '置顶',
        testid: 'pin',
        run: () => attempt(() => tim.pinConversation({ conversationID, isPinned: !pinned })),
      },
      { label: '删除会话', testid: 'delete-conversation', danger: true, run: () => removeConversation(conversationID) },
    ];
  }

  async function removeConversation(conversationID) {
    if (!(await ask('删除和 ' + nameOf(conversationID) + ' 的会话？聊天记录会从你这里消失，对方那里不变。', '删除'))) return;
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

  $('new-chat').addEventListener('submit', (event) => {
    event.preventDefault();
    const userID = $('new-chat-input').value.trim();
    if (!userID) return;
    if (!/^[\x21-\x7e]{1,32}$/.test(userID)) return toast('用户 ID 是 1 到 32 个英文字母、数字或符号');
    if (userID === me) return toast('这是你自己');
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
    const bubble = make('p', 'bubble', 'text');
    const more = make('button', 'icon-button more', 'message-menu');
    more.type = 'button';
    more.setAttribute('aria-label', '消息菜单');
    more.append(icon('more'));
    more.addEventListener('click', () => openMenuBelow(more, messageItems(message.ID)));
    const mark = make('span', 'read-mark', 'read-mark');
    const spinner = make('span', 'spinner', 'sending');
    spinner.setAttribute('role', 'img');
    spinner.setAttribute('aria-label', '发送中');
    const resend = make('button', 'resend', 'resend');
    resend.type = 'button';
    resend.setAttribute('aria-label', '没有发出，重新发送');
    resend.title = '重新发送';
    resend.append(icon('alert'));
    resend.addEventListener('click', () => resendMessage(message.ID));
    const reason = make('p', 'reason', 'reason');
    const tip = make('p', 'tip', 'recalled');
    const tipText = make('span');
    const again = make('button', 'link', 'reedit');
    again.type = 'button';
    setText(again, '重新编辑');
    again.addEventListener('click', () => editAgain(message.ID));
    tip.append(tipText, ' ', again);
    row.append(avatar, who, bubble, mark, spinner, resend, more, reason, tip);
    row.parts = { avatar, who, bubble, more, mark, spinner, resend, reason, tip, tipText, again };
    return row;
  }

  function renderMessage(message, previous) {
    const id = message.ID;
    if (!chat.nodes.has(id)) chat.nodes.set(id, makeMessage(message));
    const row = chat.nodes.get(id);
    const { avatar, who, bubble, more, mark, spinner, resend, reason, tip, tipText, again } = row.parts;
    const own = message.flow === 'out';
    const waiting = sending.has(id);
    const failed = !waiting && message.status === 'fail';
    const arrived = message.status === 'success';
    const gone = Boolean(message.isRevoked);

    row.dataset.flow = message.flow;
    row.dataset.status = gone ? 'revoked' : waiting ? 'sending' : message.status;
    row.toggleAttribute('data-follows', Boolean(previous && !previous.isRevoked && previous.flow === message.flow));
    tip.hidden = !gone;
    [avatar, who, bubble, more].forEach((node) => {
      node.hidden = gone;
    });
    mark.hidden = gone || !own || !arrived;
    spinner.hidden = gone || !waiting;
    resend.hidden = gone || !failed;
    reason.hidden = gone || !failed || !refused.has(id);
    if (gone) {
      setText(tipText, recallText(own));
      again.hidden = !own || !recalled.has(id);
      return row;
    }
    setAvatar(avatar, own ? me : message.from, own ? me : message.nick || message.from);
    setText(who, (own ? '你' : message.nick || message.from) + '：');
    setText(bubble, bodyOf(message));
    bubble.classList.toggle('jumbo', onlyEmoji(bodyOf(message)));
    bubble.title = timeText(message.time, true);
    setText(mark, message.isPeerRead ? '已读' : '未读');
    mark.toggleAttribute('data-read', Boolean(message.isPeerRead));
    setText(reason, refused.has(id) ? explain({ code: refused.get(id), message: '没有发出' }) : '');
    return row;
  }

  function renderTime(message) {
    const key = 'time-' + message.ID;
    if (!chat.nodes.has(key)) chat.nodes.set(key, make('li', 'time', 'time'));
    setText(chat.nodes.get(key), timeText(message.time, true));
    return chat.nodes.get(key);
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
    setText(
      $('history'),
      chat.failed ? '没有加载成功，上滑再试' : !chat.complete ? '加载中…' : chat.messages.length ? '没有更早的消息了' : '打个招呼吧',
    );

    if (stick) scroller.scrollTop = scroller.scrollHeight;
    else if (hold === 'keep') scroller.scrollTop = scroller.scrollHeight - fromEnd;
    if (stick) $('newer').hidden = true;
    stuck = stick;
  }

  // The window got another size, or the keyboard came up: whoever read the end goes on reading it.
  let stuck = true;
  new ResizeObserver(() => {
    if (stuck) $('scroller').scrollTop = $('scroller').scrollHeight;
  }).observe($('scroller'));

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

  async function refreshPeerState() {
    if (!ready || !chat) return;
    const here = chat;
    try {
      const { data } = await tim.getUserStatus({ userIDList: [peerOf(here.id)] });
      const status = data.successUserList[0];
      here.online = Boolean(status && status.statusType === TIM.TYPES.USER_STATUS_ONLINE);
    } catch (error) {
      here.online = undefined;
    }
    renderHead();
  }

  function renderHead() {
    if (!chat) return;
    const peer = peerOf(chat.id);
    const blocked = blacklist.includes(peer);
    setAvatar($('peer-avatar'), peer, nameOf(chat.id));
    setText($('peer-name'), nameOf(chat.id));
    setText($('peer-state'), blocked ? '已拉黑' : chat.online === undefined ? '' : chat.online ? '在线' : '不在线');
    $('peer-state').dataset.state = blocked ? 'blocked' : chat.online ? 'online' : 'offline';
  }

  function keepDraft() {
    if (chat) drafts.set(chat.id, $('input').value.trim() ? $('input').value : '');
  }

  function openChat(conversationID, focus) {
    keepDraft();
    if (!chat || chat.id !== conversationID) {
      chat = { id: conversationID, messages: [], nodes: new Map(), cursor: '', complete: false, loading: false, failed: false, online: undefined };
      $('messages').replaceChildren();
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
    refreshPeerState();
    // On a touch screen focus would push the keyboard over the messages.
    if (focus && matchMedia('(pointer: fine)').matches) $('input').focus({ preventScroll: true });
  }

  function closeChat() {
    keepDraft();
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
      refused.set(message.ID, error.code);
    }
    sending.delete(message.ID);
    if (chat && chat.id === id) {
      merge([result]);
      renderMessages();
      refreshPeerState();
    }
  }

  function sendText() {
    const text = $('input').value.trim();
    if (!text || !ready || !chat) return;
    $('input').value = '';
    fitInput();
    const message = tim.createTextMessage({
      to: peerOf(chat.id),
      conversationType: TIM.TYPES.CONV_C2C,
      payload: { text },
    });
    deliver(message, (one) => tim.sendMessage(one));
  }

  function resendMessage(id) {
    const message = chat && chat.messages.find((one) => one.ID === id);
    if (message && message.status === 'fail' && !sending.has(id)) return deliver(message, (one) => tim.resendMessage(one));
    return undefined;
  }

  function recallMessage(message) {
    return attempt(async () => {
      if (message.type === TIM.TYPES.MSG_TEXT) recalled.set(message.ID, message.payload.text);
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
    if (!(await ask('删除这条消息？只从你这里消失，对方那里不变。', '删除'))) return;
    await attempt(async () => {
      if (message.status === 'success') await tim.deleteMessage([message]);
      withUnsent(message.conversationID, (list) => list.filter((one) => one.ID !== message.ID));
      if (!chat || chat.id !== message.conversationID) return;
      chat.messages = chat.messages.filter((one) => one.ID !== message.ID);
      renderMessages();
    });
  }

  function messageItems(id) {
    const message = chat.messages.find((one) => one.ID === id);
    const items = [];
    if (!message || message.isRevoked) return items;
    const arrived = message.status === 'success';
    const recent = Date.now() / 1000 - message.time < RECALL_SECONDS;
    if (message.type === TIM.TYPES.MSG_TEXT && navigator.clipboard) {
      items.push({ label: '复制', testid: 'copy', run: () => attempt(() => navigator.clipboard.writeText(message.payload.text)) });
    }
    if (message.flow === 'out' && arrived && recent) {
      items.push({ label: '撤回', testid: 'recall', run: () => recallMessage(message) });
    }
    if (message.status === 'fail' && !sending.has(id)) {
      items.push({ label: '重新发送', testid: 'menu-resend', run: () => resendMessage(id) });
    }
    if (!sending.has(id)) {
      items.push({ label: '删除', testid: 'delete-message', danger: true, run: () => removeMessage(message) });
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
    $('send').disabled = !input.value.trim();
  }

  function showEmoji(show) {
    $('emoji-panel').hidden = !show;
    $('emoji').setAttribute('aria-expanded', String(show));
  }

  $('emoji-panel').append(
    ...EMOJI.map((emoji) => {
      const button = make('button', '', 'emoji-choice');
      button.type = 'button';
      setText(button, emoji);
      button.addEventListener('click', () => {
        $('input').setRangeText(emoji, $('input').selectionStart, $('input').selectionEnd, 'end');
        fitInput();
        if (matchMedia('(pointer: fine)').matches) $('input').focus();
      });
      return button;
    }),
  );
  $('emoji').addEventListener('click', () => showEmoji($('emoji-panel').hidden));

  $('input').addEventListener('input', fitInput);
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
    const peer = peerOf(chat.id);
    const blocked = blacklist.includes(peer);
    openMenuBelow($('chat-menu'), [
      ...conversationItems(chat.id).slice(0, 1),
      {
        label: blocked ? '移出黑名单' : '拉黑',
        testid: blocked ? 'unblock' : 'block',
        run: () => setBlocked(peer, !blocked),
      },
      ...conversationItems(chat.id).slice(1),
    ]);
  });

  async function setBlocked(userID, blocked) {
    if (blocked && !(await ask('拉黑 ' + userID + '？对方再也不能给你发消息，直到你把对方移出黑名单。', '拉黑'))) return;
    await attempt(async () => {
      const { data } = await (blocked ? tim.addToBlacklist({ userIDList: [userID] }) : tim.removeFromBlacklist({ userIDList: [userID] }));
      blacklist = data;
      renderHead();
    });
  }

  // ---------------------------------------------------------------------------------------------
  // The connection

  function setState(told) {
    // The client goes on trying while the network is switched off; for the user it is off.
    const state = window.network.isOnline() || told === 'kicked' ? told : 'disconnected';
    const texts = { connected: '已连接', connecting: '连接中…', disconnected: '未连接', kicked: '已在别处登录' };
    $('state').dataset.state = state;
    setText($('state'), texts[state]);
    const lost = state === 'disconnected' || (state === 'connecting' && ready);
    $('notice').hidden = !lost;
    setText($('notice'), lost ? '网络断开了。现在写的话，恢复后会送到。' : '');
    // Without a connection nobody knows whether the peer is there.
    if (chat && state !== 'connected') {
      chat.online = undefined;
      renderHead();
    }
  }

  // On a narrow screen the list and the chat each have the button.
  const offlineButtons = document.querySelectorAll('[data-offline]');
  offlineButtons.forEach((button) => {
    button.addEventListener('click', () => {
      const online = !window.network.isOnline();
      window.network.set(online);
      offlineButtons.forEach((one) => {
        one.setAttribute('aria-pressed', String(!online));
        setText(one, online ? '离线' : '上线');
        one.title = online ? '模拟断网' : '恢复网络';
      });
      setState(online ? 'connecting' : 'disconnected');
    });
  });

  async function fetchUser() {
    const response = await fetch('/demo/user?userID=' + encodeURIComponent(me));
    if (!response.ok) throw new Error('没有拿到 UserSig');
    return response.json();
  }

  function listen() {
    const { EVENT } = TIM;

    tim.on(EVENT.SDK_READY, async () => {
      ready = true;
      setState('connected');
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
    });
    tim.on(EVENT.SDK_NOT_READY, () => {
      ready = false;
    });
    tim.on(EVENT.NET_STATE_CHANGE, (event) => {
      setState(event.data.state);
      if (event.data.state !== 'connected' || !ready) return;
      if (chat && chat.failed) loadOlder();
      refreshPeerState();
      markRead();
    });
    tim.on(EVENT.CONVERSATION_LIST_UPDATED, (event) => {
      conversations = event.data;
      renderList();
      renderHead();
    });
    tim.on(EVENT.MESSAGE_RECEIVED, (event) => {
      const here = event.data.filter((message) => chat && message.conversationID === chat.id);
      if (!here.length) return;
      const reading = atBottom();
      merge(here);
      renderMessages();
      $('newer').hidden = reading;
      markRead();
      if (here.some((message) => message.flow === 'in') && !chat.online) refreshPeerState();
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
    tim.on(EVENT.KICKED_OUT, (event) => {
      ready = false;
      if (event.data.type === TIM.TYPES.KICKED_OUT_USERSIG_EXPIRED) return void login();
      setState('kicked');
      return void ask('这个账号在别处登录了。', '重新登录').then((again) => again && login());
    });
    tim.on(EVENT.ERROR, (event) => {
      // These two say that there is no network, which the page shows already.
      if (event.data.code !== 2800 && event.data.code !== 2999) toast(explain(event.data));
    });
  }

  async function login() {
    setState('connecting');
    try {
      const user = await fetchUser();
      if (!tim) {
        tim = TIM.create({ SDKAppID: user.SDKAppID, proxyServer: user.proxyServer });
        tim.setLogLevel(1);
        listen();
      }
      await tim.login({ userID: user.userID, userSig: user.userSig });
    } catch (error) {
      setState('disconnected');
      if (await ask('没有登录成功。' + explain(error), '重试')) login();
    }
  }

  document.addEventListener('visibilitychange', () => {
    markRead();
    if (document.visibilityState === 'visible') refreshPeerState();
  });
  // A frame that was hidden and is shown again has got a size.
  window.addEventListener('resize', markRead);

  setAvatar($('my-avatar'), me, me);
  setText($('my-name'), me);
  document.title = me + ' · 鸿雁';
  login();
})();
