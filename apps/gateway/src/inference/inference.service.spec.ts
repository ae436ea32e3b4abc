import type { GenerateRequest, TokenEngine } from '@attune/engine';
import type { Config } from '@attune/platform';
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

describe('what the engine is asked', () => {
  const asked = async (patient: boolean) => {
    const requests: GenerateRequest[] = [];
    const engine = {
      async *generate(request: GenerateRequest) {
        requests.push(request);
        yield* [];
      },
      cancel: () => undefined,
    } as unknown as TokenEngine;
    const model = { tokenizer: { eosIds: [0], streamDecoder: () => ({}) } } as unknown as ServedModel;
    const config = { model: { engineStartWithinSeconds: 1.5 } } as Config;
    const request = { id: 'r', promptIds: [1], maxTokens: 1, sampling: {} as never, stop: [], user: 'key_1', patient };
    await new InferenceService(engine, config, model).generate(request, new AbortController().signal).next();
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
