import type { ResponseObject, ResponseStreamEvent } from '@attune/contracts';
import type { ResponseRepository, RunningResponseRepository } from '@attune/persistence';
import { InvalidRequestError, type Logger } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import { OwedWrites } from '../core/owed-writes.js';
import type { EventJournal } from './event-journal.js';
import { ResponseFiler } from './response-filer.js';
import type { ResponsePlan } from './response-planner.js';
import type { ResponseProducer } from './response-producer.js';
import { ResponseReader } from './response-reader.js';
import { ResponseRunner } from './response-runner.js';
import { ENDED_ELSEWHERE, RunningResponses } from './running-responses.js';

const caller = { userId: 'user_1' } as Caller;
const logger = { error: vi.fn(), warn: vi.fn(), debug: vi.fn() } as unknown as Logger;
const event = (sequence_number: number, type: string, status = 'in_progress'): ResponseStreamEvent => ({
  type,
  sequence_number,
  ...(/created|completed|incomplete/.test(type) && {
    response: { id: 'resp_1', status, store: true, output: [] } as unknown as ResponseObject,
  }),
});

/** A runner whose answers are pushed by the test, over a database that is a list. */
function setUp({ background = false } = {}) {
  const saved: string[] = [];
  const state = { wasRead: false, saveFails: 0, endedElsewhere: false };
  const pushed: ResponseStreamEvent[] = [];
  let wake = () => {};
  const push = (...events: ResponseStreamEvent[]) => {
    pushed.push(...events);
    wake();
    return vi.advanceTimersByTimeAsync(0);
  };
  const producer = {
    async *produce(_: Caller, __: ResponsePlan, signal: AbortSignal) {
      for (let next = 0; !pushed[next - 1]?.type.endsWith('completed'); next++) {
        while (!pushed[next] && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal.addEventListener('abort', () => resolve());
          });
        }
        if (signal.aborted) return yield event(next, 'response.incomplete', 'cancelled');
        if (pushed[next]!.type === 'refused') throw new InvalidRequestError('No.');
        yield pushed[next]!;
      }
    },
  };
  const responses = {
    save: async ({ body }: { body: ResponseObject }) => {
      if (state.saveFails-- > 0) throw new Error('the database is away');
      if (state.endedElsewhere) return false;
      saved.push(body.status);
      return true;
    },
    get: async () => ({ body: { id: 'resp_1', status: 'failed' } }),
  };
  const shared = { wasRead: async () => state.wasRead };
  const running = new RunningResponses();
  const journal = { add: vi.fn() };
  const runner = new ResponseRunner(
    logger,
    producer as unknown as ResponseProducer,
    new ResponseFiler(logger, responses as unknown as ResponseRepository, running, new OwedWrites(logger)),
    shared as unknown as RunningResponseRepository,
    running,
    journal as unknown as EventJournal,
  );
  const reader = new ResponseReader(running, {} as never, {} as never, {} as never);
  const plan = {
    facts: { id: 'resp_1', request: { background } },
    conversationId: null,
    input: [],
  } as unknown as ResponsePlan;
  const gone = new AbortController();
  const read = async (into: string[]) => {
    const response = running.get('resp_1')!;
    for await (const one of reader.followHere(response, into.length - 1, gone.signal)) into.push(one.type);
  };
  return { state, saved, push, running, journal, runner, plan, gone, read };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a stored response', () => {
  it('is filed at its beginning and its end, and its reader gets every event', async () => {
    const { runner, plan, push, read, saved, journal, running } = setUp();
    const begun = runner.detached(caller, plan);
    await push(event(0, 'response.created'));
    await begun;
    const types: string[] = [];
    const reading = read(types);
    await push(event(1, 'response.output_text.delta'), event(2, 'response.completed', 'completed'));
    await reading;
    expect(types).toEqual(['response.created', 'response.output_text.delta', 'response.completed']);
    expect(saved).toEqual(['in_progress', 'completed']);
    expect(journal.add).toHaveBeenCalledTimes(3);
    expect(running.ids).toEqual([]);
  });

  it('throws what is wrong with it before its first event', async () => {
    const { runner, plan, push, saved, running } = setUp();
    const begun = expect(runner.detached(caller, plan)).rejects.toThrow('No.');
    await push(event(0, 'refused'));
    await begun;
    expect(saved).toEqual([]);
    expect(running.ids).toEqual([]);
  });

  async function leave(options: { background?: boolean } = {}) {
    const all = setUp(options);
    const begun = all.runner.detached(caller, all.plan);
    await all.push(event(0, 'response.created'));
    const response = await begun;
    const reading = all.read([]);
    all.gone.abort();
    await reading;
    return { ...all, response };
  }

  it('goes on for ten seconds when its reader has left, and no longer', async () => {
    const { response, saved } = await leave();
    await vi.advanceTimersByTimeAsync(9_900);
    expect(response.stopping.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(response.stopping.signal.reason).toBe('left');
    expect(saved.at(-1)).toBe('cancelled');
  });

  it('goes on as long as somebody reads it at another gateway', async () => {
    const { response, state } = await leave();
    state.wasRead = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(response.stopping.signal.aborted).toBe(false);
    state.wasRead = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(response.stopping.signal.aborted).toBe(true);
  });

  it('goes on to its end in the background', async () => {
    const { response, push, saved } = await leave({ background: true });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(response.stopping.signal.aborted).toBe(false);
    await push(event(1, 'response.completed', 'completed'));
    expect(saved.at(-1)).toBe('completed');
  });

  it('reaches its reader although the database is away, and is filed when it is back', async () => {
    const { runner, plan, push, read, saved, state, running } = setUp();
    const begun = runner.detached(caller, plan);
    await push(event(0, 'response.created'));
    await begun;
    const types: string[] = [];
    const reading = read(types);
    state.saveFails = 2;
    await push(event(1, 'response.completed', 'completed'));
    await reading;
    expect(types.at(-1)).toBe('response.completed');
    expect(saved).toEqual(['in_progress']);
    // Others hear that it is looked after until then.
    expect([...running.unfiled]).toEqual(['resp_1']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saved).toEqual(['in_progress', 'completed']);
    expect(running.unfiled.size).toBe(0);
  });

  it('ends as another gateway has ended it, which took this one for gone', async () => {
    const { runner, plan, state, push, read, journal, saved } = setUp();
    const begun = runner.detached(caller, plan);
    await push(event(0, 'response.created'));
    const response = await begun;
    const types: string[] = [];
    const reading = read(types);
    state.endedElsewhere = true;
    response.stop(ENDED_ELSEWHERE);
    await push();
    await reading;
    expect(types).toEqual(['response.created', 'response.failed']);
    expect(journal.add).toHaveBeenCalledTimes(1);
    expect(saved).toEqual(['in_progress']);
  });

  it('that nobody waits beside is filed once, at its end', async () => {
    const { runner, plan, push, saved } = setUp();
    const types: string[] = [];
    const note = () => expect.unreachable();
    const reading = (async () => {
      for await (const one of runner.attached(caller, plan, new AbortController().signal, note)) types.push(one.type);
    })();
    await push(event(0, 'response.created'), event(1, 'response.completed', 'completed'));
    await reading;
    expect(types).toHaveLength(2);
    expect(saved).toEqual(['completed']);
  });
});
