/** What the official demos do: a list, a chat, recall, delete, pin, blacklist, profiles. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatError, Conversation, Message } from '../src/index.js';
import { SDK_APP_ID } from './harness/twin.js';
import { User, codeOf, same, textOf, until } from './harness/user.js';
import { withTwin } from './harness/users.js';

const users = withTwin('--multi-device', 'many');
const { two, another } = users;

function lists(user: User): Conversation[][] {
  return user.told<Conversation[]>('onConversationListUpdated');
}

test('the list shows last messages, unread counts and who it is', async () => {
  const [alice, bob] = await two();
  await bob.tim.updateMyProfile({ nick: '鲍勃', avatar: 'https://example.com/bob.png' });
  await bob.send(alice.userID, '一');
  await bob.send(alice.userID, '二');
  await until(() => lists(alice).some(([first]) => first?.userProfile.nick === '鲍勃' && first.unreadCount === 2));
  const conversation = await alice.conversation(bob.userID);
  same(
    [conversation?.type, conversation?.toAccount, conversation?.lastMessage.messageForShow, conversation?.lastMessage.fromAccount],
    ['C2C', bob.userID, '二', bob.userID],
  );
  same(alice.told('onTotalUnreadMessageCountUpdated').at(-1), 2);
  // What the app does to its copy is its own business.
  if (conversation) conversation.unreadCount = 99;
  assert.equal((await alice.conversation(bob.userID))?.unreadCount, 2);

  await alice.tim.setMessageRead({ conversationID: `C2C${bob.userID}` });
  assert.equal((await alice.conversation(bob.userID))?.unreadCount, 0);
  await until(() => bob.told('onMessageReadByPeer').length > 0);
  const read = bob.told<Message[]>('onMessageReadByPeer').flat();
  same(read.map((message) => [textOf(message), message.isPeerRead]), [['一', true], ['二', true]]);
});

test('a conversation that nobody has used is not made by reading it', async () => {
  const [alice, bob] = await two();
  await alice.tim.setMessageRead({ conversationID: `C2C${bob.userID}` });
  const { data } = await alice.tim.getConversationProfile(`C2C${bob.userID}`);
  same([data.conversation.conversationID, data.conversation.unreadCount], [`C2C${bob.userID}`, 0]);
  assert.equal(await alice.conversation(bob.userID), undefined);
});

test('history goes back page by page and ends', async () => {
  const [alice, bob] = await two();
  for (let index = 1; index <= 40; index++) await alice.send(bob.userID, String(index));
  const sizes: number[] = [];
  const texts: string[] = [];
  for (let next = ''; ;) {
    const { data } = await bob.tim.getMessageList({ conversationID: `C2C${alice.userID}`, nextReqMessageID: next, count: 99 });
    sizes.push(data.messageList.length);
    texts.unshift(...data.messageList.map(textOf));
    if (data.isCompleted) break;
    next = data.nextReqMessageID;
  }
  same(sizes, [15, 15, 10]);
  same(texts, Array.from({ length: 40 }, (_, index) => String(index + 1)));
  const past = await bob.tim.getMessageList({ conversationID: 'C2Cnobody' });
  same([past.data.messageList.length, past.data.nextReqMessageID, past.data.isCompleted], [0, '', true]);
});

test('messages of all kinds arrive as they were made', async () => {
  const [alice, bob] = await two();
  const { TYPES } = alice.device.TIM;
  const to = { to: bob.userID, conversationType: TYPES.CONV_C2C } as const;
  const made = [
    alice.tim.createCustomMessage({ ...to, payload: { data: 'gift', description: '礼物', extension: '{"n":1}' }, cloudCustomData: 'x' }),
    alice.tim.createFaceMessage({ ...to, payload: { index: 3, data: '[微笑]' } }),
    alice.tim.createLocationMessage({ ...to, payload: { description: '深圳', longitude: 113.934, latitude: 22.54 } }),
  ];
  for (const message of made) await alice.tim.sendMessage(message);
  await until(() => bob.received.length === 3);
  for (const [index, message] of bob.received.entries()) {
    same(message.payload, made[index]?.payload);
    assert.equal(message.ID, made[index]?.ID);
  }
  assert.equal(bob.received[0]?.cloudCustomData, 'x');
  assert.equal((await bob.conversation(alice.userID))?.lastMessage.messageForShow, '[位置]');
});

test('a recalled message is recalled for everybody, for two minutes and by its sender only', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  const message = await alice.send(bob.userID, '说错了');
  await until(() => bob.received.length === 1 && tablet.received.length === 1);
  const [atBobs] = bob.received;
  assert.ok(atBobs);
  assert.equal(await codeOf(bob.tim.revokeMessage(atBobs)), 20002);

  const { data } = await alice.tim.revokeMessage(message);
  assert.equal(data.message.isRevoked, true);
  same(message.payload, { text: '' });
  await until(() => bob.told('onMessageRevoked').length === 1 && tablet.told('onMessageRevoked').length === 1);
  assert.equal(atBobs.isRevoked, true);
  // The fields of a text, with nothing in them: programs read `payload.text` of whatever comes.
  same(atBobs.payload, { text: '' });
  assert.equal(alice.told('onMessageRevoked').length, 0);
  const [inHistory] = await bob.history(alice.userID);
  same([inHistory?.isRevoked, inHistory?.revoker, inHistory?.payload], [true, alice.userID, { text: '' }]);
  // A device that has not seen it before gets the same.
  const fresh = await another(bob);
  same((await fresh.history(alice.userID)).map((each) => each.payload), [{ text: '' }]);
  same((await fresh.conversation(alice.userID))?.lastMessage.payload, { text: '' });
  assert.equal((await bob.conversation(alice.userID))?.lastMessage.isRevoked, true);

  const late = await alice.send(bob.userID, '太晚了');
  await users.twin.advance(121_000);
  assert.equal(await codeOf(alice.tim.revokeMessage(late)), 20016);
});

test('a deleted message is gone for one user and on all their devices', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  await bob.send(alice.userID, '留');
  const message = await bob.send(alice.userID, '删');
  await until(() => alice.received.length === 2 && tablet.received.length === 2);
  const mine = alice.tim.findMessage(message.ID);
  assert.ok(mine);
  const { data } = await alice.tim.deleteMessage([mine]);
  same(data.messageList.map((each) => each.ID), [message.ID]);
  same((await alice.history(bob.userID)).map(textOf), ['留']);
  same((await bob.history(alice.userID)).map(textOf), ['留', '删']);
  assert.equal((await alice.conversation(bob.userID))?.lastMessage.messageForShow, '留');
  await until(async () => (await tablet.conversation(bob.userID))?.lastMessage.messageForShow === '留');
  assert.equal(alice.tim.findMessage(message.ID), null);
});

test('large messages are deleted with as many frames as that takes', async () => {
  const [alice, bob] = await two();
  for (let number = 0; number < 6; number += 1) await bob.send(alice.userID, `${number}`.repeat(12_000));
  await until(() => alice.received.length === 6);
  alice.device.takeFrames();
  await alice.tim.deleteMessage(await alice.history(bob.userID));
  same(await alice.history(bob.userID), []);
  const frames = alice.device.takeFrames().filter(({ action }) => action === 'deleteMessage');
  same(frames.map((frame) => (frame['data'] as { messages: number[] }).messages), [[1, 2, 3, 4, 5, 6], [6]]);
});

test('a deleted message that was imported is gone on all devices, as one with a number is', async () => {
  const [alice, bob] = await two();
  const query = new URLSearchParams({
    sdkappid: String(SDK_APP_ID), identifier: 'administrator', usersig: users.twin.userSig('administrator'), random: '1', contenttype: 'json',
  });
  const older = async (text: string, seconds: number): Promise<void> => {
    const body = JSON.stringify({
      SyncFromOldSystem: 2, From_Account: bob.userID, To_Account: alice.userID, MsgSeq: 1, MsgRandom: 1, MsgTimeStamp: 1_600_000_000 + seconds,
      MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: text } }],
    });
    same((await (await fetch(`${users.twin.url}/v4/openim/importmsg?${query}`, { method: 'POST', body })).json() as { ErrorCode: number }).ErrorCode, 0);
  };
  for (const [at, text] of ['一', '二', '三'].entries()) await older(text, at);
  const tablet = await another(alice);
  same((await tablet.history(bob.userID)).map(textOf), ['一', '二', '三']);
  same((await tablet.conversation(bob.userID))?.lastMessage.messageForShow, '三');
  const [, second, third] = await alice.history(bob.userID);
  assert.ok(second && third);
  await alice.tim.deleteMessage([third]);
  assert.equal(third.isDeleted, true);
  await until(async () => (await tablet.conversation(bob.userID))?.lastMessage.messageForShow === '二');
  assert.equal(tablet.tim.findMessage(third.ID), null);
  // With one that has a number, and one that is nowhere but here.
  await bob.send(alice.userID, '四');
  await until(() => alice.received.length === 1);
  const unsent = alice.text(bob.userID, '五');
  await alice.tim.deleteMessage([second, ...alice.received, unsent]);
  same([second.isDeleted, unsent.isDeleted], [true, true]);
  for (const user of [alice, tablet]) same((await user.history(bob.userID)).map(textOf), ['一']);
  same((await bob.history(alice.userID)).map(textOf), ['一', '二', '三', '四']);
});

test('a deleted conversation is gone until somebody writes again', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  await bob.send(alice.userID, '旧');
  await until(() => alice.received.length === 1 && tablet.received.length === 1);
  const { data } = await alice.tim.deleteConversation(`C2C${bob.userID}`);
  assert.equal(data.conversationID, `C2C${bob.userID}`);
  assert.equal(await alice.conversation(bob.userID), undefined);
  await until(async () => (await tablet.conversation(bob.userID)) === undefined);
  same(await alice.history(bob.userID), []);
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 0);
  assert.equal(bob.told('onMessageReadByPeer').length, 0);

  await bob.send(alice.userID, '新');
  await until(async () => (await alice.conversation(bob.userID))?.unreadCount === 1);
  same((await alice.history(bob.userID)).map(textOf), ['新']);
  await alice.tim.logout();
  await alice.login();
  assert.equal((await alice.conversation(bob.userID))?.unreadCount, 1);
  same((await bob.history(alice.userID)).map(textOf), ['旧', '新']);
});

test('a conversation that is deleted without its history leaves the list, and keeps its history', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  const id = `C2C${bob.userID}`;
  for (const text of ['1', '2']) await bob.send(alice.userID, text);
  await until(() => alice.received.length === 2 && tablet.received.length === 2);
  const { data } = await alice.tim.deleteConversation({ conversationIDList: [id], clearHistoryMessage: false });
  same(data, { conversationIDList: [id] });
  await until(async () => (await tablet.conversation(bob.userID)) === undefined);
  const isGone = async (user: User): Promise<void> => {
    assert.equal(await user.conversation(bob.userID), undefined);
    assert.equal(user.tim.getTotalUnreadMessageCount(), 0);
    same((await user.history(bob.userID)).map(textOf), ['1', '2']);
    assert.equal(await user.conversation(bob.userID), undefined);
  };
  await isGone(alice);
  await isGone(tablet);
  await alice.tim.logout();
  alice.events.length = 0;
  await alice.login();
  await isGone(alice);
  assert.equal(bob.told('onMessageReadByPeer').length, 0);

  await bob.send(alice.userID, '3');
  for (const user of [alice, tablet]) {
    await until(async () => (await user.conversation(bob.userID))?.unreadCount === 1);
    same((await user.history(bob.userID)).map(textOf), ['1', '2', '3']);
    await until(() => user.texts.at(-1) === '3');
  }
  same(alice.texts, ['3']);
});

// What a read mark meets

type Frame = Record<string, unknown>;

/** Holds the frames to a device that match. Returns what lets them go. */
function hold({ device }: User, matches: (frame: Frame) => boolean): () => void {
  let letGo = (): void => {};
  const due = new Promise<void>((resolve) => { letGo = resolve; });
  device.delays = (frame) => (matches(frame) ? due : undefined);
  return letGo;
}

const isAnswer = ({ action }: Frame): boolean => action === 'sendMessage';
const marked = (user: User): Message[] => user.told<Message[]>('onMessageReadByPeer').flat();

for (const isNewest of [true, false]) {
  test(`a read mark reaches a message that the list has told of before the answer came, ${isNewest ? '' : 'not '}as the newest`, async () => {
    const [alice, bob] = await two();
    const tablet = await another(alice);
    const letGo = hold(alice, (frame) => isAnswer(frame) || frame['event'] === 'onMessageReceived');
    const sending = alice.send(bob.userID, '1');
    await until(() => bob.received.length === 1);
    if (!isNewest) await tablet.send(bob.userID, '2');
    // A page that is a moment older than the list that is asked for with it.
    alice.device.replaces = (frame) => (frame['action'] === 'getMessageList' ? { ...frame, data: { messageList: [], isCompleted: true } } : frame);
    await alice.tim.getMessageList({ conversationID: `C2C${bob.userID}` });
    letGo();
    const message = await sending;
    await until(() => bob.received.length === (isNewest ? 1 : 2));
    await bob.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
    await until(() => marked(alice).includes(message));
    assert.equal(message.isPeerRead, true);
  });
}

test('a read mark that is quicker than the answer is not lost', async () => {
  const [alice, bob] = await two();
  const letGo = hold(alice, isAnswer);
  const sending = alice.send(bob.userID, '1');
  await until(() => bob.received.length === 1);
  let isTold = false;
  alice.device.replaces = (frame) => {
    isTold ||= frame['event'] === 'onMessageReadByPeer';
    return frame;
  };
  await bob.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
  await until(() => isTold);
  letGo();
  const message = await sending;
  assert.equal(message.isPeerRead, true);
  assert.equal((await alice.conversation(bob.userID))?.lastMessage.isPeerRead, true);
});

test('a read mark reaches the last message of a list, of which nothing else is loaded', async () => {
  const [alice, bob] = await two();
  const { ID } = await alice.send(bob.userID, '1');
  await until(() => bob.received.length === 1);
  await alice.tim.logout();
  await alice.login();
  await bob.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
  await until(() => lists(alice).at(-1)?.[0]?.lastMessage.isPeerRead === true);
  same(marked(alice).map((message) => message.ID), [ID]);
});

test('a read mark reaches a message in front of which another one is missing', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  await until(() => alice.received.length === 1);
  alice.device.loses = (frame) => frame['event'] === 'onMessageReceived';
  await bob.send(alice.userID, '2');
  const letGo = hold(alice, ({ action }) => action === 'getMessageList');
  const message = await alice.send(bob.userID, '3');
  await until(() => bob.received.length === 1);
  await bob.tim.setMessageRead({ conversationID: `C2C${alice.userID}` });
  await until(() => marked(alice).includes(message));
  letGo();
  await until(() => alice.texts.length === 2);
  same(alice.texts, ['1', '2']);
});

test('a pinned conversation is on top, on all devices', async () => {
  const [alice, bob] = await two();
  const carol = await users.join(users.named('carol'));
  const tablet = await another(alice);
  await bob.send(alice.userID, '1');
  await users.twin.advance(1000);
  await carol.send(alice.userID, '2');
  const order = async (user: User): Promise<string[]> =>
    (await user.tim.getConversationList()).data.conversationList.map((each) => each.toAccount);
  await until(async () => (await order(alice)).join() === `${carol.userID},${bob.userID}`);
  await alice.tim.pinConversation({ conversationID: `C2C${bob.userID}`, isPinned: true });
  same(await order(alice), [bob.userID, carol.userID]);
  await until(async () => (await order(tablet)).join() === `${bob.userID},${carol.userID}`);
  await alice.tim.logout();
  await alice.login();
  same(await order(alice), [bob.userID, carol.userID]);
  assert.equal(await codeOf(alice.tim.pinConversation({ conversationID: 'C2Cnobody', isPinned: true })), 2500);
});

test('a blacklist takes more users than one frame does', async () => {
  const [alice] = await two();
  const userIDList = Array.from({ length: 40 }, (_, index) => `user-${String(index).padStart(2, '0')}`);
  same((await alice.tim.addToBlacklist({ userIDList })).data, userIDList);
  same((await alice.tim.removeFromBlacklist({ userIDList })).data, []);
});

test('who is on the blacklist is refused, and told so', async () => {
  const [alice, bob] = await two();
  const { data } = await alice.tim.addToBlacklist({ userIDList: [bob.userID] });
  same(data, [bob.userID]);
  same(alice.told('blacklistUpdated'), [[bob.userID]]);
  const message = bob.text(alice.userID, '你好');
  await assert.rejects(bob.tim.sendMessage(message), (error: { code: number; data: { message: Message } }) => {
    assert.equal(error.code, 20007);
    assert.equal(error.data.message, message);
    return true;
  });
  assert.equal(message.status, 'fail');
  same((await alice.tim.getBlacklist()).data, [bob.userID]);
  await alice.tim.removeFromBlacklist({ userIDList: [bob.userID] });
  const { ID } = message;
  await bob.tim.resendMessage(message);
  same([message.ID, message.status], [ID, 'success']);
  await until(() => alice.texts.length === 1);
  assert.equal(await codeOf(alice.tim.addToBlacklist({ userIDList: [alice.userID] })), 2742);
});

test('profiles, and who is online', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  const { data } = await alice.tim.updateMyProfile({ nick: '爱丽丝', gender: 'Gender_Type_Female' });
  same([data.nick, data.gender, data.userID], ['爱丽丝', 'Gender_Type_Female', alice.userID]);
  assert.equal(alice.told('onProfileUpdated').length, 1);
  await until(() => tablet.told('onProfileUpdated').length === 1);
  const profiles = await bob.tim.getUserProfile({ userIDList: [alice.userID, 'nobody'] });
  same(profiles.data.map((profile) => [profile.userID, profile.nick]), [[alice.userID, '爱丽丝'], ['nobody', '']]);
  assert.equal((await alice.tim.getMyProfile()).data.nick, '爱丽丝');
  assert.equal(await codeOf(alice.tim.updateMyProfile({ nick: 'x'.repeat(501) })), 70402);

  await bob.send(alice.userID, '在吗');
  const status = await bob.tim.getUserStatus({ userIDList: [alice.userID, 'nobody'] });
  const { TYPES } = bob.device.TIM;
  same(status.data.successUserList.map((user) => user.statusType), [TYPES.USER_STATUS_ONLINE]);
  same(status.data.failureUserList.map((user) => [user.userID, user.code]), [['nobody', 2500]]);
});

test('reading on one device is reading on all of them', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  await bob.send(alice.userID, '1');
  await until(() => alice.tim.getTotalUnreadMessageCount() === 1 && tablet.tim.getTotalUnreadMessageCount() === 1);
  await alice.tim.setMessageRead({ conversationID: `C2C${bob.userID}` });
  await until(() => tablet.tim.getTotalUnreadMessageCount() === 0);
  assert.equal(tablet.told('onTotalUnreadMessageCountUpdated').at(-1), 0);
});

test('what is sent on one device is seen on the other, and not announced on its own', async () => {
  const [alice, bob] = await two();
  const tablet = await another(alice);
  const message = await alice.send(bob.userID, '你好');
  await until(() => tablet.received.length === 1);
  same([tablet.received[0]?.flow, tablet.received[0]?.ID], ['out', message.ID]);
  assert.equal(alice.received.length, 0);
  assert.equal(tablet.tim.getTotalUnreadMessageCount(), 0);
});

test('everything is marked as read at once', async () => {
  const [alice, bob] = await two();
  const carol = await users.join(users.named('carol'));
  await bob.send(alice.userID, '1');
  await carol.send(alice.userID, '2');
  await until(() => alice.tim.getTotalUnreadMessageCount() === 2);
  await alice.tim.setAllMessageRead({ scope: alice.device.TIM.TYPES.READ_ALL_MSG });
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 0);
  await until(() => bob.told('onMessageReadByPeer').length === 1 && carol.told('onMessageReadByPeer').length === 1);
});

test('of a previous account nothing is left', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '秘密');
  await until(() => alice.received.length === 1);
  const [secret] = alice.received;
  await alice.tim.logout();
  alice.events.length = 0;
  await alice.tim.login({ userID: 'dave', userSig: users.twin.userSig('dave') });
  assert.equal(alice.tim.getLoginUser(), 'dave');
  same((await alice.tim.getConversationList()).data.conversationList, []);
  assert.equal(alice.tim.findMessage(secret?.ID ?? ''), null);
  assert.equal(alice.tim.getTotalUnreadMessageCount(), 0);
  assert.equal(alice.received.length, 0);
});

test('ten reads in a row are one frame, and two hundred sends at once arrive in order', async () => {
  const [alice, bob] = await two();
  await bob.send(alice.userID, '1');
  await until(() => alice.received.length === 1);
  alice.device.takeFrames();
  for (let index = 0; index < 10; index++) await alice.tim.setMessageRead({ conversationID: `C2C${bob.userID}` });
  const frames = alice.device.takeFrames().filter((frame) => frame['action'] === 'setMessageRead');
  same(frames, [{ action: 'setMessageRead', data: { conversationID: `C2C${bob.userID}`, sequence: 1 } }]);

  const texts = Array.from({ length: 200 }, (_, index) => String(index));
  await Promise.all(texts.map((text) => alice.send(bob.userID, text)));
  await until(() => bob.received.length === texts.length);
  same(bob.texts, texts);
});

test('what cannot be sent yet fails when it is sent, and not before', async () => {
  const [alice, bob] = await two();
  const { tim } = alice;
  const to = { to: bob.userID, conversationType: 'C2C' };
  const original = await alice.send(bob.userID, '原文');
  const built = [
    tim.createMergerMessage({ ...to, payload: { messageList: [original], title: '', abstractList: [], compatibleText: '' } }),
  ];
  for (const message of built) {
    assert.equal(message.status, 'unSend');
    for (const send of ['sendMessage', 'resendMessage'] as const) {
      const error = await tim[send](message).then(() => undefined, (reason: ChatError) => reason);
      assert.equal(error?.code, 2905);
      assert.equal(error.message, `${send}: merged messages and rooms are not served`);
      assert.equal((error.data as { message: Message }).message, message);
      assert.equal(message.status, 'fail');
    }
  }
  assert.throws(() => tim.createTextMessage({ ...to, payload: { text: '' } }), { code: 70402, message: 'createTextMessage: `payload.text` must be a text that is not empty' });
  // A text is forwarded as another text.
  const { data } = await tim.sendMessage(tim.createForwardMessage({ ...to, payload: original }));
  same([data.message.status, data.message.payload], ['success', { text: '原文' }]);
  assert.notEqual(data.message.ID, original.ID);
});

test('a group that one is not in is empty, as the system conversation is at first, and looking at them is no error', async () => {
  const [alice] = await two();
  for (const [conversationID, type, groupID] of [['GROUPg1', 'GROUP', 'g1'], ['@TIM#SYSTEM', '@TIM#SYSTEM', undefined]] as const) {
    same(await alice.tim.setMessageRead({ conversationID }), { code: 0, data: {} });
    const { data: { conversation } } = await alice.tim.getConversationProfile(conversationID);
    same([conversation.conversationID, conversation.type, conversation.groupProfile['groupID']], [conversationID, type, groupID]);
    const { data: page } = await alice.tim.getMessageList({ conversationID });
    same(page, { messageList: [], nextReqMessageID: '', isCompleted: true });
  }
  same(await alice.tim.getConversationList().then(({ data }) => data.conversationList), []);
  assert.equal(await codeOf(alice.tim.getConversationProfile('GROUP')), 2503);
});

test('SDK_READY comes once for each login, and not for one that is over', async () => {
  const [alice] = await two();
  await until(() => alice.told('sdkStateReady').length === 1);
  same((await alice.tim.login({ userID: alice.userID, userSig: users.twin.userSig(alice.userID) })).data.repeatLogin, true);
  alice.device.clock.advance(1_000);
  assert.equal(alice.told('sdkStateReady').length, 1);

  await alice.tim.logout();
  const { clock } = alice.device;
  await alice.tim.login({ userID: alice.userID, userSig: users.twin.userSig(alice.userID) }).then(() => {
    clock.isFrozen = true;
    return alice.tim.logout();
  });
  clock.wake();
  clock.advance(1_000);
  assert.equal(alice.told('sdkStateReady').length, 1);
  await alice.login();
  await until(() => alice.told('sdkStateReady').length === 2);
});

test('ready calls back once, when somebody is logged in or at once if so', async () => {
  const alice = users.add(new User(users.twin, users.named('alice')));
  const called: boolean[] = [];
  const ready = (): boolean => alice.tim.ready(() => called.push(alice.tim.isReady()));
  assert.equal(ready(), false);
  await alice.login();
  await until(() => alice.told('sdkStateReady').length === 1);
  same(called, [true]);
  assert.equal(ready(), true);
  await alice.tim.logout();
  await alice.login();
  await until(() => alice.told('sdkStateReady').length === 2);
  same(called, [true, true]);
});

test('what comes between login and SDK_READY is announced too, also what was sent on another device', async () => {
  const [alice, bob] = await two();
  await alice.send(bob.userID, '历史');
  const tablet = users.add(new User(users.twin, alice.userID));
  const { clock } = tablet.device;
  await tablet.tim.login({ userID: alice.userID, userSig: users.twin.userSig(alice.userID) }).then(() => { clock.isFrozen = true; });
  await alice.send(bob.userID, '发出');
  await bob.send(alice.userID, '收到');
  await until(async () => (await tablet.conversation(bob.userID))?.lastMessage.messageForShow === '收到');
  same([tablet.told('sdkStateReady').length, tablet.texts], [0, []]);
  clock.wake();
  await until(() => tablet.received.length === 2);
  same([tablet.told('sdkStateReady').length, tablet.texts], [1, ['发出', '收到']]);
});
