const format = require('../../utils/format');

const USERS = ['alice', 'bob'];

Page({
  data: {
    users: USERS.map(function (id) {
      return Object.assign({ id: id }, format.avatarOf(id));
    }),
    other: '',
    entering: '',
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
        wx.reLaunch({ url: '/pages/conversations/conversations' });
      },
      function (error) {
        page.setData({ entering: '' });
        wx.showModal({ title: '没有登录成功', content: format.explain(error), showCancel: false });
      },
    );
  },
});
