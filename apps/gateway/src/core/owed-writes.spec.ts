import { QueryFailedError } from 'typeorm';
import { createLogger, NotFoundError } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OwedWrites } from './owed-writes.js';

const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });

describe('what is owed to the database', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setUp() {
    const owed = new OwedWrites(createLogger('test', 'silent'));
    let there = false;
    const write = vi.fn(async () => {
      if (!there) throw away;
    });
    return { owed, write, comeBack: () => (there = true) };
  }

  it('is written when the database is back, however long that takes', async () => {
    const { owed, write, comeBack } = setUp();
    const written = owed.keep('a row', write);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(write.mock.calls.length).toBeGreaterThan(600);
    comeBack();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await written).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks once a round while the database is away, not once for each write', async () => {
    const { owed, write, comeBack } = setUp();
    const all = Array.from({ length: 100 }, () => owed.keep('a row', write));
    await vi.advanceTimersByTimeAsync(200);
    expect(write.mock.calls.length).toBeLessThanOrEqual(4);
    comeBack();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await Promise.all(all)).toEqual(Array(100).fill(true));
  });

  it('is given up where the database says that it never will be, and others behind it are written', async () => {
    const { owed } = setUp();
    const gone = owed.keep('a row', () => Promise.reject(new NotFoundError('no such row')));
    const full = owed.keep('a row', vi.fn().mockRejectedValueOnce(new Error('disk full')).mockResolvedValue(null));
    const good = owed.keep('a row', async () => undefined);
    await vi.advanceTimersByTimeAsync(200);
    expect(await Promise.all([gone, good])).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await full).toBe(true);
  });

  it('holds nothing up where it hangs, and no more than one connection', async () => {
    const { owed } = setUp();
    const hung = vi.fn(() => new Promise(() => undefined));
    for (let count = 0; count < 4; count++) void owed.keep('a row', hung);
    const good = owed.keep('a row', async () => undefined);
    await vi.advanceTimersByTimeAsync(10_200);
    expect(await good).toBe(true);
    const late = owed.keep('a row', async () => undefined);
    await vi.advanceTimersByTimeAsync(200);
    expect(await late).toBe(true);
    expect(hung).toHaveBeenCalledTimes(4);
  });

  it('is tried again when it hung and failed after all', async () => {
    const { owed } = setUp();
    let fail: (error: Error) => void = () => undefined;
    const hangs = () => new Promise((_resolve, reject) => (fail = reject));
    const kept = owed.keep('a row', vi.fn().mockImplementationOnce(hangs).mockResolvedValue(null));
    await vi.advanceTimersByTimeAsync(60_000);
    fail(away);
    await vi.advanceTimersByTimeAsync(200);
    expect(await kept).toBe(true);
  });

  it('may be made possible by an operator, for a quarter of an hour, and slows no others meanwhile', async () => {
    const { owed } = setUp();
    const denied = new QueryFailedError('update', [], Object.assign(new Error('denied'), { code: '42501' }));
    const write = vi.fn(() => Promise.reject(denied));
    const lost = owed.keep('a row', write);
    await vi.advanceTimersByTimeAsync(60_000);
    const good = owed.keep('a row', async () => undefined);
    await vi.advanceTimersByTimeAsync(200);
    expect(await good).toBe(true);
    await vi.advanceTimersByTimeAsync(900_000);
    expect(await lost).toBe(false);
    expect(write).toHaveBeenCalledTimes(13);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is tried once more when the gateway ends, and holds nothing up', async () => {
    const { owed, write, comeBack } = setUp();
    const kept = owed.keep('a row', write);
    comeBack();
    await owed.end();
    expect([await kept, await owed.keep('another', write), vi.getTimerCount()]).toEqual([true, false, 0]);

    const hung = new OwedWrites(createLogger('test', 'silent'));
    const lost = hung.keep('a row', () => new Promise(() => undefined));
    const ended = hung.end();
    await vi.advanceTimersByTimeAsync(2_000);
    await ended;
    expect(await lost).toBe(false);
  });

  it('takes so many tidyings and no more, and what people were told all the same', async () => {
    const { owed, write, comeBack } = setUp();
    const tidyings = Array.from({ length: 10_001 }, () => owed.tidy('a trace', write));
    expect(await tidyings.at(-1)).toBe(false);
    const told = owed.keep('a row', write);
    comeBack();
    await vi.advanceTimersByTimeAsync(200);
    expect(await told).toBe(true);
    expect((await Promise.all(tidyings)).filter((written) => !written)).toHaveLength(1);
    const late = owed.tidy('a trace', write);
    await vi.advanceTimersByTimeAsync(200);
    expect(await late).toBe(true);
  });
});
