// The one instance of the client, and what concerns all pages: coming, going, the state of the network.
const TIM = require('./lib/tim');
const config = require('./config');
const explain = require('./utils/format').explain;
const groups = require('./utils/group');

const HOME = '/pages/conversations/conversations';
// The pages that need somebody to be logged in.
const PAGES = /^\/pages\/(conversations|chat|group)\//;

App({
  tim: null,
  // Who is logged in, or ''.
  userID: '',
  // What the list shows, which may be that of the last time while a login is under way.
  conversations: [],
  // The groups of this user, by their IDs.
  groups: {},
  // Somebody whom the chat is to name: see pages/group.
  mentioned: null,
  // The blacklist is the same for all chats, so it is kept where all of them see it.
  blacklist: [],
  // A page that is opened while there is no network has to know it.
  netState: 'connected',
  // The login that is under way.
  entering: null,

  // Logs a user in. The promise is kept when the client is ready, which is later than login's own.
  enter: function (userID) {
    const app = this;
    const over = function () {
      app.entering = null;
    };
    app.entering = config.fetchUser(userID).then(function (user) {
      if (!app.tim) app.start(user);
      return app.login(user);
    }).then(function () {
      return app.tim.getBlacklist();
    }).then(function (result) {
      app.blacklist = result.data;
    });
    app.entering.then(over, over);
    return app.entering;
  },

  login: function (user) {
    const app = this;
    return new Promise(function (resolve, reject) {
      const ready = function () {
        app.tim.off(TIM.EVENT.SDK_READY, ready);
        app.userID = user.userID;
        // The next page that is opened directly, by a link for example, is theirs.
        wx.setStorageSync('userID', user.userID);
        resolve();
      };
      app.tim.on(TIM.EVENT.SDK_READY, ready);
      app.tim.login({ userID: user.userID, userSig: user.userSig }).then(
        function (result) {
          // Somebody who is logged in already is not told again that the client is ready.
          if (result.data.repeatLogin) ready();
        },
        function (error) {
          app.tim.off(TIM.EVENT.SDK_READY, ready);
          reject(error);
        },
      );
    });
  },

  start: function (user) {
    const app = this;
    const tim = TIM.create({ SDKAppID: user.SDKAppID, proxyServer: user.proxyServer, cache: true });
    tim.setLogLevel(1);
    tim.on(TIM.EVENT.CONVERSATION_LIST_UPDATED, function (event) {
      app.conversations = event.data;
      getCurrentPages().forEach(function (page) {
        if (page.showList) page.showList();
      });
    });
    tim.on(TIM.EVENT.GROUP_LIST_UPDATED, function (event) {
      app.setGroups(event.data);
    });
    tim.on(TIM.EVENT.MESSAGE_RECEIVED, function (event) {
      event.data.forEach(function (message) {
        if (message.type === TIM.TYPES.MSG_GRP_SYS_NOTICE) app.noticed(message);
      });
    });
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

  setGroups: function (list) {
    this.groups = {};
    list.forEach(function (group) {
      this.groups[group.groupID] = group;
    }, this);
  },

  // Something has happened to this user in a group.
  noticed: function (message) {
    const app = this;
    const payload = message.payload;
    const told = groups.noticeText(payload);
    if (told) wx.showToast({ title: told, icon: 'none' });
    if (payload.operationType !== 1) return;
    wx.showModal({
      title: groups.nameOf(payload.operatorID) + ' 申请加入 ' + groups.nameOf(payload.groupProfile.name),
      content: payload.handleMessage,
      confirmText: '同意',
      cancelText: '拒绝',
      success: function (answer) {
        app.tim.handleGroupApplication({ handleAction: answer.confirm ? 'Agree' : 'Reject', message: message }).catch(function (error) {
          wx.showToast({ title: explain(error), icon: 'none' });
        });
      },
    });
  },

  // Says whether a page may begin. Any page can be the first one, by a link or from the list of what was
  // used lately: then the user of the last time is logged in, or the page of the login comes first.
  whenIn: function (page, query) {
    const app = this;
    const url = app.urlOf(page, query);
    if (app.userID) return Promise.resolve(true);
    const userID = wx.getStorageSync('userID');
    if (!userID) {
      app.toLogin(url);
      return Promise.resolve(false);
    }
    return (app.entering || app.enter(userID)).then(
      function () {
        return true;
      },
      function (error) {
        app.failedToEnter(error, url);
        return false;
      },
    );
  },

  failedToEnter: function (error, url) {
    wx.showToast({ title: explain(error), icon: 'none' });
    this.toLogin(url);
  },

  urlOf: function (page, query) {
    const pairs = Object.keys(query || {}).map(function (name) {
      return name + '=' + query[name];
    });
    return '/' + page.route + (pairs.length ? '?' + pairs.join('&') : '');
  },

  // The address of a page as a link holds it; '' for what is none.
  pageOf: function (then) {
    try {
      const url = decodeURIComponent(then || '');
      return PAGES.test(url) ? url : '';
    } catch (error) {
      return ''; // It is not encoded the way that links are.
    }
  },

  toLogin: function (then) {
    wx.reLaunch({ url: '/pages/login/login' + (then ? '?then=' + encodeURIComponent(then) : '') });
  },

  leave: function () {
    const app = this;
    const gone = function () {
      app.userID = '';
      app.conversations = [];
      app.groups = {};
      app.blacklist = [];
      wx.removeStorageSync('userID');
      app.toLogin('');
    };
    return app.tim.logout().then(gone, gone);
  },

  // A user who was kicked out by another device has to decide: two devices that log in by themselves
  // would kick each other out for ever. An expired UserSig only needs a new one.
  kickedOut: function (type) {
    const app = this;
    const userID = app.userID;
    const pages = getCurrentPages();
    const top = pages[pages.length - 1];
    const url = (top && app.pageOf(encodeURIComponent(app.urlOf(top, top.options)))) || HOME;
    const failed = function (error) {
      app.failedToEnter(error, url);
    };
    app.userID = '';
    if (type === TIM.TYPES.KICKED_OUT_USERSIG_EXPIRED) {
      app.enter(userID).catch(failed);
      return;
    }
    wx.showModal({
      title: '已退出',
      content: '这个账号在别处登录了。',
      confirmText: '重新登录',
      success: function (answer) {
        if (!answer.confirm) return app.toLogin(url);
        // What was missed meanwhile is part of what a page loads when it begins.
        return app.enter(userID).then(function () {
          wx.reLaunch({ url: url });
        }, failed);
      },
    });
  },
});
