import { EngineHost } from '@attune/engine';
import { expect, it } from 'vitest';
import { runTraffic } from '../synthetic/engine/random-traffic.js';
import { useTraffic } from '../synthetic/engine/use-traffic.js';

const SWAPS = Number(process.env.LONG_SWAPS ?? 5_000);
const ROUND = 1_000;

const traffic = useTraffic();

it(`gives what one weights digest gives alone through ${SWAPS} swaps, with kills and other models among them`, async () => {
  const problems: (string | null)[] = [];
  let answered = 0;
  for (let done = 0, seed = 100; done < SWAPS; done += ROUND, seed++) {
    const swaps = Math.min(ROUND, SWAPS - done);
    // Every second round the live adapter is merged as soon as it is live.
    const mergeLiveAfterMs = seed % 2 ? 0 : undefined;
    const setup = { model: traffic.weights.modelFolders[0]!, slots: 6, threads: 1, spinning: false, mergeLiveAfterMs };
    const host = await EngineHost.start(setup);
    const plan = { seed, swaps, kills: Math.ceil(swaps / 200), modelSwaps: Math.ceil(swaps / 250) };
    const answers = await runTraffic(host, traffic.weights, plan).finally(() => host.close());
    for (const answer of answers) problems.push(await traffic.judge.problemOf(answer));
    answered += answers.length;
  }
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
  expect(answered).toBe(SWAPS);
});
