import type { InstanceRepository } from '@attune/persistence';
import { createLogger, type Clock } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayInstance } from './gateway-instance.js';

describe('whether a gateway may call others ended', () => {
  let beat: ReturnType<typeof vi.fn<() => Promise<void>>>;
  let leave: ReturnType<typeof vi.fn<() => Promise<void>>>;
  let instance: GatewayInstance;
  beforeEach(async () => {
    vi.useFakeTimers();
    beat = vi.fn(async () => undefined);
    leave = vi.fn(async () => undefined);
    const instances = { beat, forgetDead: async () => undefined, leave };
    const clock = { now: () => new Date(), monotonicMs: () => Date.now() } as Clock;
    instance = new GatewayInstance(clock, createLogger('test', 'silent'), instances as unknown as InstanceRepository);
    await instance.onModuleInit();
  });
  afterEach(async () => {
    await instance.end();
    vi.useRealTimers();
  });

  it('it may while the database takes its own beats', async () => {
    expect(instance.canJudge).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(instance.canJudge).toBe(true);
  });

  it('it may not until others had time to be heard after the database refused a beat', async () => {
    beat.mockRejectedValueOnce(new Error('away'));
    await vi.advanceTimersByTimeAsync(3_000 + 14_000);
    expect(instance.canJudge).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(instance.canJudge).toBe(true);
  });

  it('it may not while the database stands still, nor until others had time to be heard after that', async () => {
    const stalled = new Promise<void>((resolve) => setTimeout(resolve, 20_000));
    beat.mockImplementation(() => stalled);
    await vi.advanceTimersByTimeAsync(18_000);
    expect(instance.canJudge).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    beat.mockImplementation(async () => undefined);
    await vi.advanceTimersByTimeAsync(13_000);
    expect(instance.canJudge).toBe(false);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(instance.canJudge).toBe(true);
  });

  it('it ends also where the database hears nothing', async () => {
    leave.mockImplementationOnce(() => new Promise(() => undefined)).mockRejectedValueOnce(new Error('away'));
    const ended = instance.end();
    await vi.advanceTimersByTimeAsync(2_000);
    await ended;
    await instance.end();
    expect(leave).toHaveBeenCalledTimes(2);
  });
});
