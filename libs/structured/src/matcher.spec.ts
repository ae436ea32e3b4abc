import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Matcher } from './matcher.js';
import { markBroken } from './shared-matcher.js';
import { DONE, MASK } from './thread-protocol.js';

const workers: Worker[] = [];
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.terminate())));

function matcherOf(longestMs: number, words = new Int32Array(new SharedArrayBuffer((MASK + 1) * 4))) {
  const ended: true[] = [];
  const commands = {
    accept: () => {},
    rollback: () => {},
    close: () => {},
    alive: () => ended.length === 0,
    hangs: () => void ended.push(true),
  };
  return { words, ended, matcher: new Matcher(words, commands, longestMs) };
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
  it('gives up when a mask takes too long, ends the thread that hangs, and does not wait again', () => {
    const { matcher, ended } = matcherOf(30);
    expect(matcher.isReady(0)).toBe(false);
    expect(ended).toEqual([]);
    expect(() => matcher.mask()).toThrow(/takes too long to follow/);
    const started = performance.now();
    expect(() => matcher.state).toThrow(/takes too long to follow/);
    expect(performance.now() - started).toBeLessThan(30);
    expect(ended).toEqual([true]);
  });

  it('is waited for no longer than the caller has time', async () => {
    const { matcher, words } = matcherOf(60_000);
    const started = performance.now();
    expect(matcher.isReady(0)).toBe(false);
    expect(matcher.isReady(20)).toBe(false);
    expect(performance.now() - started).toBeGreaterThanOrEqual(20);
    await carryOut(words, 50);
    expect(matcher.isReady(60_000)).toBe(true);
    expect(matcher.state).toBe('open');
    matcher.accept(1);
    matcher.accept(1);
    expect(matcher.mask()).toHaveLength(1); // waits for both
  });

  it('that its thread gave up says so at once', () => {
    const { matcher, words } = matcherOf(60_000);
    markBroken(words);
    matcher.accept(1);
    expect(() => matcher.mask()).toThrow(/could not be followed/);
  });
});
