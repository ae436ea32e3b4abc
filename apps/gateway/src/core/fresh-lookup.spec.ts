import type { Clock } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { FreshLookup } from './fresh-lookup.js';

function setUp(options: { mostKept?: number } = {}) {
  const clock = { ms: 0, now: () => new Date(0), monotonicMs: () => clock.ms };
  const source = { value: 'a', asked: 0, answer: async () => source.value };
  const lookup = new FreshLookup<string>({
    look: (name) => {
      source.asked += 1;
      return source.answer().then((value) => name + value);
    },
    freshMs: 100,
    clock: clock as Clock,
    isKept: (value) => value !== 'x?',
    ...options,
  });
  return { clock, source, lookup };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a lookup that stays fresh', () => {
  it('asks once for all who ask together', async () => {
    const { source, lookup } = setUp();
    expect(await Promise.all([lookup.get('x'), lookup.get('x'), lookup.get('x')])).toEqual(['xa', 'xa', 'xa']);
    expect(source.asked).toBe(1);
  });

  it('asks again behind whoever asks in the second half of the time, and lets nobody wait', async () => {
    const { clock, source, lookup } = setUp();
    await lookup.get('x');
    source.value = 'b';
    clock.ms = 49;
    expect(await lookup.get('x')).toBe('xa');
    expect(source.asked).toBe(1);
    clock.ms = 50;
    expect(await lookup.get('x')).toBe('xa');
    await turn();
    expect(source.asked).toBe(2);
    expect(await lookup.get('x')).toBe('xb');
  });

  it('gives nothing that is older than it may be, and tells when the source is away', async () => {
    const { clock, source, lookup } = setUp();
    await lookup.get('x');
    source.answer = () => Promise.reject(new Error('away'));
    clock.ms = 99;
    expect(await lookup.get('x')).toBe('xa');
    clock.ms = 100;
    await turn();
    await expect(lookup.get('x')).rejects.toThrow('away');
  });

  it('forgets what was looked up before a change, also when the answer comes after it', async () => {
    const { source, lookup } = setUp();
    const before = lookup.get('x');
    lookup.forgetAll();
    source.value = 'b';
    expect(await before).toBe('xa');
    expect(await lookup.get('x')).toBe('xb');
  });

  it('keeps only so many, and not what is not to be kept', async () => {
    const { source, lookup } = setUp({ mostKept: 1 });
    await lookup.get('x');
    await lookup.get('y');
    await lookup.get('x');
    expect(source.asked).toBe(3);
    lookup.forgetAll();
    source.value = '?';
    await lookup.get('x');
    await lookup.get('x');
    expect(source.asked).toBe(5);
  });
});
