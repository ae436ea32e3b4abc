import { NotFoundError, UnavailableError, type Clock } from '@attune/platform';
import { describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import type { KeyQuotas } from '../auth/key-quotas.js';
import type { CheckpointAccess } from '../inference/checkpoint-access.js';
import type { InferenceService } from '../inference/inference.service.js';
import type { InferenceEvent } from '../inference/inference.types.js';
import type { ServedModel } from '../inference/served-model.js';
import type { ServedWeights } from '../inference/served-weights.js';
import type { ChatPlanner } from './chat-planner.js';
import { ChatService } from './chat.service.js';
import type { ChatRequest } from './chat.types.js';
import type { CompletionCloser } from './completion-closer.js';
import type { CompletionOpener } from './completion-opener.js';
import type { CompletionRecord } from './completion-record.js';

const caller: Caller = { userId: 'u', userName: 'U', role: 'user', userCreated: new Date(0), keyId: 'k' };
const request: ChatRequest = {
  source: 'chat',
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  sampling: {},
  stop: [],
  retrieval: false,
};

const plan = { id: 'chatcmpl-1', messages: [], citations: [], promptIds: [1, 2], maxTokens: 1, sampling: {} };

/** An engine that reads the prompt until it is told to stop. */
function setUp() {
  const engine = { begun: 0, ended: 0 };
  const leaveQueue = vi.fn();
  const generate = (_: unknown, signal: AbortSignal) => {
    engine.begun += 1;
    let end: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const finished: InferenceEvent = { type: 'finished', reason: 'cancelled', queuedMs: 0, prefillMs: 0 };
    const events = (async function* () {
      await ended;
      engine.ended += 1;
      yield finished;
    })();
    signal.addEventListener('abort', () => end());
    const leave = () => {
      end();
      return events.return();
    };
    return { next: () => events.next(), return: leave, cancel: () => end() };
  };
  const inference = { generate, reserve: () => leaveQueue };
  const opener = { place: vi.fn(async () => undefined), open: vi.fn(async () => 'conv_1') };
  const close = async (_: string, record: CompletionRecord) => void record.outcome(null);
  const closer = { close: vi.fn(close), closeIfOpen: vi.fn(close) };
  const places = new ConcurrencyLimiter(1);
  const chat = new ChatService(
    { now: () => new Date(0), monotonicMs: () => 0 } as Clock,
    { id: 'm' } as ServedModel,
    { plan: async () => plan } as unknown as ChatPlanner,
    inference as unknown as InferenceService,
    { expect: async () => undefined } as unknown as CheckpointAccess,
    { choose: async () => ({ adapter: undefined, release: () => undefined }) } as unknown as ServedWeights,
    opener as unknown as CompletionOpener,
    closer as unknown as CompletionCloser,
    places,
    { take: async () => ({ maxConcurrent: null }) } as unknown as KeyQuotas,
  );
  return { chat, engine, opener, closer, places, leaveQueue };
}

describe('the road of a question', () => {
  const never = new AbortController().signal;

  it('ends before anything is generated when the conversation is somebody else’s', async () => {
    const { chat, engine, opener, places, leaveQueue } = setUp();
    opener.place.mockRejectedValue(new NotFoundError('not yours'));
    await expect(chat.answer(caller, request, never).next()).rejects.toThrow('not yours');
    expect(engine.begun).toBe(0);
    expect(leaveQueue).toHaveBeenCalled();
    places.acquire('k');
  });

  it('stops the engine at once when the row cannot be opened', async () => {
    const { chat, engine, opener, closer } = setUp();
    opener.open.mockRejectedValue(new UnavailableError('no database'));
    await expect(chat.answer(caller, request, never).next()).rejects.toThrow('no database');
    await expect.poll(() => engine).toEqual({ begun: 1, ended: 1 });
    expect(closer.close).not.toHaveBeenCalled();
    // The database may have opened it all the same.
    const [[id, record]] = closer.closeIfOpen.mock.calls;
    expect([id, record.outcome(null)]).toMatchObject([plan.id, { status: 'failed', error: 'no database' }]);
  });

  it('has no row to close when the conversation is gone by the time it is opened', async () => {
    const { chat, opener, closer } = setUp();
    opener.open.mockRejectedValue(new NotFoundError('gone'));
    await expect(chat.answer(caller, request, never).next()).rejects.toThrow('gone');
    expect(closer.closeIfOpen).not.toHaveBeenCalled();
  });

  it('closes the row of a reader who leaves before the first token', async () => {
    const { chat, engine, closer, places } = setUp();
    for await (const event of chat.answer(caller, request, never)) {
      expect(event.type).toBe('opened');
      break;
    }
    expect(engine.ended).toBe(1);
    expect(closer.close).toHaveBeenCalledTimes(1);
    places.acquire('k');
  });

  it('takes nothing up for a reader who has left already', async () => {
    const { chat, opener, places } = setUp();
    await expect(chat.answer(caller, request, AbortSignal.abort()).next()).rejects.toMatchObject({ kind: 'cancelled' });
    expect(opener.place).not.toHaveBeenCalled();
    places.acquire('k');
  });

  it('is cancelled when the client leaves, and when the service stops, before or after it began', async () => {
    const { chat, closer } = setUp();
    const client = new AbortController();
    const ended = async (signal: AbortSignal, end: () => void) => {
      const answer = chat.answer(caller, request, signal);
      await answer.next();
      end();
      await expect(answer.next()).rejects.toMatchObject({ kind: 'cancelled' });
    };
    await ended(client.signal, () => client.abort());
    await ended(never, () => chat.stop());
    await ended(never, () => undefined);
    const outcomes = closer.close.mock.calls.map(([, record]) => record.outcome(null).status);
    expect(outcomes).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });
});
