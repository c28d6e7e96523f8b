/** A server that says what a test has written: for what the twin does too well, or too seldom. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

import type { Server } from './user.js';

type Data = Record<string, any>;

/** What an action is answered with: the data, or a refusal with its `code`. */
export type Script = Record<string, (data: Data) => Data>;

export interface ScriptedServer extends Server {
  /** What is asked for, in its order. */
  asked: [action: string, data: Data][];
  script: Script;
  /** What `login` says besides. */
  page: Data;
  push(event: string, data: unknown): void;
  cut(): void;
  stop(): Promise<void>;
}

export const EMPTY_PAGE = { conversationList: [], profileList: [], nextReqConversationID: '', isCompleted: true, completeFrom: 0 };

export async function startScript(): Promise<ScriptedServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const sockets = new Set<WebSocket>();
  const scripted: ScriptedServer = {
    proxyServer: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    userSig: () => 'sig',
    asked: [],
    script: {},
    page: EMPTY_PAGE,
    push(event, data) { for (const socket of sockets) socket.send(JSON.stringify({ event, data })); },
    cut() { for (const socket of sockets) socket.terminate(); },
    async stop() {
      scripted.cut();
      server.close();
      await once(server, 'close');
    },
  };
  const now = Math.floor(Date.now() / 1000);
  server.on('connection', (socket, { url = '' }) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const userID = new URLSearchParams(url.split('?')[1]).get('userID') ?? '';
    const known: Script = {
      login: () => ({
        userID, platform: 'x', serverTime: now, userSigExpireTime: now + 86_400, connectedTime: now, connectionSeconds: 7_200,
        heartbeatSeconds: 240, pageSize: 15, maxMessageBytes: 12_288, recallSeconds: 120, version: '0',
        profile: { userID, lastUpdatedTime: 1, nick: userID }, conversationPage: scripted.page,
      }),
      getConversationList: () => EMPTY_PAGE,
      getUserProfile: ({ userIDList }) => ({ profileList: userIDList.map((each: string) => ({ userID: each, lastUpdatedTime: 1, nick: `${each}的昵称` })) }),
      getGroupMemberProfile: ({ userIDList }) => ({ memberList: userIDList.map((each: string) => ({ userID: each, role: 'Member', joinTime: 1, nameCard: `${each}的名片` })) }),
      getMessageList: ({ ranges }) => ({ rangeList: (ranges ?? []).map(({ conversationID }: Data) => ({ conversationID, messageList: [], nextSequence: 0, isCompleted: true })) }),
    };
    socket.on('message', (frame) => {
      const { action, requestID, data } = JSON.parse(String(frame)) as { action: string; requestID?: string; data: Data };
      if (action === 'ping') return;
      scripted.asked.push([action, data]);
      const said = (scripted.script[action] ?? known[action] ?? (() => ({})))(data);
      const reply = 'code' in said ? { code: said['code'], message: said['message'], data: said } : { code: 0, message: '', data: said };
      if (requestID) socket.send(JSON.stringify({ action, requestID, ...reply }));
    });
  });
  return scripted;
}
