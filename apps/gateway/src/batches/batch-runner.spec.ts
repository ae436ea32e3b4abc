import type { BatchRepository, FileRepository } from '@attune/persistence';
import { createLogger } from '@attune/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { OwnApi, Patience } from '../auth/own-api.js';
import { BatchRunner } from './batch-runner.js';
import { WINDOW_MS } from './batch-window.js';

beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'Date'] }));
afterEach(() => vi.useRealTimers());

const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { messages: [] } };

/** A batch of one line, for which there is no room ever. @returns how it ended */
async function endWithoutRoom(heard: string | null, { age = 0, after = 3_000 } = {}): Promise<string[]> {
  const ends: string[] = [];
  const claim = { key: ['batch'], owner: 'me', attempts: 1, lastError: null };
  const createdAt = new Date(Date.now() - age);
  const batch = { id: 'batch', status: 'in_progress', endpoint: line.url, createdAt, userId: 'u', apiKeyId: 'k' };
  const renewals = ['in_progress'];
  const jobs = [{ batch, claim }];
  const batches = {
    claim: async () => jobs.shift() ?? null,
    doneLines: async () => new Set(),
    move: async () => true,
    finish: async (_: unknown, __: unknown, { status }: { status: string }) => (ends.push(status), status),
    queue: {
      renew: async () => (renewals.length > 0 ? renewals.shift()! : heard),
      giveBack: async () => undefined,
      othersWait: async () => false,
    },
  } as unknown as BatchRepository;
  const files = { read: async () => Buffer.from(JSON.stringify(line)) } as unknown as FileRepository;
  const postPatiently = (_: unknown, __: unknown, ___: unknown, { stopping }: Patience) =>
    new Promise((resolve) => stopping.addEventListener('abort', () => resolve(null)));
  const clock = { now: () => new Date(), monotonicMs: () => 0 };
  const api = { postPatiently } as unknown as OwnApi;
  const runner = new BatchRunner(createLogger('test', 'silent'), clock, batches, files, api);
  runner.onApplicationBootstrap();
  await vi.advanceTimersByTimeAsync(after);
  await runner.beforeApplicationShutdown();
  return ends;
}

it('ends a batch that is cancelled while its lines wait for room', async () => {
  expect(await endWithoutRoom('cancelling')).toEqual(['cancelled']);
});

it('ends a batch whose window closes while its lines wait for room', async () => {
  expect(await endWithoutRoom('in_progress', { age: WINDOW_MS - 1_000 })).toEqual(['expired']);
});

it('leaves a batch alone that went to another gateway, and one that is stopped', async () => {
  expect(await endWithoutRoom(null)).toEqual([]);
  expect(await endWithoutRoom('in_progress')).toEqual([]);
});
