/** A user with a socket and nothing else, for tests of other programs than the client. */

import assert from 'node:assert/strict';

import { WebSocket } from 'ws';

import { SDK_APP_ID, type Twin } from './twin.js';

type Body = Record<string, any>;

export interface Bare {
  /** The data of the reply, which must be one without an error. */
  ask(action: string, data: unknown): Promise<Body>;
  /** What was pushed. */
  pushed: Body[];
  close(): void;
}

export async function connect(twin: Twin, userID: string, userSig = twin.userSig(userID)): Promise<Bare> {
  const query = new URLSearchParams({ SDKAppID: String(SDK_APP_ID), userID, userSig, platform: 'MiniProgram' });
  const socket = new WebSocket(`${twin.proxyServer}?${query}`);
  const pushed: Body[] = [];
  const answers: ((frame: Body) => void)[] = [];
  socket.on('message', (text) => {
    const frame = JSON.parse(String(text)) as Body;
    if (frame['event']) pushed.push(frame);
    else answers.shift()?.(frame);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const ask = async (action: string, data: unknown): Promise<Body> => {
    const answer = new Promise<Body>((resolve) => answers.push(resolve));
    socket.send(JSON.stringify({ action, requestID: '1', data }));
    const frame = await answer;
    assert.equal(frame['code'], 0, JSON.stringify(frame));
    return frame['data'] as Body;
  };
  await ask('login', {});
  return { ask, pushed, close: () => { socket.close(); } };
}
