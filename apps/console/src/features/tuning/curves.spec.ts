import type { TuningMetricView } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { curvesOf } from './curves.js';

const row = (seq: number, stage: string, step: number, values: Record<string, number>): TuningMetricView => ({
  seq,
  stage,
  step,
  values,
  created: 0,
});

describe('curvesOf', () => {
  it('draws what shares a unit together and the rest alone, stage by stage', () => {
    const curves = curvesOf([
      row(1, 'sft', 1, { loss: 3, grad_norm: 1 }),
      row(2, 'sft', 2, { loss: 2, grad_norm: 2, heldout_loss: 2.5, lr: 0.1, tokens: 5 }),
      row(3, 'ppo', 1, { reward_mean: 0.1, kl: 0.01 }),
    ]);
    expect(curves.map(({ stage }) => stage)).toEqual(['sft', 'ppo']);
    expect(curves[0]!.curves.map(({ title, main, series }) => [title, main, series])).toEqual([
      ['Loss', true, ['loss', 'heldout_loss']],
      ['Gradient norm', true, ['grad_norm']],
      ['Learning rate', true, ['lr']],
      ['Tokens', false, ['tokens']],
    ]);
    expect(curves[0]!.curves[0]!.points).toEqual([
      { step: 1, loss: 3 },
      { step: 2, loss: 2, heldout_loss: 2.5 },
    ]);
    expect(curves[1]!.curves.map(({ title }) => title)).toEqual(['Reward', 'KL (nats)']);
  });

  it('counts a repeated step as it went the last time', () => {
    const [sft] = curvesOf([
      row(1, 'sft', 1, { loss: 3 }),
      row(2, 'sft', 2, { loss: 9 }),
      row(3, 'sft', 2, { loss: 2 }),
    ]);
    expect(sft!.curves[0]!.points).toEqual([
      { step: 1, loss: 3 },
      { step: 2, loss: 2 },
    ]);
  });

  it('leaves out numbers that are none and keeps long runs drawable with their newest point', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => row(i + 1, 'sft', i + 1, { loss: i === 5 ? Number.NaN : i }));
    const { points } = curvesOf(rows)[0]!.curves[0]!;
    expect(points.length).toBeLessThanOrEqual(401);
    expect(points.at(-1)!.step).toBe(1000);
    expect(points.every((point) => Number.isFinite(point['loss']))).toBe(true);
  });
});
