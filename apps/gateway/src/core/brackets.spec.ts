import { expect, it } from 'vitest';
import { expandBrackets } from './brackets.js';

it('reads objects out of names with brackets', () => {
  expect(expandBrackets({ 'a[b]': 1, 'a[c]': 'x', d: 2 })).toEqual({ a: { b: 1, c: 'x' }, d: 2 });
});

it('changes no prototype', () => {
  expandBrackets({ '__proto__[polluted]': 1 });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
