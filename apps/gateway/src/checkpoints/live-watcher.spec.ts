import type { CheckpointRepository, Notifications } from '@attune/persistence';
import { UnavailableError, type Logger } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineRestarts } from '../inference/engine-restarts.js';
import type { ServedModel } from '../inference/served-model.js';
import type { ServedWeights } from '../inference/served-weights.js';
import { LiveWatcher } from './live-watcher.js';

/** An engine on an adapter while the row says that the base is live. */
function setUp() {
  const engine = { adapter: 'old' as string | null, broken: 0, switches: 0 };
  const port = {
    makeLive: async () => {
      if (engine.broken-- > 0) throw new UnavailableError('the engine process ended');
      engine.switches += 1;
      engine.adapter = null;
      return true;
    },
  } as unknown as ServedWeights;
  const error = vi.fn();
  const restarts = new EngineRestarts();
  const watcher = new LiveWatcher(
    { error, info: () => undefined } as unknown as Logger,
    { live: async () => ({ checkpoint: null, promotion: null }) } as unknown as CheckpointRepository,
    { listen: () => undefined, start: () => undefined } as unknown as Notifications,
    port,
    { baseFingerprint: 'fp_base' } as ServedModel,
    restarts,
  );
  return { engine, watcher, restarts, error };
}

describe('the live weights', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are switched to however often it takes, and the reason is told once', async () => {
    const { engine, watcher, error } = setUp();
    engine.broken = 5;
    await watcher.onModuleInit();
    expect(engine.adapter).toBe('old');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(engine).toMatchObject({ adapter: null, switches: 1 });
    expect(error).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are looked after again when the engine’s process was replaced', async () => {
    const { engine, watcher, restarts } = setUp();
    await watcher.onModuleInit();
    engine.adapter = 'old';
    restarts.tell();
    await vi.advanceTimersByTimeAsync(0);
    expect(engine).toMatchObject({ adapter: null, switches: 2 });
  });

  it('fail aloud for who asked, go on being tried, and are let be when the gateway stops', async () => {
    const { engine, watcher } = setUp();
    engine.broken = 1;
    await expect(watcher.refresh()).rejects.toThrow('the engine process ended');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(engine.adapter).toBeNull();
    Object.assign(engine, { adapter: 'old', broken: 1 });
    await watcher.refresh().catch(() => undefined);
    watcher.onModuleDestroy();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(engine.adapter).toBe('old');
  });
});
