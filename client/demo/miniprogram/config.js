// Where the demo gets a UserSig, and from there the address that it connects to. This is all that a
// phone in your own network, or a deployment, changes.

// In development the laptop twin (`cargo run`) answers. In production this is your own server, which
// knows who is logged in, signs with the key that never leaves it, and answers with the same JSON:
// {SDKAppID, userID, userSig, proxyServer}.
const USER_URL = 'http://127.0.0.1:8420/demo/user';

function fetchUser(userID) {
  return new Promise(function (resolve, reject) {
    wx.request({
      url: USER_URL + '?userID=' + encodeURIComponent(userID),
      success: function (response) {
        if (response.statusCode === 200) resolve(response.data);
        else reject(new Error('没有拿到 UserSig（' + response.statusCode + '）'));
      },
      fail: function () {
        reject(new Error('连不上 ' + USER_URL + '：请先运行 cargo run'));
      },
    });
  });
}

module.exports = { fetchUser: fetchUser };
