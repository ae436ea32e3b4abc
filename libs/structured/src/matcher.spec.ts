import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Matcher, type WaitBudget } from './matcher.js';
import { markBroken } from './shared-matcher.js';
import { DONE, MASK } from './thread-protocol.js';

const workers: Worker[] = [];
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.terminate())));

function matcherOf(budget: WaitBudget, words = new Int32Array(new SharedArrayBuffer((MASK + 1) * 4))) {
  const commands = { accept: () => {}, rollback: () => {}, close: () => {}, alive: () => true };
  return { words, matcher: new Matcher(words, commands, budget) };
}

/** Carries out one more command every so often. */
async function carryOut(words: Int32Array, everyMs: number) {
  const code = `const { workerData, parentPort } = require('node:worker_threads');
    parentPort.postMessage('up');
    for (;;) { Atomics.wait(workerData, ${MASK}, 0, ${everyMs}); Atomics.add(workerData, ${DONE}, 1); Atomics.notify(workerData, ${DONE}); }`;
  const worker = new Worker(code, { eval: true, workerData: words });
  workers.push(worker);
  await new Promise((resolve) => worker.once('message', resolve));
}

describe('a matcher', () => {
  it('gives up after one wait that is too long, and does not wait again', () => {
    const { matcher } = matcherOf({ lateMs: 5, mostLate: 3, longestMs: 30 });
    expect(() => matcher.mask()).toThrow(/takes too long to follow/);
    const started = performance.now();
    expect(() => matcher.state).toThrow(/takes too long to follow/);
    expect(performance.now() - started).toBeLessThan(30);
  });

  it('gives up when masks came late the third time', async () => {
    const { matcher, words } = matcherOf({ lateMs: 5, mostLate: 3, longestMs: 60_000 });
    await carryOut(words, 50);
    // Ten commands are ten turns of the thread, so that each wait is long whenever it begins.
    const wait = () => {
      const target = Atomics.load(words, DONE) + 10;
      Object.assign(matcher, { sent: target });
      return matcher.state;
    };
    expect(wait()).toBe('open');
    expect(wait()).toBe('open');
    expect(wait).toThrow(/takes too long to follow/);
  });

  it('that its thread gave up says so at once', () => {
    const { matcher, words } = matcherOf({ lateMs: 5, mostLate: 3, longestMs: 60_000 });
    markBroken(words);
    matcher.accept(1);
    expect(() => matcher.mask()).toThrow(/could not be followed/);
  });
});
