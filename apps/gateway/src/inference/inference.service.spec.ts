import type { TokenEngine } from '@attune/engine';
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
