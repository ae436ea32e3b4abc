import { describe, expect, it } from 'vitest';
import { DivergenceGuard } from './divergence.js';

const judge = (guard: DivergenceGuard, losses: readonly number[]) =>
  losses.map((loss) => guard.judge({ loss, gradNorm: 1 })).find((verdict) => verdict !== null) ?? null;
const calm = [2, 2.1, 1.9, 2, 2];

describe('the divergence guard', () => {
  it('stops at once when a number is none', () => {
    expect(new DivergenceGuard().judge({ loss: NaN, gradNorm: 1 })).toContain('NaN');
    expect(new DivergenceGuard().judge({ loss: 1, gradNorm: Infinity })).toContain('Infinity');
  });
  it('stops a loss that stays far above where it began', () => {
    expect(judge(new DivergenceGuard(), [...calm, ...Array<number>(8).fill(7)])).toContain('above 7');
  });
  it('forgives bad batches that come and go', () => {
    const spikes = Array.from({ length: 40 }, (_, i) => (i % 8 === 7 ? 2 : 9));
    expect(judge(new DivergenceGuard(), [...calm, ...spikes])).toBeNull();
  });
  it('lets a small loss rise by less than the margin', () => {
    expect(judge(new DivergenceGuard(), [...Array<number>(5).fill(0.1), ...Array<number>(20).fill(1.9)])).toBeNull();
  });
  it('understands losses below zero', () => {
    expect(judge(new DivergenceGuard(), [...Array<number>(5).fill(-1), ...Array<number>(20).fill(0.5)])).toBeNull();
  });
});
