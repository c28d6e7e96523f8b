const TIM = require('../../lib/tim');
const format = require('../../utils/format');
const listOf = require('../../utils/list');
const listen = require('../../utils/listen');
const sizeOf = require('../../utils/text').sizeOf;

const PAGE_SIZE = 15;
const INPUT_BYTES = 8192; // A longer text is not put back into the input.

// What has not arrived outlives the page: a user who goes back to the list and returns finds it again.
const unsent = {};
// The page of each chat that is open, for what comes back after somebody has left and returned.
const openPages = {};

function statusText(status) {
  // Of a stranger, and of who has blocked this user, nobody says it.
  if (!status) return '';
  return status.statusType === TIM.TYPES.USER_STATUS_ONLINE ? '在线' : '不在线';
}

Page({
  data: {
    slots: [],
    order: [],
    input: '',
    hasInput: false,
    online: '',
    blocked: false,
    loading: false,
    complete: false,
    hasNewer: false,
    state: 'connected',
    scrollInto: '',
  },

  onLoad: function (query) {
    const page = this;
    page.isShown = true;
    page.draft = '';
    return getApp().whenIn(page, query).then(function (isIn) {
      if (!isIn || page.isGone) return undefined;
      page.conversationID = format.conversationOf(query);
      if (page.conversationID) return page.start();
      return wx.reLaunch({ url: '/pages/conversations/conversations' });
    });
  },

  // Somebody is logged in.
  start: function () {
    const page = this;
    const app = getApp();
    page.tim = app.tim;
    page.me = app.userID;
    page.peer = format.peerOf(page.conversationID);
    page.key = page.me + '>' + page.peer;
    // The messages themselves stay here. What is given to setData is made of them, and is plain.
    page.messages = unsent[page.key] || [];
    page.list = listOf(page);
    page.notes = { sending: {}, refused: {}, recalled: {} };
    page.messages.forEach(function (message) {
      if (message.status !== 'fail') page.notes.sending[message.ID] = true;
    });
    page.told = 0;
    page.cursor = '';
    page.isAtEnd = true;
    openPages[page.key] = page;
    page.stop = listen(page.tim, page.handlers());
    wx.setNavigationBarTitle({ title: page.peer });
    page.setData({ blocked: app.blacklist.indexOf(page.peer) >= 0, state: app.netState });
    page.render('end');
    page.markRead();
    page.loadState();
    return page.loadOlder();
  },

  onShow: function () {
    if (this.isShown) return;
    this.isShown = true;
    if (this.tim) this.markRead();
  },

  onHide: function () {
    this.isShown = false;
  },

  onUnload: function () {
    this.isGone = true;
    if (!this.tim) return;
    this.stop();
    if (openPages[this.key] !== this) return;
    delete openPages[this.key];
    this.tim.unsubscribeUserStatus({ userIDList: [this.peer] }).catch(function () {});
  },

  handlers: function () {
    const page = this;
    const changed = function (event) {
      page.replace(event.data);
    };
    const handlers = {};
    handlers[TIM.EVENT.MESSAGE_RECEIVED] = function (event) {
      page.receive(event.data);
    };
    handlers[TIM.EVENT.MESSAGE_REVOKED] = changed;
    handlers[TIM.EVENT.MESSAGE_READ_BY_PEER] = changed;
    handlers[TIM.EVENT.NET_STATE_CHANGE] = function (event) {
      page.setData({ state: event.data.state });
      if (event.data.state === TIM.TYPES.NET_STATE_CONNECTED) return page.loadState();
      // Without a connection nobody knows whether the peer is there.
      page.told += 1;
      return page.setData({ online: '' });
    };
    handlers[TIM.EVENT.USER_STATUS_UPDATED] = function (event) {
      page.statusUpdated(event.data);
    };
    handlers[TIM.EVENT.BLACKLIST_UPDATED] = function (event) {
      page.setData({ blocked: event.data.indexOf(page.peer) >= 0 });
    };
    return handlers;
  },

  // Shows what is known. `scrollInto` is the id of what has to be in view; '' leaves the view alone.
  render: function (scrollInto) {
    if (this.isGone) return;
    // The same id twice in a row would not scroll.
    if (scrollInto && this.data.scrollInto === scrollInto) this.setData({ scrollInto: '' });
    this.list.show(format.messageRows(this.messages, this.me, this.notes), scrollInto ? { scrollInto: scrollInto } : {});
  },

  complain: function (error) {
    wx.showToast({ title: format.explain(error), icon: 'none' });
  },

  find: function (id) {
    return this.messages.filter(function (message) {
      return message.ID === id;
    })[0];
  },

  add: function (messages) {
    this.messages = format.merge(this.messages, messages, this.notes.sending);
  },

  // Messages that are on the screen already, with a new state.
  replace: function (messages) {
    const page = this;
    const known = messages.filter(function (message) {
      return page.find(message.ID);
    });
    if (!known.length) return;
    page.add(known);
    page.render('');
  },

  receive: function (messages) {
    const page = this;
    const here = messages.filter(function (message) {
      return message.conversationID === page.conversationID;
    });
    if (!here.length) return;
    page.add(here);
    // A user who reads what is further up stays there.
    page.render(page.isAtEnd ? 'end' : '');
    if (!page.isAtEnd) page.setData({ hasNewer: true });
    page.markRead();
  },

  scrolled: function (event) {
    if (event.detail.deltaY > 0) this.isAtEnd = false;
  },

  reachedEnd: function () {
    this.isAtEnd = true;
    if (this.data.hasNewer) this.setData({ hasNewer: false });
  },

  goToEnd: function () {
    this.reachedEnd();
    this.render('end');
  },

  // A page that is behind another one, or an app in the background, reads nothing.
  markRead: function () {
    if (!this.isShown) return;
    this.tim.setMessageRead({ conversationID: this.conversationID }).catch(function () {});
  },

  // Is the peer there? This is a look; what changes after it is told. The client keeps the subscription.
  loadState: function () {
    const page = this;
    const users = { userIDList: [page.peer] };
    page.tim.subscribeUserStatus(users).catch(page.complain);
    const told = page.told;
    const show = function (text) {
      // What was told meanwhile is newer.
      if (!page.isGone && page.told === told) page.setData({ online: text });
    };
    return page.tim.getUserStatus(users).then(
      function (result) {
        show(statusText(result.data.successUserList[0]));
      },
      function () {
        show('');
      },
    );
  },

  statusUpdated: function (statuses) {
    const page = this;
    statuses.forEach(function (status) {
      if (status.userID !== page.peer) return;
      page.told += 1;
      page.setData({ online: statusText(status) });
    });
  },

  loadOlder: function () {
    const page = this;
    if (!page.tim || page.data.loading || page.data.complete) return Promise.resolve();
    const isFirst = page.cursor === '';
    const top = page.messages[0];
    page.setData({ loading: true });
    return page.tim
      .getMessageList({ conversationID: page.conversationID, nextReqMessageID: page.cursor, count: PAGE_SIZE })
      .then(
        function (result) {
          if (page.isGone) return;
          page.cursor = result.data.nextReqMessageID;
          page.add(result.data.messageList);
          page.setData({ loading: false, complete: result.data.isCompleted });
          // Older messages come in above: the one that was on top stays where the reader is.
          page.render(isFirst || !top ? 'end' : 'm-' + top.ID);
        },
        function (error) {
          if (page.isGone) return;
          page.setData({ loading: false });
          page.complain(error);
        },
      );
  },

  // What is typed is in the input already; the page has to know whether there is something to send.
  type: function (event) {
    this.draft = event.detail.value;
    const hasInput = this.draft.trim() !== '';
    if (hasInput !== this.data.hasInput) this.setData({ hasInput: hasInput });
  },

  write: function (text) {
    // The input takes what differs from what it was given before, whatever was typed since.
    if (this.data.input === text) this.setData({ input: text + ' ' });
    this.draft = text;
    this.setData({ input: text, hasInput: text !== '' });
  },

  send: function () {
    const text = this.draft.trim();
    if (!text || !this.tim) return undefined;
    this.write('');
    const message = this.tim.createTextMessage({
      to: this.peer,
      conversationType: TIM.TYPES.CONV_C2C,
      payload: { text: text },
    });
    return this.deliver(message, this.tim.sendMessage(message));
  },

  resend: function (event) {
    const message = this.find(event.currentTarget.dataset.id);
    if (!message || message.status !== 'fail' || this.notes.sending[message.ID]) return undefined;
    return this.deliver(message, this.tim.resendMessage(message));
  },

  deliver: function (message, promise) {
    const page = this;
    const others = (unsent[page.key] || []).filter(function (one) {
      return one.ID !== message.ID;
    });
    unsent[page.key] = others.concat([message]);
    page.notes.sending[message.ID] = true;
    delete page.notes.refused[message.ID];
    page.add([message]);
    page.render('end');
    return promise.then(
      function (result) {
        const here = openPages[page.key] || page;
        page.forget(message.ID);
        here.settle(result.data.message, '');
        // Presence is for those who have a conversation, which may have begun with this message.
        if (!here.data.online) here.loadState();
      },
      function (error) {
        message.status = 'fail';
        (openPages[page.key] || page).settle(message, format.explain(error));
      },
    );
  },

  settle: function (message, reason) {
    delete this.notes.sending[message.ID];
    if (reason) this.notes.refused[message.ID] = reason;
    this.add([message]);
    this.render('');
  },

  forget: function (id) {
    unsent[this.key] = (unsent[this.key] || []).filter(function (message) {
      return message.ID !== id;
    });
  },

  showMenu: function (event) {
    const page = this;
    const message = page.find(event.currentTarget.dataset.id);
    if (!message || message.isRevoked || page.notes.sending[message.ID]) return;
    const items = [];
    if (message.type === TIM.TYPES.MSG_TEXT) {
      items.push(['复制', function () { wx.setClipboardData({ data: format.bodyOf(message) }); }]);
    }
    if (format.canRecall(message)) items.push(['撤回', function () { page.recall(message); }]);
    items.push(['删除', function () { page.askToRemove(message); }]);
    wx.showActionSheet({
      itemList: items.map(function (item) { return item[0]; }),
      success: function (choice) { items[choice.tapIndex][1](); },
    });
  },

  recall: function (message) {
    const page = this;
    // The text is gone from the message once it is recalled; 重新编辑 needs it.
    const text = format.bodyOf(message);
    const canEdit = message.type === TIM.TYPES.MSG_TEXT && sizeOf(text) <= INPUT_BYTES;
    return page.tim.revokeMessage(message).then(function (result) {
      if (canEdit) page.notes.recalled[message.ID] = text;
      page.add([result.data.message]);
      page.render('');
    }, page.complain);
  },

  editAgain: function (event) {
    const text = this.notes.recalled[event.currentTarget.dataset.id];
    const both = this.draft + text;
    this.write(sizeOf(both) <= INPUT_BYTES ? both : text);
  },

  askToRemove: function (message) {
    const page = this;
    wx.showModal({
      title: '删除这条消息？',
      content: '只从你这里消失，对方那里不变。',
      confirmText: '删除',
      success: function (answer) {
        if (answer.confirm) page.remove(message);
      },
    });
  },

  remove: function (message) {
    const page = this;
    // The server has never heard of a message that failed.
    const removed = message.status === 'success' ? page.tim.deleteMessage([message]) : Promise.resolve();
    return removed.then(function () {
      page.forget(message.ID);
      page.messages = page.messages.filter(function (one) {
        return one.ID !== message.ID;
      });
      page.render('');
    }, page.complain);
  },

  toggleBlocked: function () {
    const page = this;
    if (!page.tim) return undefined;
    if (page.data.blocked) return page.setBlocked(false);
    wx.showModal({
      title: '拉黑 ' + page.peer + '？',
      content: '在你把对方移出黑名单之前，你们都不能给对方发消息。',
      confirmText: '拉黑',
      success: function (answer) {
        if (answer.confirm) page.setBlocked(true);
      },
    });
    return undefined;
  },

  setBlocked: function (blocked) {
    const page = this;
    const users = { userIDList: [page.peer] };
    const done = blocked ? page.tim.addToBlacklist(users) : page.tim.removeFromBlacklist(users);
    return done.then(function (result) {
      getApp().blacklist = result.data;
      page.setData({ blocked: blocked });
    }, page.complain);
  },
});
