import type { Dim, Shape } from './types.js';

interface Monomial {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

/** Product of dims in canonical form: `product(['T', 2, 'B'])` is `'2*B*T'`; all numbers give a number. */
export function product(dims: Shape): Dim {
  const parts = dims.map(monomial);
  const coefficient = parts.reduce((all, part) => all * part.coefficient, 1);
  return written({ coefficient, symbols: parts.flatMap((part) => part.symbols) });
}

/** Sum of two dims; sums of like terms stay canonical (`'B' + 'B'` is `'2*B'`), others get an opaque name. */
export function sum(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  const [x, y] = [monomial(a), monomial(b)];
  if (x.symbols.join() === y.symbols.join())
    return written({ coefficient: x.coefficient + y.coefficient, symbols: x.symbols });
  // Numbers last, words sorted: equal sums are equal strings.
  const [first, second] = [a, b].sort(
    (p, q) => Number(typeof p === 'number') - Number(typeof q === 'number') || (p < q ? -1 : 1),
  );
  return `(${first}+${second})`;
}

/** `a - b`: canonical where the terms are alike or `b` is a term of the sum `a`, else an opaque name. */
export function difference(a: Dim, b: Dim): Dim {
  if (b === 0) return a;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const terms = opaqueTerms(a);
  if (terms?.sign === '+' && terms.right === b) return terms.left;
  if (terms?.sign === '+' && terms.left === b) return terms.right;
  const [x, y] = [monomial(a), monomial(b)];
  if (x.symbols.join() !== y.symbols.join()) return `(${a}-${b})`;
  return written({ coefficient: x.coefficient - y.coefficient, symbols: x.symbols });
}

/** The two terms of a parenthesised sum or difference, or null for any other dim. */
export function opaqueTerms(dim: Dim): { readonly left: Dim; readonly sign: '+' | '-'; readonly right: Dim } | null {
  if (typeof dim === 'number' || !dim.startsWith('(') || splitOutside(dim, '*').length > 1) return null;
  const inner = dim.slice(1, -1);
  for (const sign of ['+', '-'] as const) {
    const [left, ...rest] = splitOutside(inner, sign);
    if (rest.length > 0) return { left: asDim(left!), sign, right: asDim(rest.join(sign)) };
  }
  return null;
}

/** `a / b` when it divides exactly as a monomial, else null. */
export function quotient(a: Dim, b: Dim): Dim | null {
  const [x, y] = [monomial(a), monomial(b)];
  const left = [...x.symbols];
  for (const symbol of y.symbols) {
    const at = left.indexOf(symbol);
    if (at < 0) return null;
    left.splice(at, 1);
  }
  const coefficient = x.coefficient / y.coefficient;
  return Number.isInteger(coefficient) ? written({ coefficient, symbols: left }) : null;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);

/** NumPy broadcasting; a symbolic dim broadcasts only against 1 or itself. */
export function broadcast(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast: ${x} against ${y}`);
  });
}

/** Splits a canonical dim into its coefficient and sorted symbols. */
export function monomial(dim: Dim): Monomial {
  if (typeof dim === 'number') return { coefficient: dim, symbols: [] };
  let coefficient = 1;
  const symbols: string[] = [];
  for (const part of splitOutside(dim, '*')) {
    if (/^\d+$/.test(part)) coefficient *= Number(part);
    else symbols.push(part);
  }
  return { coefficient, symbols };
}

function written({ coefficient, symbols }: Monomial): Dim {
  if (symbols.length === 0 || coefficient === 0) return coefficient;
  const sorted = [...symbols].sort();
  return (coefficient === 1 ? sorted : [coefficient, ...sorted]).join('*');
}

const asDim = (text: string): Dim => (/^\d+$/.test(text) ? Number(text) : text);

/** Splits at a separator that stands outside all parentheses. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    depth += letter === '(' ? 1 : letter === ')' ? -1 : 0;
    if (letter === separator && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}
