const TIM = require('../../lib/tim');
const format = require('../../utils/format');
const listOf = require('../../utils/list');
const listen = require('../../utils/listen');

Page({
  data: {
    me: '',
    suggested: '',
    slots: [],
    order: [],
    newPeer: '',
    loaded: false,
    state: 'connected',
  },

  onLoad: function (query) {
    const page = this;
    page.rows = [];
    page.list = listOf(page);
    page.showList();
    return getApp().whenIn(page, query).then(function (isIn) {
      return isIn && !page.isGone ? page.start() : undefined;
    });
  },

  // Somebody is logged in.
  start: function () {
    const page = this;
    const app = getApp();
    const handlers = {};
    handlers[TIM.EVENT.NET_STATE_CHANGE] = function (event) {
      page.setData({ state: event.data.state });
    };
    page.tim = app.tim;
    page.stop = listen(app.tim, handlers);
    page.setData({ me: app.userID, suggested: app.userID === 'alice' ? 'bob' : 'alice', state: app.netState });
    return page.load();
  },

  onUnload: function () {
    this.isGone = true;
    if (this.tim) this.stop();
  },

  onPullDownRefresh: function () {
    const stop = function () {
      wx.stopPullDownRefresh();
    };
    return this.load().then(stop, stop);
  },

  load: function () {
    const page = this;
    if (!page.tim) return Promise.resolve();
    return page.tim.getConversationList().then(function (result) {
      getApp().conversations = result.data.conversationList;
      page.setData({ loaded: true });
      page.showList();
    }, page.complain);
  },

  // Older conversations come when the end of the list is seen. The list is told as any other change of it.
  onReachBottom: function () {
    return this.tim && this.tim.getConversationList({ loadOlder: true }).catch(this.complain);
  },

  // The list as the app has it, which may be before anybody is logged in.
  showList: function () {
    const app = getApp();
    const me = app.userID || wx.getStorageSync('userID');
    this.rows = app.conversations
      .filter(function (conversation) {
        return conversation.type === TIM.TYPES.CONV_C2C || conversation.type === TIM.TYPES.CONV_GROUP;
      })
      .map(function (conversation) {
        return format.conversationRow(conversation, me);
      });
    this.list.show(this.rows);
    const total = app.tim ? app.tim.getTotalUnreadMessageCount() : 0;
    wx.setNavigationBarTitle({ title: total ? '会话（' + total + '）' : '会话' });
  },

  complain: function (error) {
    wx.showToast({ title: format.explain(error), icon: 'none' });
  },

  type: function (event) {
    this.setData({ newPeer: event.detail.value });
  },

  startChat: function () {
    const userID = this.data.newPeer.trim();
    if (!/^[\x21-\x7e]{1,32}$/.test(userID) || userID === getApp().userID) {
      return this.complain(new Error('请输入对方的用户 ID'));
    }
    this.setData({ newPeer: '' });
    return this.goTo('C2C' + userID);
  },

  newGroup: function () {
    wx.navigateTo({ url: '/pages/group/group' });
  },

  open: function (event) {
    this.goTo(event.currentTarget.dataset.id);
  },

  goTo: function (conversationID) {
    wx.navigateTo({ url: '/pages/chat/chat?conversationID=' + encodeURIComponent(conversationID) });
  },

  rowOf: function (conversationID) {
    return this.rows.filter(function (row) {
      return row.id === conversationID;
    })[0];
  },

  showMenu: function (event) {
    const page = this;
    const row = page.rowOf(event.currentTarget.dataset.id);
    if (!row || !page.tim) return;
    wx.showActionSheet({
      itemList: [row.isPinned ? '取消置顶' : '置顶', '删除会话'],
      success: function (choice) {
        if (choice.tapIndex === 0) page.pin(row.id, !row.isPinned);
        else page.askToRemove(row);
      },
    });
  },

  pin: function (conversationID, isPinned) {
    return this.tim.pinConversation({ conversationID: conversationID, isPinned: isPinned }).catch(this.complain);
  },

  askToRemove: function (row) {
    const page = this;
    wx.showModal({
      title: '删除和 ' + row.name + ' 的会话？',
      content: '聊天记录会从你这里消失，对方那里不变。',
      confirmText: '删除',
      success: function (answer) {
        if (answer.confirm) page.remove(row.id);
      },
    });
  },

  remove: function (conversationID) {
    return this.tim.deleteConversation(conversationID).catch(this.complain);
  },

  leave: function () {
    return getApp().leave();
  },
});
