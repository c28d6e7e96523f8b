import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { ChatError } from '../src/errors.js';
import TIM from '../src/index.js';
import type { ChatSDK } from '../src/index.js';
import {
  addUnsupported, type EmptyMethods, type SynchronousMethods, type UnsupportedMethods, type UnsupportedName,
} from '../src/unsupported.js';
import { versions } from './surface.js';

// Nothing of this file gets as far as a server.
const options = { SDKAppID: 1400000000, proxyServer: 'wss://127.0.0.1:1/v1' };
const tim = TIM.create(options);
after(() => tim.destroy());

for (const [version, surface] of versions) {
  test(`every method of ${version} is a function`, () => {
    const missing = surface.methods.filter((name) => typeof tim[name as keyof ChatSDK] !== 'function');
    assert.deepEqual(missing, []);
  });
}

test('the statics are those of @tencentcloud/lite-chat', () => {
  assert.deepEqual(Object.keys(TIM).sort(), ['EVENT', 'TSignaling', 'TYPES', 'VERSION', 'create']);
});

test('one SDKAppID has one instance, until it is destroyed', async () => {
  const other = { ...options, SDKAppID: 1400000001 };
  const first = TIM.create(other);
  assert.equal(TIM.create(options), tim);
  assert.equal(TIM.create(other), first);
  assert.notEqual(first, tim);
  await first.destroy();
  const second = TIM.create(other);
  assert.notEqual(second, first);
  await second.destroy();
});

const unsupported = {} as UnsupportedMethods & EmptyMethods & SynchronousMethods;
addUnsupported(unsupported);

/** What an app asks for at start, and there is none of. */
const empty: { [Name in keyof EmptyMethods]: unknown } = {
  getJoinedCommunityList: { groupList: [] },
  getFriendList: [],
  getFriendGroupList: [],
  getFriendApplicationList: { friendApplicationList: [], unreadCount: 0 },
  getConversationGroupList: [],
};

for (const [name, data] of Object.entries(empty)) {
  test(`${name} is an empty list, a new one each time`, async () => {
    const answers = await Promise.all([1, 2].map(() => tim[name as keyof EmptyMethods]()));
    assert.deepEqual(answers, [{ code: 0, data }, { code: 0, data }]);
    assert.notEqual(answers[0]?.data, answers[1]?.data);
  });
}

test('no message is an invitation to a call, and nobody has to wait to hear so', () => {
  assert.equal(tim.getSignalingInfo(message), null);
  assert.equal(tim.addSignalingListener(TIM.TSignaling.NEW_INVITATION_RECEIVED, () => {}, tim), undefined);
  assert.equal(tim.removeSignalingListener(TIM.TSignaling.NEW_INVITATION_RECEIVED, () => {}), undefined);
});

test('callExperimentalAPI answers each key of the UI kits in its way, and rejects the others with 2905', async () => {
  assert.equal(tim.callExperimentalAPI('canIUseModule', ['group-module']), false);
  assert.equal(tim.callExperimentalAPI('isIntl'), false);
  assert.equal(tim.callExperimentalAPI('statTUIKeyFeatures', { code: 201, msg: '' }), undefined);
  assert.equal(tim.callExperimentalAPI('isFeatureEnabledForStat', 1), undefined);
  assert.deepEqual(await tim.callExperimentalAPI('isCommercialAbilityEnabled', 2 ** 5), { code: 0, data: { enabled: false } });
  await assert.rejects(tim.callExperimentalAPI('sendComboMessage', {}), { code: 2905, message: /^callExperimentalAPI: sendComboMessage / });
});

test('use takes one plugin or a list of them', () => {
  assert.equal(tim.use({ name: 'group' }), undefined);
  assert.equal(tim.use([{ name: 'group' }, { name: 'conversation' }], [{}]), undefined);
});

const names = (Object.getOwnPropertyNames(unsupported) as UnsupportedName[])
  .filter((name) => !(name in empty) && !/^callExperimentalAPI$|SignalingInfo$|SignalingListener$/.test(name));

for (const name of names) {
  test(`${name} rejects and says why`, async () => {
    const answer = tim[name]({});
    assert.ok(answer instanceof Promise);
    await assert.rejects(answer, (error) => {
      assert.ok(error instanceof ChatError);
      assert.equal(error.code, 2905);
      assert.ok(error.message.startsWith(`${name}: `), error.message);
      assert.deepEqual(error.data, {});
      return true;
    });
  });
}

test('what no version has is not among the unsupported', () => {
  const known = new Set(versions.flatMap(([, surface]) => surface.methods));
  assert.deepEqual(names.filter((name) => !known.has(name)), []);
});

const message = tim.createTextMessage({ to: 'bob', conversationType: TIM.TYPES.CONV_C2C, payload: { text: 'hello' } });
const ofBob = { conversationID: 'C2Cbob' };
const bob = { userIDList: ['bob'] };

const calls: { [Name in keyof ChatSDK]?: () => unknown } = {
  logout: () => tim.logout(),
  sendMessage: () => tim.sendMessage(message),
  resendMessage: () => tim.resendMessage({ ...message, status: 'fail' } as typeof message),
  revokeMessage: () => tim.revokeMessage(message),
  deleteMessage: () => tim.deleteMessage([message]),
  getMessageList: () => tim.getMessageList(ofBob),
  setMessageRead: () => tim.setMessageRead(ofBob),
  setAllMessageRead: () => tim.setAllMessageRead(),
  getConversationList: () => tim.getConversationList(),
  getConversationProfile: () => tim.getConversationProfile('C2Cbob'),
  deleteConversation: () => tim.deleteConversation('C2Cbob'),
  pinConversation: () => tim.pinConversation({ ...ofBob, isPinned: true }),
  getMyProfile: () => tim.getMyProfile(),
  getUserProfile: () => tim.getUserProfile(bob),
  updateMyProfile: () => tim.updateMyProfile({ nick: 'Alice' }),
  getBlacklist: () => tim.getBlacklist(),
  addToBlacklist: () => tim.addToBlacklist(bob),
  removeFromBlacklist: () => tim.removeFromBlacklist(bob),
  getUserStatus: () => tim.getUserStatus(bob),
  subscribeUserStatus: () => tim.subscribeUserStatus(bob),
  unsubscribeUserStatus: () => tim.unsubscribeUserStatus(),
};

for (const [name, call] of Object.entries(calls)) {
  test(`${name} rejects with 2024 before a login`, async () => {
    const answer = call();
    assert.ok(answer instanceof Promise);
    await assert.rejects(answer, (error) => {
      assert.ok(error instanceof ChatError);
      const { message: text, ...fields } = JSON.parse(JSON.stringify(error));
      // A message that could not be sent comes back with the error.
      if (name !== 'sendMessage' && name !== 'resendMessage') assert.deepEqual(fields.data, {});
      assert.equal(fields.code, 2024);
      assert.equal(typeof text, 'string');
      assert.notEqual(text, '');
      assert.equal(error.name, 'Error');
      return true;
    });
  });
}

test('what needs no server works before a login', () => {
  assert.equal(tim.isReady(), false);
  assert.equal(tim.getLoginUser(), '');
  assert.equal(tim.getTotalUnreadMessageCount(), 0);
  assert.equal(tim.findMessage('1-2-3'), null);
  assert.equal(typeof tim.getServerTime(), 'number');
  tim.registerPlugin({ 'cos-wx-sdk': class {}, 'tim-upload-plugin': {}, anything: 1 });
  assert.equal(message.status, 'unSend');
});
