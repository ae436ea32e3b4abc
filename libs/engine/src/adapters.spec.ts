import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AdapterRunner, Adapters } from './adapters.js';
import type { AdapterLayout, LayerUpdate, PreparedAdapter } from './adapters-prepared.js';

const adapter = (number: number): AdapterLayout => ({ digest: `adapter ${number}`, kind: 'lora', packed: {} });
const update: LayerUpdate = { kind: 'lora', packed: {}, inputs: {} };

/** A model that merges when it is told to. */
function runner() {
  const released: PreparedAdapter[] = [];
  const merges: (() => void)[] = [];
  const made: AdapterRunner = {
    prepareAdapter: async () => ({ ...update }),
    mergeAdapter: (prepared) =>
      new Promise((resolve) =>
        merges.push(() =>
          resolve({ prepared: { ...prepared } as never, release: async () => void released.push(prepared) }),
        ),
      ),
  };
  return { made, merges, released };
}

describe('the live adapter', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is merged when it stays live, under the name it has, and freed when the last sequence on it is over', async () => {
    const { made, merges, released } = runner();
    const adapters = new Adapters(made, 'base', { mergeAfterMs: 100 });
    const [a, b] = [adapter(1), adapter(2)];
    for (const each of [a, b]) await adapters.load(each);
    adapters.setLive(a.digest);
    const before = adapters.live;
    await vi.advanceTimersByTimeAsync(99);
    expect(merges.length).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    merges.shift()!();
    await vi.advanceTimersByTimeAsync(0);
    expect(adapters.isMerged).toBe(true);
    const merged = adapters.live;
    expect(merged.id).toEqual(before.id);
    expect(merged.prepared).not.toBe(before.prepared);
    expect(adapters.find(a.digest)).toBe(merged);
    merged.hold!(); // a sequence begins
    adapters.setLive(b.digest);
    expect(adapters.find(a.digest)!.prepared).toBe(before.prepared);
    expect(released).toEqual([]);
    merged.drop!();
    expect(released).toEqual([before.prepared]);
    await adapters.close();
  });

  it('is not merged when another went live meanwhile', async () => {
    const { made, merges, released } = runner();
    const adapters = new Adapters(made, 'base', { mergeAfterMs: 0 });
    const [a, b] = [adapter(1), adapter(2)];
    for (const each of [a, b]) await adapters.load(each);
    adapters.setLive(a.digest);
    await vi.advanceTimersByTimeAsync(0);
    adapters.setLive(null);
    merges.shift()!();
    await vi.advanceTimersByTimeAsync(0);
    expect(adapters.isMerged).toBe(false);
    expect(adapters.live.prepared).toBeNull();
    expect(released.length).toBe(1);
  });

  it('goes on being added when there is no room for another copy of the weights', async () => {
    const made: AdapterRunner = {
      prepareAdapter: async () => update,
      mergeAdapter: () => Promise.reject(new RangeError('Array buffer allocation failed')),
    };
    const adapters = new Adapters(made, 'base', { mergeAfterMs: 0 });
    const a = adapter(1);
    await adapters.load(a);
    adapters.setLive(a.digest);
    await vi.advanceTimersByTimeAsync(10);
    expect(adapters.live.prepared).toBe(update);
  });
});

describe("an adapter's memory", () => {
  const [a, b] = [adapter(1), adapter(2)];

  /** Adapters that note what they need no more. */
  async function loadedAdapters(made: AdapterRunner = runner().made, mergeAfterMs?: number) {
    const unused: AdapterLayout[] = [];
    const adapters = new Adapters(made, 'base', { mergeAfterMs, onUnused: (layout) => unused.push(layout) });
    for (const each of [a, b]) await adapters.load(each);
    return { adapters, unused };
  }

  it('is free when it was unloaded and the last sequence on it is over', async () => {
    const { adapters, unused } = await loadedAdapters();
    const [first, second] = [adapters.find(a.digest)!, adapters.find(a.digest)!];
    first.hold!();
    second.hold!();
    adapters.unload(a.digest);
    first.drop!();
    expect(unused).toEqual([]);
    second.drop!();
    expect(unused).toEqual([a]);
    adapters.unload(b.digest);
    expect(unused).toEqual([a, b]);
  });

  it('is free when the same adapter is there already, also if it came meanwhile', async () => {
    const { adapters, unused } = await loadedAdapters();
    const [again, c, cAgain] = [adapter(1), adapter(3), adapter(3)];
    await adapters.load(again);
    expect(unused).toEqual([again]);
    await Promise.all([adapters.load(c), adapters.load(cAgain)]);
    expect(unused[1]).toBe(cAgain);
  });

  it('is not free while it is being multiplied into the weights', async () => {
    vi.useFakeTimers();
    try {
      const { made, merges } = runner();
      const { adapters, unused } = await loadedAdapters(made, 0);
      adapters.setLive(a.digest);
      await vi.advanceTimersByTimeAsync(0);
      adapters.setLive(b.digest);
      adapters.unload(a.digest);
      expect(unused).toEqual([]);
      merges.shift()!();
      await vi.advanceTimersByTimeAsync(0);
      expect(unused).toEqual([a]);
    } finally {
      vi.useRealTimers();
    }
  });
});
