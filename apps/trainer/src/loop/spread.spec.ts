import { describe, expect, it } from 'vitest';
import { formatSpread, spreadOf } from './spread.js';

describe('figures over seeds', () => {
  it('keep variants apart and say mean, lowest and highest', () => {
    const rows = [
      { variant: 'a', figures: { shown: 0.5, kl: null } },
      { variant: 'b', figures: { shown: 1 } },
      { variant: 'a', figures: { shown: 1, kl: 3 } },
    ];
    expect(spreadOf(rows)).toEqual([
      {
        variant: 'a',
        figures: { shown: { mean: 0.75, lowest: 0.5, highest: 1 }, kl: { mean: 3, lowest: 3, highest: 3 } },
      },
      { variant: 'b', figures: { shown: { mean: 1, lowest: 1, highest: 1 } } },
    ]);
  });
  it('are written short', () => {
    expect(formatSpread({ mean: 0.91234, lowest: 0.9, highest: 0.95 })).toBe('0.912 (0.9–0.95)');
    expect(formatSpread({ mean: 74.6239, lowest: 74.6239, highest: 74.6239 })).toBe('74.6');
    expect(formatSpread(null)).toBe('–');
  });
});
