import { NotFoundError, UnavailableError, type Clock, type Config } from '@attune/platform';
import { describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import type { KeyQuotas } from '../auth/key-quotas.js';
import type { PassageSearch } from '../documents/passage-search.js';
import type { InferenceService } from '../inference/inference.service.js';
import type { InferenceEvent } from '../inference/inference.types.js';
import type { ServedModel } from '../inference/served-model.js';
import type { ServedWeights } from '../inference/served-weights.js';
import { ChatService } from './chat.service.js';
import type { ChatRequest } from './chat.types.js';
import type { CompletionCloser } from './completion-closer.js';
import type { CompletionOpener } from './completion-opener.js';

const caller: Caller = { userId: 'u', userName: 'U', role: 'user', userCreated: new Date(0), keyId: 'k' };
const request: ChatRequest = {
  source: 'chat',
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  sampling: {},
  stop: [],
  retrieval: false,
};

/** An engine that reads the prompt until it is told to stop. */
function setUp() {
  const engine = { begun: 0, aborted: 0 };
  const leaveQueue = vi.fn();
  async function* generate(_: unknown, signal: AbortSignal): AsyncGenerator<InferenceEvent> {
    engine.begun += 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    engine.aborted += 1;
    yield { type: 'finished', reason: 'cancelled', queuedMs: 0, prefillMs: 0 };
  }
  const inference = { generate, encodePrompt: () => [1, 2], reserve: () => leaveQueue };
  const opener = { place: vi.fn(async () => undefined), open: vi.fn(async () => 'conv_1') };
  const closer = { close: vi.fn(async () => undefined) };
  const places = new ConcurrencyLimiter(1);
  const chat = new ChatService(
    { model: {}, retrieval: { retrieval: 'off' } } as Config,
    { now: () => new Date(0), monotonicMs: () => 0 } as Clock,
    { id: 'm', context: 100, longestToken: 10, expect: () => undefined } as unknown as ServedModel,
    {} as PassageSearch,
    inference as unknown as InferenceService,
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
    await expect.poll(() => engine).toEqual({ begun: 1, aborted: 1 });
    expect(closer.close).not.toHaveBeenCalled();
  });

  it('closes the row of a reader who leaves before the first token', async () => {
    const { chat, engine, closer, places } = setUp();
    for await (const event of chat.answer(caller, request, never)) {
      expect(event.type).toBe('opened');
      break;
    }
    expect(engine.aborted).toBe(1);
    expect(closer.close).toHaveBeenCalledTimes(1);
    places.acquire('k');
  });

  it('takes nothing up for a reader who has left already', async () => {
    const { chat, opener, places } = setUp();
    await expect(chat.answer(caller, request, AbortSignal.abort()).next()).rejects.toMatchObject({ kind: 'cancelled' });
    expect(opener.place).not.toHaveBeenCalled();
    places.acquire('k');
  });
});
