const format = require('../../utils/format');

const USERS = ['alice', 'bob'];

Page({
  data: {
    users: USERS.map(function (id) {
      return Object.assign({ id: id }, format.avatarOf(id, id));
    }),
    other: '',
    entering: '',
  },

  // `then` is the page that somebody wanted to open, and nobody was logged in.
  onLoad: function (query) {
    this.then = getApp().pageOf(query.then) || '/pages/conversations/conversations';
    // The button to the home page of a mini-program leads here, also for who is logged in.
    if (getApp().userID) wx.reLaunch({ url: this.then });
  },

  type: function (event) {
    this.setData({ other: event.detail.value });
  },

  choose: function (event) {
    return this.enter(event.currentTarget.dataset.user);
  },

  chooseOther: function () {
    const userID = this.data.other.trim();
    if (!/^[\x21-\x7e]{1,32}$/.test(userID)) {
      wx.showToast({ title: '用户 ID 是 1 到 32 个英文字母、数字或符号', icon: 'none' });
      return undefined;
    }
    return this.enter(userID);
  },

  enter: function (userID) {
    const page = this;
    if (page.data.entering) return undefined;
    page.setData({ entering: userID });
    return getApp().enter(userID).then(
      function () {
        page.setData({ entering: '' });
        wx.reLaunch({ url: page.then });
      },
      function (error) {
        page.setData({ entering: '' });
        wx.showModal({ title: '没有登录成功', content: format.explain(error), showCancel: false });
      },
    );
  },
});
