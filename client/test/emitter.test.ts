import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Emitter } from '../src/emitter.js';

interface Events {
  number: number;
  text: string;
}

test('a handler gets the name and the data, and its context as this', () => {
  const emitter = new Emitter<Events>();
  const seen: unknown[] = [];
  const context = { mark: 1 };
  emitter.on('number', function (this: unknown, event) {
    seen.push(this, event);
  }, context);
  emitter.emit('number', 7);
  emitter.emit('text', 'nobody listens');
  assert.deepEqual(seen, [context, { name: 'number', data: 7 }]);
});

test('once is once, even when its handler emits again', () => {
  const emitter = new Emitter<Events>();
  let count = 0;
  emitter.once('number', () => {
    count += 1;
    emitter.emit('number', 2);
  });
  emitter.emit('number', 1);
  assert.equal(count, 1);
  assert.equal(emitter.has('number'), false);
});

test('off works with the context and without', () => {
  const emitter = new Emitter<Events>();
  const handler = (): void => assert.fail('it was removed');
  const context = {};
  emitter.on('number', handler, context);
  emitter.off('number', handler);
  emitter.on('number', handler, context);
  emitter.off('number', handler, context);
  emitter.once('number', handler);
  emitter.off('number', handler);
  emitter.emit('number', 1);
});

test('off with another context leaves a handler where it is', () => {
  const emitter = new Emitter<Events>();
  let count = 0;
  const handler = (): void => void (count += 1);
  emitter.on('number', handler, {});
  emitter.off('number', handler, {});
  emitter.off('text', handler);
  emitter.emit('number', 1);
  assert.equal(count, 1);
});

test('a handler that throws is reported and stops nobody', () => {
  const reports: unknown[] = [];
  const emitter = new Emitter<Events>(undefined, (message, error) => reports.push(message, error));
  const error = new Error('the app has a bug');
  let count = 0;
  emitter.on('text', () => {
    throw error;
  });
  emitter.on('text', () => void (count += 1));
  emitter.emit('text', '');
  assert.equal(count, 1);
  assert.deepEqual(reports, ['a handler of text threw', error]);
});

test('a handler may remove itself and others while it runs', () => {
  const emitter = new Emitter<Events>();
  const seen: string[] = [];
  const first = (): void => {
    seen.push('first');
    emitter.off('text', first);
    emitter.on('text', () => seen.push('third'));
  };
  emitter.on('text', first);
  emitter.on('text', () => seen.push('second'));
  emitter.emit('text', '');
  assert.deepEqual(seen, ['first', 'second']);
  emitter.emit('text', '');
  assert.deepEqual(seen, ['first', 'second', 'second', 'third']);
});

test('the first listener of a name is announced, the second is not', () => {
  const first: unknown[] = [];
  const emitter = new Emitter<Events>((name) => first.push(name));
  const handler = (): void => {};
  emitter.on('text', handler);
  emitter.on('text', () => {});
  emitter.once('number', handler);
  assert.deepEqual(first, ['text', 'number']);
  assert.equal(emitter.has('text'), true);
  emitter.clear();
  assert.equal(emitter.has('text'), false);
});

test('what is not a function is reported when it is added, not when it is called', () => {
  const reports: string[] = [];
  const emitter = new Emitter<Events>(undefined, (message) => reports.push(message));
  emitter.on('text', undefined as never);
  emitter.emit('text', '');
  assert.deepEqual(reports, ["on('text') needs a function"]);
});
