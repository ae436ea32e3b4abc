import { Engine, type EngineOptions } from '@attune/engine';
import { createRandom } from '@attune/platform';
import { afterEach } from 'vitest';
import { randomModel } from './tiny-models.js';

/** Loads engines for the specs of a file (a random model on one thread, unless told otherwise), closed after each spec. */
export function useEngines(defaults: Partial<EngineOptions> = {}) {
  const engines: Engine[] = [];
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });
  return async (options: Partial<EngineOptions> = {}): Promise<Engine> => {
    const usual = { model: randomModel(1), slots: 4, threads: 1, spinning: false };
    const engine = await Engine.load({ ...usual, ...defaults, ...options });
    engines.push(engine);
    return engine;
  };
}

/** Random tokens of the tiny models' 64. */
export const randomPrompt = (seed: number, length: number): number[] => {
  const random = createRandom(seed);
  return Array.from({ length }, () => random.int(64));
};
