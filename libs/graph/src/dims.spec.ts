import { describe, expect, it } from 'vitest';
import { broadcast, difference, opaqueTerms, product, quotient, sum } from './index.js';

describe('symbolic dims', () => {
  it('multiply into one canonical spelling', () => {
    expect(product([2, 3])).toBe(6);
    expect(product(['T', 2, 'B'])).toBe('2*B*T');
    expect(product(['2*T', 3, 'B'])).toBe(product(['B', '6*T']));
    expect(product([1, 'B'])).toBe('B');
    expect(product([0, 'B'])).toBe(0);
  });

  it('divide exactly or not at all', () => {
    expect(quotient('2*B*T', 'T')).toBe('2*B');
    expect(quotient('6*B', 3)).toBe('2*B');
    expect(quotient('B', 'B')).toBe(1);
    expect(quotient('B', 'T')).toBeNull();
    expect(quotient('3*B', 2)).toBeNull();
  });

  it('add like terms and name unlike ones', () => {
    expect(sum('B', '2*B')).toBe('3*B');
    expect(sum(2, 3)).toBe(5);
    expect(sum(0, 'B')).toBe('B');
    expect(sum('B', 'T')).toBe('(B+T)');
    expect(sum('T', 'B')).toBe('(B+T)');
    expect(sum(8, 'T')).toBe('(T+8)');
  });

  it('take sums apart again, alone and inside products', () => {
    expect(difference('(T+8)', 8)).toBe('T');
    expect(difference('(B+T)', 'B')).toBe('T');
    expect(difference('3*B', 'B')).toBe('2*B');
    expect(difference('T', 8)).toBe('(T-8)');
    expect(product(['B', '(T+8)', 2])).toBe('2*(T+8)*B');
    expect(quotient('2*(T+8)*B', 'B')).toBe('2*(T+8)');
    expect(opaqueTerms('(2*(T+8)-B)')).toEqual({ left: '2*(T+8)', sign: '-', right: 'B' });
    expect(opaqueTerms('(T+8)*(B+1)')).toBeNull();
    expect(opaqueTerms('T')).toBeNull();
  });

  it('broadcast against 1 and themselves only', () => {
    expect(broadcast(['B', 1, 4], ['T', 1])).toEqual(['B', 'T', 4]);
    expect(() => broadcast(['B'], ['T'])).toThrow('B against T');
    expect(() => broadcast([2, 3], [4])).toThrow('do not broadcast');
  });
});
