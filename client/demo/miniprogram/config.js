// Where the demo connects to, and where it gets a UserSig. These two are all that a deployment changes.

// In development the laptop twin (`cargo run`) hands out both. In production the address is your own
// server's, which knows who is logged in, signs with the key that never leaves it, and answers with
// the same JSON: {SDKAppID, userID, userSig, proxyServer}.
const USER_URL = 'http://127.0.0.1:8420/demo/user';

// Set this to wss://… to connect to a deployment whatever the answer says.
const PROXY_SERVER = '';

function fetchUser(userID) {
  return new Promise(function (resolve, reject) {
    wx.request({
      url: USER_URL + '?userID=' + encodeURIComponent(userID),
      success: function (response) {
        if (response.statusCode !== 200) return reject(new Error('没有拿到 UserSig（' + response.statusCode + '）'));
        const user = Object.assign({}, response.data);
        if (PROXY_SERVER) user.proxyServer = PROXY_SERVER;
        return resolve(user);
      },
      fail: function () {
        reject(new Error('连不上 ' + USER_URL + '：请先运行 cargo run'));
      },
    });
  });
}

module.exports = { fetchUser: fetchUser };
