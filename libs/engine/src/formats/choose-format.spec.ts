import { describe, expect, it } from 'vitest';
import { chooseFormat, type FormatMeasure, MOST_DIVERGENCE } from './choose-format.js';

const measure = (format: FormatMeasure['format'], speed: number, divergence: number): FormatMeasure => ({
  format,
  decodeMs: 10 / speed,
  prefillMs: 1 / speed,
  divergence,
});
const fp32 = measure('fp32', 1, 0);

describe('the choice of a weight format', () => {
  it('is the fastest of those that are as good as the exact one', () => {
    expect(chooseFormat([fp32, measure('int8', 2, 0.001), measure('int4', 3, 0.01)])).toBe('int4');
    expect(chooseFormat([fp32, measure('int8', 2, 0.001), measure('int4', 3, 2 * MOST_DIVERGENCE)])).toBe('int8');
  });

  it('stays with the exact one where nothing is gained, or everything else is worse', () => {
    expect(chooseFormat([fp32, measure('int8', 1.1, 0.001), measure('int4', 0.9, 0.001)])).toBe('fp32');
    expect(chooseFormat([fp32, measure('int8', 2, 0.5), measure('int4', 3, Number.NaN)])).toBe('fp32');
    expect(chooseFormat([fp32])).toBe('fp32');
  });
});
