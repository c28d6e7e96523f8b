import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversationIDFor, conversationIDOf, groupIDOf, peerOf } from '../src/model/conversation-id.js';
import type { WireMessage } from '../src/wire.js';

test('a message is in the conversation with the other user, also one that a user sends to themself', () => {
  const message = { from: 'alice', to: 'bob', conversationType: 'C2C' } as WireMessage;
  assert.equal(conversationIDOf(message, 'alice'), 'C2Cbob');
  assert.equal(conversationIDOf(message, 'bob'), 'C2Calice');
  assert.equal(conversationIDOf({ ...message, to: 'alice' }, 'alice'), 'C2Calice');
  const inGroup = { from: 'alice', to: '@TGS#1', conversationType: 'GROUP' } as WireMessage;
  for (const me of ['alice', 'bob']) assert.equal(conversationIDOf(inGroup, me), 'GROUP@TGS#1');
});

test('what an ID is made of is read from it again, and nothing from what is none', () => {
  assert.equal(peerOf(conversationIDFor('C2C', 'C2C')), 'C2C');
  assert.equal(groupIDOf(conversationIDFor('GROUP', '@TGS#1')), '@TGS#1');
  for (const other of ['C2C', '', 'GROUPx', '@TIM#SYSTEM', 'c2cbob', undefined, null, 7, {}]) assert.equal(peerOf(other), undefined);
  for (const other of ['GROUP', '', 'C2Cbob', '@TIM#SYSTEM', undefined, null, 7, {}]) assert.equal(groupIDOf(other), undefined);
});
