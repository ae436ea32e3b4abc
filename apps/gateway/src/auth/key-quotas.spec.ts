import type { UsageRepository } from '@attune/persistence';
import type { Clock } from '@attune/platform';
import { expect, it } from 'vitest';
import { KeyQuotas } from './key-quotas.js';

const EVENING = new Date('2026-05-01T23:00:00Z');

function setUp(use: { requests: number; tokens: number }, quota: object) {
  let now = 0;
  let asked = 0;
  const clock = { monotonicMs: () => now, now: () => EVENING } as Clock;
  const today = async () => {
    asked += 1;
    return { requestsPerDay: null, tokensPerDay: null, maxConcurrent: null, ...quota, ...use };
  };
  const quotas = new KeyQuotas(clock, { today } as unknown as UsageRepository);
  return { quotas, pass: (ms: number) => (now += ms), asked: () => asked };
}

it('asks the database once for a burst, and counts the burst itself', async () => {
  const { quotas, asked, pass } = setUp({ requests: 8, tokens: 0 }, { requestsPerDay: 10 });
  await quotas.take('k');
  await quotas.take('k');
  await expect(quotas.take('k')).rejects.toMatchObject({ code: 'insufficient_quota', retryAfterSeconds: 3600 });
  expect(asked()).toBe(1);
  pass(2_001);
  await quotas.take('k');
  expect(asked()).toBe(2);
});

it('refuses when the tokens are used up, and never a key without limits', async () => {
  const used = { requests: 1e6, tokens: 1e9 };
  await expect(setUp(used, { tokensPerDay: 1e9 }).quotas.take('k')).rejects.toThrow('1000000000 tokens');
  await expect(setUp(used, {}).quotas.take('k')).resolves.toMatchObject({ maxConcurrent: null });
});
