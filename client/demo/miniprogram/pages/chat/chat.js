const TIM = require('../../lib/tim');
const format = require('../../utils/format');
const groups = require('../../utils/group');
const listOf = require('../../utils/list');
const listen = require('../../utils/listen');
const media = require('../../utils/media');
const recorder = require('../../utils/recorder');
const sizeOf = require('../../utils/text').sizeOf;

const PAGE_SIZE = 15;
const INPUT_BYTES = 8192; // A longer text is not put back into the input.
const MOST_FILES = 9;
const STEP = 5; // Progress is shown in steps of so many percent: each of them is a call of setData.
const CANCEL_PX = 60; // A finger that has moved up so far does not want to send what it has recorded.

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
    isVoice: false,
    recording: '', // '', 'on', or 'off' when letting go would cancel it.
    online: '',
    blocked: false,
    isGroup: false,
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
    page.isGroup = format.isGroup(page.conversationID);
    page.key = page.me + '>' + page.conversationID;
    page.mentions = [];
    // The messages themselves stay here. What is given to setData is made of them, and is plain.
    page.messages = unsent[page.key] || [];
    page.list = listOf(page);
    page.notes = { sending: {}, refused: {}, recalled: {}, progress: {}, local: {}, sizes: {}, playing: '' };
    page.messages.forEach(function (message) {
      if (message.status !== 'fail') page.notes.sending[message.ID] = true;
    });
    page.told = 0;
    page.cursor = '';
    page.isAtEnd = true;
    openPages[page.key] = page;
    page.stop = listen(page.tim, page.handlers());
    page.setData({ blocked: !page.isGroup && app.blacklist.indexOf(page.peer) >= 0, isGroup: page.isGroup, state: app.netState });
    page.showTitle();
    page.render('end');
    page.markRead();
    page.loadState();
    return page.loadOlder();
  },

  onShow: function () {
    if (this.isShown) return;
    this.isShown = true;
    if (!this.tim) return;
    this.markRead();
    const mentioned = getApp().mentioned;
    getApp().mentioned = null;
    if (mentioned && this.isGroup) this.mention(mentioned);
  },

  // Names somebody in the input.
  mention: function (who) {
    this.mentions.push(who);
    this.write(this.draft.replace(/@$/, '') + '@' + who.name + ' ');
  },

  // What the chat is called. A group that this user is not in any more has no chat.
  showTitle: function () {
    if (!this.isGroup) {
      wx.setNavigationBarTitle({ title: this.peer });
      return;
    }
    const group = getApp().groups[this.peer];
    if (!group) {
      wx.reLaunch({ url: '/pages/conversations/conversations' });
      return;
    }
    wx.setNavigationBarTitle({ title: groups.nameOf(group.name, group.groupID) + '（' + group.memberNum + '）' });
  },

  openGroup: function () {
    wx.navigateTo({ url: '/pages/group/group?groupID=' + encodeURIComponent(this.peer) });
  },

  onHide: function () {
    this.isShown = false;
    if (!this.tim) return;
    this.endRecording(true);
    this.silence();
  },

  onUnload: function () {
    this.isGone = true;
    if (!this.tim) return;
    this.stop();
    this.endRecording(true);
    if (this.player) this.player.destroy();
    if (openPages[this.key] !== this) return;
    delete openPages[this.key];
    if (!this.isGroup) this.tim.unsubscribeUserStatus({ userIDList: [this.peer] }).catch(function () {});
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
    handlers[TIM.EVENT.GROUP_LIST_UPDATED] = function () {
      page.showTitle();
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
    if (page.isGroup) return Promise.resolve();
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
    // Those who were named and are still in the text.
    const atUserList = this.mentions.filter(function (who) { return text.indexOf('@' + who.name) >= 0; })
      .map(function (who) { return who.userID; });
    this.mentions = [];
    const message = atUserList.length
      ? this.tim.createTextAtMessage(this.addressed({ text: text, atUserList: atUserList }))
      : this.tim.createTextMessage(this.addressed({ text: text }));
    return this.deliver(message, this.tim.sendMessage(message));
  },

  // What a builder takes, for this chat.
  addressed: function (payload) {
    return { to: this.peer, conversationType: this.isGroup ? TIM.TYPES.CONV_GROUP : TIM.TYPES.CONV_C2C, payload: payload };
  },

  // `builder` is the name of the method that makes a message of what WeChat has chosen or recorded.
  sendMedia: function (builder, file) {
    const page = this;
    const message = page.tim[builder](Object.assign(page.addressed({ file: file }), {
      onProgress: function (part) {
        (openPages[page.key] || page).progressed(message.ID, part);
      },
    }));
    const shown = media.of(message);
    if (shown && shown.src) page.notes.local[message.ID] = shown.src;
    return page.deliver(message, page.tim.sendMessage(message));
  },

  // So much of a file has gone up or come down, from 0 to 1.
  progressed: function (id, part) {
    const percent = Math.floor((part * 100) / STEP) * STEP;
    if (this.notes.progress[id] === percent) return;
    this.notes.progress[id] = percent;
    this.render('');
  },

  attach: function () {
    const page = this;
    if (!page.tim) return;
    const choices = [
      ['图片', function () { page.choose('chooseMedia', { count: MOST_FILES, mediaType: ['image'] }, 'createImageMessage'); }],
      ['视频', function () { page.choose('chooseMedia', { count: 1, mediaType: ['video'] }, 'createVideoMessage'); }],
      ['文件', function () { page.choose('chooseMessageFile', { count: MOST_FILES, type: 'all' }, 'createFileMessage'); }],
    ];
    wx.showActionSheet({
      itemList: choices.map(function (choice) { return choice[0]; }),
      success: function (choice) { choices[choice.tapIndex][1](); },
    });
  },

  // Each of several files is a message of its own.
  choose: function (chooser, options, builder) {
    const page = this;
    wx[chooser](Object.assign({}, options, {
      success: function (result) {
        result.tempFiles.forEach(function (file) {
          page.sendMedia(builder, { tempFiles: [file] });
        });
      },
      fail: function (error) {
        // A user who has chosen nothing knows that. Anything else is missing in the console: see the README.
        if (!/cancel/.test(error.errMsg)) page.complain({ message: error.errMsg });
      },
    }));
  },

  toggleVoice: function () {
    this.setData({ isVoice: !this.data.isVoice });
  },

  startRecording: function (event) {
    const page = this;
    if (!page.tim || page.data.recording) return;
    page.silence();
    page.touchedAt = event.touches[0].clientY;
    page.setData({ recording: 'on' });
    const over = function () {
      if (!page.isGone && page.data.recording) page.setData({ recording: '' });
    };
    recorder.start(
      function (result) {
        over();
        page.sendMedia('createAudioMessage', result);
      },
      function (why) {
        over();
        page.complain({ message: why });
      },
    );
  },

  moveRecording: function (event) {
    if (!this.data.recording) return;
    const recording = this.touchedAt - event.touches[0].clientY > CANCEL_PX ? 'off' : 'on';
    if (recording !== this.data.recording) this.setData({ recording: recording });
  },

  letGo: function () {
    this.endRecording(this.data.recording === 'off');
  },

  cancelRecording: function () {
    this.endRecording(true);
  },

  endRecording: function (isCancelled) {
    if (!this.data.recording) return;
    recorder.stop(isCancelled);
    this.setData({ recording: '' });
  },

  // A tap on a picture, a voice, a video or a file.
  open: function (event) {
    const message = this.find(event.currentTarget.dataset.id);
    const shown = message && media.of(message);
    if (!shown) return;
    if (shown.kind === 'picture') wx.previewImage({ current: shown.url, urls: this.pictures() });
    if (shown.kind === 'video') wx.previewMedia({ sources: [{ url: shown.url, type: 'video', poster: shown.src }] });
    if (shown.kind === 'voice') this.play(message.ID, shown.url);
    if (shown.kind === 'file') this.openFile(message.ID, shown);
  },

  // From one picture the user can go on to the others.
  pictures: function () {
    return this.messages
      .map(media.of)
      .filter(function (shown) { return shown && shown.kind === 'picture'; })
      .map(function (shown) { return shown.url; });
  },

  // A picture has come whose message does not say how large it is.
  loaded: function (event) {
    const id = event.currentTarget.dataset.id;
    const message = this.find(id);
    const shown = message && media.of(message);
    if (!shown || shown.width || this.notes.sizes[id]) return;
    this.notes.sizes[id] = { width: Number(event.detail.width), height: Number(event.detail.height) };
    this.render(this.isAtEnd ? 'end' : '');
  },

  // One voice at a time; the one that plays is stopped.
  play: function (id, url) {
    const isPlaying = this.notes.playing === id;
    this.silence();
    if (isPlaying) return;
    if (!this.player) this.makePlayer();
    this.notes.playing = id;
    this.player.src = url;
    this.player.play();
    this.render('');
  },

  makePlayer: function () {
    const page = this;
    // The switch on the side of a phone is for what nobody has asked to hear.
    wx.setInnerAudioOption({ obeyMuteSwitch: false });
    page.player = wx.createInnerAudioContext();
    page.player.onEnded(function () {
      page.silence();
    });
    page.player.onError(function () {
      page.silence();
      page.complain({ message: '播放不了' });
    });
  },

  silence: function () {
    if (!this.notes.playing) return;
    this.notes.playing = '';
    this.player.stop();
    this.render('');
  },

  // Nothing is downloaded before somebody asks for it.
  openFile: function (id, shown) {
    const page = this;
    const type = media.documentType(shown.name);
    if (page.notes.progress[id] !== undefined) return;
    if (!type) {
      page.offerLink(shown.url);
      return;
    }
    const over = function () {
      delete page.notes.progress[id];
      page.render('');
    };
    const failed = function (error) {
      page.complain({ message: '没有打开：' + error.errMsg });
    };
    page.notes.progress[id] = 0;
    page.render('');
    wx.downloadFile({
      url: shown.url,
      success: function (result) {
        if (result.statusCode !== 200) return failed({ errMsg: String(result.statusCode) });
        return wx.openDocument({ filePath: result.tempFilePath, fileType: type, showMenu: true, fail: failed });
      },
      fail: failed,
      complete: over,
    }).onProgressUpdate(function (event) {
      page.progressed(id, event.progress / 100);
    });
  },

  offerLink: function (url) {
    wx.showModal({
      title: '微信打不开这种文件',
      content: '可以复制链接，到浏览器里下载。',
      confirmText: '复制链接',
      success: function (answer) {
        if (answer.confirm) wx.setClipboardData({ data: url });
      },
    });
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
    if (media.of(message)) page.notes.progress[message.ID] = 0;
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
    delete this.notes.progress[message.ID];
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
    if (!message || message.isRevoked) return;
    const isSending = page.notes.sending[message.ID];
    // A text is gone in a moment. A large file takes a while, in which one may think better of it.
    if (isSending && !media.of(message)) return;
    const items = [];
    if (isSending) items.push(['取消发送', function () { page.cancelSending(message); }]);
    if (message.type === TIM.TYPES.MSG_TEXT) {
      items.push(['复制', function () { wx.setClipboardData({ data: format.bodyOf(message) }); }]);
    }
    const role = page.isGroup && (getApp().groups[page.peer] || { selfInfo: {} }).selfInfo.role;
    const mayRecall = message.status === 'success' && (role === 'Owner' || role === 'Admin');
    if (mayRecall || format.canRecall(message, page.tim.getServerTime())) items.push(['撤回', function () { page.recall(message); }]);
    // What has arrived in a group is not gone for one user alone.
    if (!isSending && !(page.isGroup && message.status === 'success')) items.push(['删除', function () { page.askToRemove(message); }]);
    if (!items.length) return;
    wx.showActionSheet({
      itemList: items.map(function (item) { return item[0]; }),
      success: function (choice) { items[choice.tapIndex][1](); },
    });
  },

  cancelSending: function (message) {
    this.forget(message.ID);
    return this.tim.deleteMessage([message]).catch(this.complain);
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
