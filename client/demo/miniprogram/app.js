// The one instance of the client, and what concerns all pages: coming, going, the state of the network.
const TIM = require('./lib/tim');
const config = require('./config');
const explain = require('./utils/format').explain;

App({
  tim: null,
  userID: '',
  // The blacklist is the same for all chats, so it is kept where all of them see it.
  blacklist: [],
  // A page that is opened while there is no network has to know it.
  netState: 'connected',

  // Logs a user in. The promise is kept when the client is ready, which is later than login's own.
  enter: function (userID) {
    const app = this;
    return config.fetchUser(userID).then(function (user) {
      if (!app.tim) app.start(user);
      const tim = app.tim;
      return new Promise(function (resolve, reject) {
        const ready = function () {
          tim.off(TIM.EVENT.SDK_READY, ready);
          resolve();
        };
        tim.on(TIM.EVENT.SDK_READY, ready);
        tim.login({ userID: user.userID, userSig: user.userSig }).then(
          function (result) {
            app.userID = user.userID;
            // Somebody who is logged in already is not told again that the client is ready.
            if (result.data.repeatLogin) ready();
          },
          function (error) {
            tim.off(TIM.EVENT.SDK_READY, ready);
            reject(error);
          },
        );
      });
    }).then(function () {
      return app.tim.getBlacklist().then(function (result) {
        app.blacklist = result.data;
      });
    });
  },

  start: function (user) {
    const app = this;
    const tim = TIM.create({ SDKAppID: user.SDKAppID, proxyServer: user.proxyServer });
    tim.setLogLevel(1);
    tim.on(TIM.EVENT.BLACKLIST_UPDATED, function (event) {
      app.blacklist = event.data;
    });
    tim.on(TIM.EVENT.NET_STATE_CHANGE, function (event) {
      app.netState = event.data.state;
    });
    tim.on(TIM.EVENT.KICKED_OUT, function (event) {
      app.kickedOut(event.data.type);
    });
    tim.on(TIM.EVENT.ERROR, function (event) {
      // These two say that there is no network, which the pages show already.
      if (event.data.code === 2800 || event.data.code === 2999) return;
      wx.showToast({ title: explain(event.data), icon: 'none' });
    });
    app.tim = tim;
  },

  leave: function () {
    const app = this;
    const gone = function () {
      app.userID = '';
      app.blacklist = [];
      wx.reLaunch({ url: '/pages/login/login' });
    };
    return app.tim.logout().then(gone, gone);
  },

  // Whoever was kicked out by another device has to decide himself: two devices that log in by
  // themselves would kick each other out for ever. An expired UserSig only needs a new one.
  kickedOut: function (type) {
    const app = this;
    const toLogin = function () {
      app.userID = '';
      wx.reLaunch({ url: '/pages/login/login' });
    };
    if (type === TIM.TYPES.KICKED_OUT_USERSIG_EXPIRED) return app.enter(app.userID).catch(toLogin);
    wx.showModal({
      title: '已退出',
      content: '这个账号在别处登录了。',
      showCancel: false,
      success: toLogin,
    });
    return undefined;
  },
});
