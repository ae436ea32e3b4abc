import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Reporter } from './reporter.js';

let written: string[];
let reporter: Reporter;
beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  reporter = new Reporter({ write: (text: string) => written.push(text) });
});
afterEach(() => vi.useRealTimers());

const after = (ms: number) => new Promise<string>((resolve) => setTimeout(() => resolve('result'), ms));

it('says nothing about what takes less than a second', async () => {
  const work = reporter.during('starting', after(900));
  await vi.advanceTimersByTimeAsync(900);
  expect(await work).toBe('result');
  expect(written).toEqual([]);
});

it('says what takes longer, how it goes on, and that it is done', async () => {
  let detail: string | undefined;
  const work = reporter.during('starting the gateway', after(9_500), () => detail);
  await vi.advanceTimersByTimeAsync(1_500);
  detail = 'downloading the model (41 %)';
  await vi.advanceTimersByTimeAsync(8_000);
  await work;
  expect(written).toEqual([
    '  starting the gateway …\n',
    '  downloading the model (41 %) …\n',
    '  downloading the model (41 %) … 7 s\n',
    expect.stringMatching(/^ {2}starting the gateway: done in (9|10) s\n$/),
  ]);
});

it('passes a failure on', async () => {
  await expect(reporter.during('starting', Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});
