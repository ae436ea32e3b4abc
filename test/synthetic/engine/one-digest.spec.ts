import { EngineHost } from '@attune/engine';
import { describe, expect, it } from 'vitest';
import { runTraffic } from './random-traffic.js';
import { useTraffic } from './use-traffic.js';

const traffic = useTraffic();

describe('an answer', () => {
  it.each([
    { seed: 1, swaps: 400, kills: 0, modelSwaps: 3, mergeLiveAfterMs: undefined },
    { seed: 2, swaps: 200, kills: 3, modelSwaps: 1, mergeLiveAfterMs: undefined },
    { seed: 3, swaps: 150, kills: 0, modelSwaps: 0, mergeLiveAfterMs: 0 },
  ])(
    'is what exactly one weights digest gives alone, whatever happens around it: $swaps swaps, $kills kills',
    async ({ mergeLiveAfterMs, ...plan }) => {
      const setup = {
        model: traffic.weights.modelFolders[0]!,
        slots: 6,
        threads: 1,
        spinning: false,
        mergeLiveAfterMs,
      };
      const host = await EngineHost.start(setup);
      const answers = await runTraffic(host, traffic.weights, plan).finally(() => host.close());
      const problems = [];
      for (const answer of answers) problems.push(await traffic.judge.problemOf(answer));
      expect(problems.filter((problem) => problem !== null)).toEqual([]);
      expect(answers.length).toBe(plan.swaps);
      const ends = answers.flatMap(({ events }) => events.filter((event) => event.type === 'finished'));
      expect(new Set(ends.map((end) => end.weights?.digest)).size).toBeGreaterThan(5);
      expect(ends.some((end) => end.cachedTokens > 16)).toBe(true);
      expect(host.restarts).toBe(plan.kills);
    },
  );
});
