import type { EngineEvent, GenerateRequest, TokenEngine } from '@attune/engine';
import type { Config } from '@attune/platform';
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { InferenceService } from './inference.service.js';
import type { ServedModel } from './served-model.js';

describe('the queue before the engine', () => {
  it('counts a crowd that arrives together, and each place given back once', () => {
    const config = { model: { engineQueueLimit: 2 } } as Config;
    const inference = new InferenceService({} as TokenEngine, config, {} as ServedModel);
    const leave = inference.reserve();
    inference.reserve();
    expect(() => inference.reserve()).toThrow('2 requests already wait');
    leave();
    leave();
    expect(inference.queueDepth).toBe(1);
    inference.reserve();
    expect(() => inference.reserve()).toThrow('ENGINE_QUEUE_LIMIT');
  });
});

const request = {
  id: 'r',
  promptIds: [1],
  maxTokens: 1,
  sampling: {} as never,
  stop: [],
  user: 'key_1',
  patient: false,
};

function inferenceOn(generate: (request: GenerateRequest) => AsyncIterable<EngineEvent>): InferenceService {
  const engine = { generate, cancel: () => undefined } as unknown as TokenEngine;
  const model = { tokenizer: { eosIds: [0], streamDecoder: () => ({}) } } as unknown as ServedModel;
  return new InferenceService(engine, { model: { engineStartWithinSeconds: 1.5 } } as Config, model);
}

describe('what the engine is asked', () => {
  const asked = async (patient: boolean) => {
    const requests: GenerateRequest[] = [];
    const inference = inferenceOn(async function* (asked) {
      requests.push(asked);
      yield* [];
    });
    await inference.generate({ ...request, patient }, new AbortController().signal).next();
    return requests[0];
  };

  it('is on behalf of the key, and to begin in time', async () => {
    expect(await asked(false)).toMatchObject({ user: 'key_1', startWithinMs: 1500 });
    expect(await asked(false)).not.toHaveProperty('priority');
  });

  it('waits for as long as it takes when nobody is in a hurry', async () => {
    expect(await asked(true)).toMatchObject({ priority: -1 });
    expect(await asked(true)).not.toHaveProperty('startWithinMs');
  });
});

describe('the signal of an answer', () => {
  const started = { type: 'started', weights: {} } as EngineEvent;
  const endless = () =>
    inferenceOn(async function* () {
      for (;;) yield started;
    });
  const broken = () =>
    inferenceOn(async function* () {
      yield started;
      throw new Error('broken');
    });
  const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

  it.each([
    ['ended', inferenceOn(async function* () {}), 0],
    ['broke', broken(), 1],
    ['was left', endless(), 2],
  ])('has no listener when it %s, though the signal lives on', async (_, inference, events) => {
    const { signal } = new AbortController();
    const stream = inference.generate(request, signal);
    expect(listeners(signal)).toBe(1);
    let seen = 0;
    const read = async () => {
      for await (const _event of stream) if (++seen === 2) break;
    };
    await read().catch(() => undefined);
    expect(seen).toBe(events);
    expect(listeners(signal)).toBe(0);
  });
});
