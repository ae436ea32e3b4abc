import type { ResponseObject } from '@attune/contracts';
import type { ConversationItemRepository, ResponseRepository } from '@attune/persistence';
import { loadConfig } from '@attune/platform';
import { expect, it } from 'vitest';
import type { Caller } from '../auth/caller.js';
import type { ServedModel } from '../inference/served-model.js';
import { ResponsePlanner } from './response-planner.js';

const DAY = 86_400;
const now = new Date('2026-03-01T00:00:00Z');

/** Goes on from a response that ended so many days ago. */
function goOn(days: number, environment: Record<string, string> = {}) {
  const ended = now.getTime() / 1000 - days * DAY;
  const last = { status: 'completed', created_at: ended - 60, completed_at: ended } as ResponseObject;
  const responses = { past: async () => ({ items: [], last }) } as unknown as ResponseRepository;
  const model = { id: 'm', expect: () => undefined } as unknown as ServedModel;
  const clock = { now: () => now, monotonicMs: () => 0 };
  const conversations = {} as ConversationItemRepository;
  const planner = new ResponsePlanner(clock, loadConfig(environment), model, responses, conversations);
  return planner.plan({ userId: 'u' } as Caller, { input: 'Go on', previous_response_id: 'resp' } as never);
}

it('goes on from a response for as long as it is kept, and not in the day before it goes', async () => {
  await expect(goOn(29.9)).resolves.toMatchObject({ history: [] });
  await expect(goOn(30.1)).rejects.toMatchObject({ code: 'previous_response_not_found' });
  await expect(goOn(4_000, { RETENTION_RESPONSES_DAYS: '0' })).resolves.toMatchObject({ history: [] });
});
