import { gather, Graph, neg, reshape } from '@attune/graph';
import { describe, expect, it } from 'vitest';
import { addRowGradients, inputOf, type Lookup, rowGradients } from './lookups.js';
import { parameter } from './parameters.js';

const lookup: Lookup = {
  parameter: 'table',
  rows: { name: 'rows', dtype: 'float32', shape: ['B*T', 2] },
  input: 'ids',
};
const feeds = { ids: { dtype: 'int64' as const, shape: [1, 3], data: BigInt64Array.of(2n, 0n, 2n) } };

describe('rows that a batch looks up', () => {
  it('add their gradients to the matrix, those of a row named twice together', () => {
    const [found] = rowGradients([lookup], feeds);
    expect(found!.shape).toEqual([3, 2]);
    found!.data.set([1, 2, 3, 4, 5, 6]);
    const table = parameter([3, 2], Float32Array.of(10, 10, 20, 20, 30, 30));
    addRowGradients([lookup], [found!], feeds, new Map([['table', table]]));
    expect([...table.data]).toEqual([13, 14, 20, 20, 36, 38]);
  });

  it('are named by an input of the graph, under whatever shape', () => {
    const g = new Graph('lookups');
    const ids = g.input('ids', 'int64', ['B', 'T']);
    expect(inputOf(g, ids)).toBe('ids');
    expect(inputOf(g, reshape(g, reshape(g, ids, ['B*T']), ['B', 'T']))).toBe('ids');
    const made = neg(g, gather(g, ids, ids));
    expect(() => inputOf(g, made)).toThrow(/looked up by "Neg.*", which is no input of the graph/);
  });
});
