import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EngineHost } from '@attune/engine';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Judge, runTraffic, type Weights, writeWeights } from '../synthetic/engine/random-traffic.js';

const SWAPS = Number(process.env.LONG_SWAPS ?? 5_000);
const ROUND = 1_000;

let folder: string;
let weights: Weights;
let judge: Judge;
beforeAll(async () => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/engine'], { stdio: 'inherit' });
  folder = await mkdtemp(path.join(tmpdir(), 'attune traffic '));
  weights = await writeWeights(folder);
  judge = await Judge.over(weights);
}, 120_000);
afterAll(async () => {
  await judge?.close();
  await rm(folder, { recursive: true, force: true });
});

it(`gives what one weights digest gives alone through ${SWAPS} swaps, with kills and other models among them`, async () => {
  const problems: (string | null)[] = [];
  let answered = 0;
  for (let done = 0, seed = 100; done < SWAPS; done += ROUND, seed++) {
    const swaps = Math.min(ROUND, SWAPS - done);
    // Every second round the live adapter is merged as soon as it is live.
    const mergeLiveAfterMs = seed % 2 ? 0 : undefined;
    const setup = { model: weights.modelFolders[0]!, slots: 6, threads: 1, spinning: false, mergeLiveAfterMs };
    const host = await EngineHost.start(setup);
    const plan = { seed, swaps, kills: Math.ceil(swaps / 200), modelSwaps: Math.ceil(swaps / 250) };
    const answers = await runTraffic(host, weights, plan).finally(() => host.close());
    for (const answer of answers) problems.push(await judge.problemOf(answer));
    answered += answers.length;
  }
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
  expect(answered).toBe(SWAPS);
});
