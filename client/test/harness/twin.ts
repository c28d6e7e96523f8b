/** The laptop twin, as `cargo run` starts it: in memory, on free ports, with a clock that a test can advance. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chunks } from '../../src/lists.js';

const PROGRAM = process.env['HONGYAN'] ?? fileURLToPath(new URL('../../../target/debug/hongyan', import.meta.url));

export const SDK_APP_ID = 1_400_000_000;

/** Conversations of a user with `peer-00000`, `peer-00001` and so on, the first one the newest, a minute apart. */
export interface Crowd {
  count: number;
  /** How many messages each of them has, all of the peer's. */
  messages?: number;
  /** How many of those the user has read. */
  read?: number;
  /** How many bytes their texts have besides. */
  bytes?: number;
  /** Before when the newest of them was, in ms. */
  age?: number;
}

/** So many items one write takes, and so many of them are made at once. */
const [BATCH, AT_ONCE] = [25, 8];

export interface Twin {
  /** What a client passes to `create` as `proxyServer`. */
  proxyServer: string;
  /** Where a browser goes. */
  url: string;
  /** Lets time pass on the server. */
  advance(ms: number): Promise<void>;
  userSig(userID: string, expireSeconds?: number): string;
  /** Puts conversations of a user into the tables: see `Crowd`. */
  crowd(userID: string, crowd: Crowd): Promise<void>;
  /** Makes the write that kicks a user, as docs/operate.md has it. Returns the connections that were open. */
  kick(userID: string): Promise<string[]>;
  /** Pushes a frame to a connection, if there is one, and ends it. */
  end(connectionID: string, frame?: unknown): Promise<void>;
  stop(): Promise<void>;
}

export async function startTwin(...options: string[]): Promise<Twin> {
  // Where the clock stands still, an allowance is never filled up again.
  const limits = options.includes('--frames-per-second') ? [] : ['--frames-per-second', '0'];
  const child = spawn(PROGRAM, ['--json', '--port', '0', '--in-memory', '--manual-clock', ...limits, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${PROGRAM} does not run: build it with cargo build --workspace --bins`);
    return JSON.parse(value as string) as Record<string, unknown>;
  };
  const started = Date.now();
  const ready = await line();
  const proxyServer = ready['webSocketUrl'] as string;
  const key = ready['key'] as string;
  // The twin's clock stands still but for what the test adds.
  let advanced = 0;
  const dynamodb = async (action: string, body: object): Promise<Record<string, object>> => {
    const answer = await fetch(ready['dynamodbUrl'] as string, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${action}`,
        authorization: 'AWS4-HMAC-SHA256 Credential=local/20261123/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
        'x-amz-date': '20261123T000000Z',
      },
      body: JSON.stringify(body),
    });
    return await answer.json() as Record<string, object>;
  };
  return {
    proxyServer,
    url: `http://${new URL(proxyServer).host}`,
    async advance(ms) {
      advanced += ms;
      child.stdin.write(`${ms}\n`);
      await line();
    },
    userSig(userID, expireSeconds = 7 * 24 * 60 * 60) {
      // It is issued at the real time and judged at the twin's.
      const expire = expireSeconds + Math.floor((started + advanced - Date.now()) / 1000);
      const options = ['--key', key, '--user-id', userID, '--expire', String(expire)];
      return execFileSync(PROGRAM, ['sig', 'issue', ...options], { encoding: 'utf8' }).trim();
    },
    async crowd(userID, { count, messages = 1, read = 0, bytes = 0, age = 7_200_000 }) {
      const items: [table: string, item: Record<string, unknown>][] = [];
      const S = (value: string): object => ({ S: value });
      const N = (value: number): object => ({ N: String(value) });
      for (let number = 0; number < count; number++) {
        const peer = `peer-${String(number).padStart(5, '0')}`;
        const [low, high] = userID < peer ? [userID, peer] : [peer, userID];
        const key = S(`${low}·${high}`);
        const time = N(started + advanced - age - number * 60_000);
        for (const [u, v] of [[low, high], [high, low]] as const) items.push(['Conversations', { u: S(u), v: S(v), t: time, s: time }]);
        for (let sequence = 1; sequence <= messages; sequence++) {
          const [a, z] = low === peer ? [sequence, 0] : [0, sequence];
          items.push(['Messages', {
            p: key, s: S(`M${String(sequence).padStart(12, '0')}`), f: S(peer), c: S(`${peer}-${sequence}`), t: time, y: S('TIMTextElem'),
            d: S(JSON.stringify({ text: `${number}/${sequence}${' '.repeat(bytes)}` })), a: N(a), z: N(z), w: time,
          }]);
        }
        if (read > 0) items.push(['Messages', { p: key, s: S(`R#${userID}`), n: N(read), q: N(read), t: time }]);
        items.push(['Users', { u: S(peer), s: S('P'), t: N(1), nick: S(`用户${number}`), avatar: S(`https://example.com/${number}.png`) }]);
      }
      const batches = chunks(items, BATCH);
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        for (let batch = batches.pop(); batch; batch = batches.pop()) {
          const RequestItems: Record<string, object[]> = {};
          for (const [table, Item] of batch) (RequestItems[table] ??= []).push({ PutRequest: { Item } });
          const { UnprocessedItems } = await dynamodb('BatchWriteItem', { RequestItems });
          if (Object.keys(UnprocessedItems ?? { '': '' }).length > 0) throw new Error(JSON.stringify(UnprocessedItems));
        }
      }));
    },
    async kick(userID) {
      // The next second of those who sign: every signature of before is older.
      const now = { N: String(Math.floor(Date.now() / 1000) + 1) };
      const { Attributes } = await dynamodb('UpdateItem', {
        TableName: 'Connections',
        Key: { u: { S: userID }, s: { S: 'C' } },
        UpdateExpression: 'SET b = :now, k = :k, x = :k',
        ExpressionAttributeValues: { ':now': now, ':k': { N: '253402300799' } },
        ReturnValues: 'ALL_OLD',
      }) as { Attributes: Record<string, { M: { c: { S: string } } }> };
      return Object.entries(Attributes).filter(([name]) => name.startsWith('@')).map(([, slot]) => slot.M.c.S);
    },
    async end(connectionID, frame) {
      const url = `${ready['managementUrl'] as string}/@connections/${encodeURIComponent(connectionID)}`;
      if (frame) await fetch(url, { method: 'POST', body: JSON.stringify(frame) });
      await fetch(url, { method: 'DELETE' });
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
