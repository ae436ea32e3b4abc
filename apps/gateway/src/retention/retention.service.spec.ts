import type { RetentionRepository } from '@attune/persistence';
import { createLogger, loadConfig } from '@attune/platform';
import { expect, it } from 'vitest';
import { RetentionService } from './retention.service.js';

it('goes on with the other tables when one cannot be swept, and keeps responses a day longer', async () => {
  const swept: unknown[] = [];
  const sweep = (table: string) => async (days: number) => {
    swept.push([table, days]);
    if (table === 'responses') throw new Error('broken');
    return 1;
  };
  const rows = {
    responses: sweep('responses'),
    idempotencyKeys: sweep('keys'),
    webhookDeliveries: sweep('webhooks'),
  } as unknown as RetentionRepository;
  const service = new RetentionService(createLogger('test', 'silent'), loadConfig({}), rows);
  await service.prune(new AbortController().signal);
  expect(swept).toEqual([
    ['responses', 31],
    ['keys', 1],
    ['webhooks', 30],
  ]);
});
