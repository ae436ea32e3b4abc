import type { ResponseStreamEvent } from '@attune/contracts';
import { createLogger, RateLimitedError, type Clock, type ErrorDetails } from '@attune/platform';
import { describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import type { ChatService } from '../chat/chat.service.js';
import type { ContextFitter } from './context-fitter.js';
import type { FileSearchTools } from './file-search.js';
import type { ResponsePlan } from './response-planner.js';
import { ResponseProducer } from './response-producer.js';

const request = { model: 'm', input: 'hi', background: true, store: true };
const facts = { id: 'resp_1', createdAt: 0, model: 'm', request };
const plan = { facts, history: [], input: [], messages: [] } as unknown as ResponsePlan;

/** A response in the background that is refused each time; time passes as the test says. */
function setUp(details: ErrorDetails) {
  const stopper = new AbortController();
  const time = { now: 0 };
  const answer = vi.fn(() => {
    throw new RateLimitedError('There is no room.', details);
  });
  const producer = new ResponseProducer(
    createLogger('test', 'silent'),
    { now: () => new Date(0), monotonicMs: () => time.now } as Clock,
    { answer, stopping: stopper.signal } as unknown as ChatService,
    {} as ContextFitter,
    { run: async () => [] } as unknown as FileSearchTools,
  );
  const cancelling = new AbortController();
  const last = async () => {
    let event: ResponseStreamEvent | undefined;
    for await (event of producer.produce({} as Caller, plan, cancelling.signal, () => undefined));
    return event;
  };
  return { answer, cancelling, last, stopper, time };
}

describe('a response in the background for which there is no room', () => {
  it('fails at once when its key has used up its day', async () => {
    const { answer, last } = setUp({ code: 'insufficient_quota', retryAfterSeconds: 86_400 });
    expect(await last()).toMatchObject({ type: 'response.failed' });
    expect(answer).toHaveBeenCalledTimes(1);
  });

  it('waits no longer than it may', async () => {
    const { answer, last, time } = setUp({ retryAfterSeconds: 3_600 });
    answer.mockImplementation(() => {
      time.now += 599_990;
      throw new RateLimitedError('There is no room.', { retryAfterSeconds: 3_600 });
    });
    expect(await last()).toMatchObject({ type: 'response.failed' });
    expect(answer).toHaveBeenCalledTimes(2);
  });

  it('ends its wait when the service stops, and when it is cancelled', async () => {
    const stopped = setUp({ retryAfterSeconds: 60 });
    setTimeout(() => stopped.stopper.abort(), 10);
    expect(await stopped.last()).toMatchObject({ type: 'response.failed' });
    expect(stopped.answer).toHaveBeenCalledTimes(1);

    const cancelled = setUp({ retryAfterSeconds: 60 });
    setTimeout(() => cancelled.cancelling.abort('cancelled'), 10);
    expect(await cancelled.last()).toMatchObject({ response: { status: 'cancelled' } });
  });
});
