import { describe, expect, it } from 'vitest';
import { orStopped, RunStopped } from './run-stopped.js';

describe('work that hears no signal', () => {
  it('is waited for as long as nobody stops the run', async () => {
    const signal = new AbortController().signal;
    expect(await orStopped(Promise.resolve('loaded'), signal)).toBe('loaded');
    await expect(orStopped(Promise.reject(new Error('not there')), signal)).rejects.toThrow('not there');
  });
  it('holds up no stop, before it or in its midst', async () => {
    const stop = new AbortController();
    const waiting = orStopped(new Promise(() => undefined), stop.signal);
    stop.abort(new RunStopped('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    await expect(orStopped(Promise.resolve('loaded'), stop.signal)).rejects.toThrow('cancelled');
  });
});
