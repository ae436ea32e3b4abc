import { describe, expect, it } from 'vitest';
import { Turnstile } from './turnstile.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a turnstile', () => {
  it('lets many in together, but nobody beside one who is alone', async () => {
    const turnstile = new Turnstile();
    const log: string[] = [];
    await turnstile.enter();
    await turnstile.enter();
    const alone = turnstile.runAlone(async () => {
      log.push('alone');
      await turn();
      log.push('alone leaves');
    });
    const late = turnstile.enter().then(() => log.push('late'));
    await turn();
    expect(log).toEqual([]);
    expect(turnstile.load).toBe(4);
    turnstile.leave();
    await turn();
    expect(log).toEqual([]);
    turnstile.leave();
    await Promise.all([alone, late]);
    expect(log).toEqual(['alone', 'alone leaves', 'late']);
    turnstile.leave();
    expect(turnstile.load).toBe(0);
  });

  it('opens again after a task that threw', async () => {
    const turnstile = new Turnstile();
    await expect(turnstile.runAlone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await turnstile.enter();
    expect(turnstile.load).toBe(1);
  });
});
