import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EngineHost } from '@attune/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Judge, runTraffic, type Weights, writeWeights } from './random-traffic.js';

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

describe('an answer', () => {
  it.each([
    { seed: 1, swaps: 400, kills: 0, modelSwaps: 3, mergeLiveAfterMs: undefined },
    { seed: 2, swaps: 200, kills: 3, modelSwaps: 1, mergeLiveAfterMs: undefined },
    { seed: 3, swaps: 150, kills: 0, modelSwaps: 0, mergeLiveAfterMs: 0 },
  ])(
    'is what exactly one weights digest gives alone, whatever happens around it: $swaps swaps, $kills kills',
    async ({ mergeLiveAfterMs, ...plan }) => {
      const setup = { model: weights.modelFolders[0]!, slots: 6, threads: 1, spinning: false, mergeLiveAfterMs };
      const host = await EngineHost.start(setup);
      const answers = await runTraffic(host, weights, plan).finally(() => host.close());
      const problems = [];
      for (const answer of answers) problems.push(await judge.problemOf(answer));
      expect(problems.filter((problem) => problem !== null)).toEqual([]);
      expect(answers.length).toBe(plan.swaps);
      const ends = answers.flatMap(({ events }) => events.filter((event) => event.type === 'finished'));
      expect(new Set(ends.map((end) => end.weights?.digest)).size).toBeGreaterThan(5);
      expect(ends.some((end) => end.cachedTokens > 16)).toBe(true);
      expect(host.restarts).toBe(plan.kills);
    },
  );
});
