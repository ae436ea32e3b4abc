import type { Graph, Tensor } from '@attune/graph';
import { InternalError } from '@attune/platform';
import type { AnyTensor, TensorMap } from '@attune/runtime';
import { type Parameter, parameter } from './parameters.js';

/**
 * Rows of a matrix that a batch names, such as the embeddings of its tokens. Their gradients [N, H] come out of the graph
 * as they are and are added to the matrix's here: ONNX Runtime's ScatterElements takes 11 ms on one thread for 2,048
 * rows of 256, this loop half a millisecond.
 */
export interface Lookup {
  readonly parameter: string;
  /** float32 [N, H]; what is differentiated. */
  readonly rows: Tensor;
  /** The batch's input with the N rows' numbers. */
  readonly input: string;
}

/** The graph input that an index is, under whatever shape. */
export function inputOf(g: Graph, index: Tensor): string {
  if (g.inputs.some(({ name }) => name === index.name)) return index.name;
  const maker = g.nodes.find(({ op, outputs }) => op === 'Reshape' && outputs[0]!.name === index.name);
  if (!maker) throw new InternalError(`rows are looked up by "${index.name}", which is no input of the graph`);
  return inputOf(g, maker.inputs[0]!);
}

/** Room for the gradients of what a batch looks up. */
export function rowGradients(lookups: readonly Lookup[], feeds: TensorMap): Parameter[] {
  return lookups.map(({ rows, input }) => parameter([numbersOf(feeds, input).length, rows.shape[1] as number]));
}

/** Adds what came out to the gradients of the matrices, a row after the other: equal batches give equal bits. */
export function addRowGradients(
  lookups: readonly Lookup[],
  found: readonly Parameter[],
  feeds: TensorMap,
  gradients: ReadonlyMap<string, AnyTensor>,
): void {
  lookups.forEach((lookup, i) => {
    const total = gradients.get(lookup.parameter);
    if (total && 'data' in total)
      addRows(total.data as Float32Array, found[i]!.data, numbersOf(feeds, lookup.input), found[i]!.shape[1]!);
  });
}

function addRows(total: Float32Array, rows: Float32Array, index: BigInt64Array, size: number): void {
  for (let row = 0; row < index.length; row++) {
    const [from, to] = [row * size, Number(index[row]) * size];
    for (let i = 0; i < size; i++) total[to + i]! += rows[from + i]!;
  }
}

const numbersOf = (feeds: TensorMap, input: string): BigInt64Array => feeds[input]!.data as BigInt64Array;
