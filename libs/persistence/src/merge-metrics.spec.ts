import { expect, it } from 'vitest';
import { mergeMetrics } from './merge-metrics.js';

it('keeps one entry per stage and step, the later values winning', () => {
  const metrics: { stage: string; step: number; values: Record<string, number> }[] = [
    { stage: 'sft', step: 1, values: { loss: 2, lr: 0.1 } },
    { stage: 'ppo', step: 1, values: { reward: 0.5 } },
    { stage: 'sft', step: 1, values: { loss: 1.5 } },
  ];
  expect(mergeMetrics(metrics)).toEqual([
    { stage: 'sft', step: 1, values: { loss: 1.5, lr: 0.1 } },
    { stage: 'ppo', step: 1, values: { reward: 0.5 } },
  ]);
});
