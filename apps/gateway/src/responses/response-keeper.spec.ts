import type { Notifications, ResponseEventRepository, RunningResponseRepository } from '@attune/persistence';
import { createLogger } from '@attune/platform';
import { expect, it, vi } from 'vitest';
import type { GatewayInstance } from '../core/gateway-instance.js';
import type { EventJournal } from './event-journal.js';
import { ResponseKeeper } from './response-keeper.js';
import { RunningResponse, RunningResponses } from './running-responses.js';

it('never ends for lost what is answered or still to be written here', async () => {
  const running = new RunningResponses();
  running.add(new RunningResponse('resp_running', 'user_1'));
  running.unfiled.add('resp_unfiled');
  const endLost = vi.fn<RunningResponseRepository['endLost']>(async () => true);
  const responses = { lost: async () => ['resp_running', 'resp_unfiled', 'resp_lost'], endLost };
  const keeper = new ResponseKeeper(
    createLogger('test', 'silent'),
    { canJudge: true } as GatewayInstance,
    running,
    responses as unknown as RunningResponseRepository,
    {} as ResponseEventRepository,
    {} as EventJournal,
    { listen: () => undefined } as unknown as Notifications,
  );
  await keeper.endLost(15_000);
  expect(endLost.mock.calls.map(([id]) => id)).toEqual(['resp_lost']);
});
