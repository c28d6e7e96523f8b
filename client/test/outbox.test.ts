import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { ChatError } from '../src/errors.js';
import { createMessage } from '../src/model/message.js';
import { Outbox } from '../src/net/outbox.js';
import { inTime } from '../src/net/timeout.js';
import { Requests, type Cancellation } from '../src/net/requests.js';
import type { Message } from '../src/types.js';
import type { SendMessage, WireMessage } from '../src/wire.js';

type Answer = (data: Record<string, unknown>) => unknown;

/** Requests that are answered as the test says, one answer for each. */
class Scripted {
  readonly asked: { action: string; data: Record<string, unknown> }[] = [];
  readonly answers: Answer[] = [];
  readonly requestWithRetry = Requests.prototype.requestWithRetry;
  readonly spaced = (Requests.prototype as unknown as { spaced: (after: number) => number }).spaced;
  lastRetryAt = 0;

  request(action: string, data: Record<string, unknown>): Promise<unknown> {
    this.asked.push({ action, data });
    const answer = this.answers.shift();
    assert.ok(answer, `nobody expected ${action}`);
    return (async () => answer(data))();
  }

  get outbox(): Outbox {
    return new Outbox(this as unknown as Requests);
  }
}

function text(to = 'bob'): Message {
  const options = { to, conversationType: 'C2C', payload: { text: '你好' } } as const;
  return createMessage('TIMTextElem', options, { userID: 'alice', instance: 1, now: 0 });
}

function wire(data: Record<string, unknown>, sequence: number): WireMessage {
  const { to, clientID, type, payload } = data as unknown as SendMessage;
  return { from: 'alice', to, conversationType: 'C2C', clientID, sequence, time: 1, type, payload };
}

const sent = (sequence: number): Answer => (data) => ({ message: wire(data, sequence) });
const refused = (code: number, data: object = {}): Answer => () => { throw new ChatError(code, '', data); };

/** Time passes whenever somebody waits. */
function withoutWaiting(context: TestContext): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  const ticking = setInterval(() => mock.timers.tick(60_000), 1);
  context.after(() => { clearInterval(ticking); mock.timers.reset(); });
}

test('a base that does not fit: the message is looked for, and found', async () => {
  const connection = new Scripted();
  const message = text();
  const found = wire({ to: 'bob', clientID: message.ID, type: message.type, payload: {} }, 7);
  connection.answers.push(
    refused(20004, { lastSequence: 9 }),
    () => ({ messageList: [], nextSequence: 6, isCompleted: false }),
    () => ({ messageList: [found], nextSequence: 0, isCompleted: true }),
  );
  assert.equal(await connection.outbox.send(message, 3), found);
  const ranges = connection.asked.slice(1).map(({ data }) => [data['fromSequence'], data['toSequence']]);
  assert.deepEqual(ranges, [[4, 9], [6, 9]]);
});

test('a base that does not fit: the message is not there, and is composed anew under the same ID', async () => {
  const connection = new Scripted();
  connection.answers.push(
    refused(20004, { lastSequence: 9 }),
    () => ({ messageList: [], nextSequence: 0, isCompleted: true }),
    sent(10),
  );
  const message = text();
  assert.equal((await connection.outbox.send(message, 3)).sequence, 10);
  const attempts = connection.asked.filter(({ action }) => action === 'sendMessage').map(({ data }) => [data['clientID'], data['base']]);
  assert.deepEqual(attempts, [[message.ID, 3], [message.ID, 9]]);
});

test('a failure of the server is tried again with the same ID and base, until it is given up', async (context) => {
  withoutWaiting(context);
  const connection = new Scripted();
  connection.answers.push(refused(20005), refused(60007), refused(20004), sent(4));
  const message = text();
  const { outbox } = connection;
  assert.equal((await outbox.send(message, 3)).sequence, 4);
  assert.deepEqual(new Set(connection.asked.map(({ data }) => JSON.stringify(data))).size, 1);

  connection.answers.push(...Array.from({ length: 6 }, () => refused(20005)));
  await assert.rejects(outbox.send(text(), 4), { code: 20005 });
});

test('what comes too early is sent again unchanged after the time that the server says, in order', async (context) => {
  withoutWaiting(context);
  const connection = new Scripted();
  const early = refused(60007, { retryAfterSeconds: 2 });
  connection.answers.push(early, early, sent(1), sent(2));
  const { outbox } = connection;
  const all = await Promise.all([outbox.send(text(), 0), outbox.send(text(), 0)]);
  assert.deepEqual(all.map(({ sequence }) => sequence), [1, 2]);
  const [first, second, third, next] = connection.asked.map(({ data }) => JSON.stringify(data));
  assert.ok(first === second && second === third && next !== third);
});

test('a limit that lasts longer than anybody waits is told at once', async () => {
  const connection = new Scripted();
  connection.answers.push(refused(60007, { retryAfterSeconds: 36 }));
  await assert.rejects(connection.outbox.send(text(), 0), { code: 60007 });
  assert.equal(connection.asked.length, 1);
});

test('requests that came too early together come back one after another', () => {
  const connection = new Scripted();
  const waits = Array.from({ length: 5 }, () => connection.spaced(1_000));
  waits.forEach((wait, index) => assert.ok(Math.abs(wait - 1_000 - 100 * index) < 50, String(waits)));
  // The device's clock was set back by an hour.
  connection.lastRetryAt += 3_600_000;
  assert.ok(connection.spaced(1_000) < 1_050);
});

test('what is refused is not tried again', async () => {
  const connection = new Scripted();
  connection.answers.push(refused(20007));
  await assert.rejects(connection.outbox.send(text(), 0), { code: 20007 });
  assert.equal(connection.asked.length, 1);
});

test('of one conversation one message is under way, of several each', async () => {
  const connection = new Scripted();
  const release: (() => void)[] = [];
  const later = (sequence: number): Answer => async (data) => {
    await new Promise<void>((resolve) => release.push(resolve));
    return sent(sequence)(data);
  };
  connection.answers.push(later(1), later(1), later(2));
  const { outbox } = connection;
  const all = [outbox.send(text('bob'), 0), outbox.send(text('bob'), 0), outbox.send(text('carol'), 0)];
  assert.deepEqual(connection.asked.map(({ data }) => data['to']), ['bob', 'carol']);
  release.shift()?.();
  await all[0];
  await new Promise(setImmediate);
  assert.deepEqual(connection.asked.map(({ data }) => data['to']), ['bob', 'carol', 'bob']);
  for (const each of release) each();
  await Promise.all(all);
});

test('a message that waits can be given up, and is not sent', async () => {
  const connection = new Scripted();
  connection.answers.push(sent(1));
  const { outbox } = connection;
  const [first, second] = [text(), text()];
  const sending = outbox.send(first, 0);
  const waiting = outbox.send(second, 0);
  outbox.cancel(second.ID, new ChatError(2100, 'it was deleted'));
  await assert.rejects(waiting, { code: 2100 });
  await sending;
  await new Promise(setImmediate);
  assert.equal(connection.asked.length, 1);
  assert.equal(outbox.has(second.ID), false);
});

test('of messages that have failed the latest are remembered, and those that are on their way', async () => {
  const connection = new Scripted();
  const { outbox } = connection;
  let arrive = (): void => {};
  connection.answers.push(
    (data) => new Promise((resolve) => { arrive = () => resolve(sent(8)(data)); }),
    ...Array.from({ length: 50 }, () => refused(20007)),
  );
  const waiting = text('carol');
  const sending = outbox.send(waiting, 7);
  const failed = Array.from({ length: 50 }, () => text());
  for (const message of failed) await assert.rejects(outbox.send(message, 3), { code: 20007 });
  outbox.forget(20);
  const kept = [...(outbox as unknown as { bases: Map<string, number> }).bases.keys()];
  assert.deepEqual(kept, [waiting.ID, ...failed.slice(-19).map((message) => message.ID)]);
  arrive();
  await sending;
});

test('what takes too long says so, and not that it was given up', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const cancellation: Cancellation = {};
  const work = new Promise<never>((_, reject) => { cancellation.forget = () => reject(new Error('it was given up')); });
  const waited = assert.rejects(inTime({ isOpen: true }, 1, cancellation, work, 'try again'), { code: 2801 });
  context.mock.timers.tick(1_000);
  await waited;
  assert.equal(cancellation.isCancelled, true);
});
