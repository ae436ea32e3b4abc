import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Judge, type Weights, writeWeights } from './random-traffic.js';

/** Weights on disk for the traffic of a file's specs, and the judge of what came of it. */
export function useTraffic() {
  let folder: string;
  let weights: Weights;
  let judge: Judge;
  beforeAll(async () => {
    // The process runs compiled code: make it the code under test.
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/engine'], { stdio: 'inherit' });
    folder = await mkdtemp(path.join(tmpdir(), 'attune traffic '));
    weights = await writeWeights(folder);
    judge = await Judge.over(weights);
  }, 120_000);
  afterAll(async () => {
    await judge?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    get weights() {
      return weights;
    },
    get judge() {
      return judge;
    },
  };
}
