import type { Graph } from '../graph.js';
import { int, string, type Tensor } from '../types.js';

/** Rows of a table by index: table [R, …], index any shape, result [...index, …]. */
export function gather(g: Graph, table: Tensor, index: Tensor, axis = 0): Tensor {
  return g.emit('Gather', [table, index], { attrs: { axis: int(axis) } })[0]!;
}

/**
 * Rows of a matrix [N, H] by an index [R] in which none comes twice: then each row's gradient has one place to go, which
 * needs no adding up and is many times faster.
 */
export function gatherDistinct(g: Graph, table: Tensor, index: Tensor): Tensor {
  return g.composite('GatherDistinct', [table], () => ({ outputs: [gather(g, table, index)], saved: { index } }))[0]!;
}

/**
 * Rows of a matrix [R, H] by an index [N], through which no gradient flows: whoever differentiates asks for the gradient
 * of the rows and adds it up by the index elsewhere, which need not touch the rest of the matrix.
 */
export function lookup(g: Graph, table: Tensor, index: Tensor): Tensor {
  return g.composite('StopGradient', [table], () => ({ outputs: [gather(g, table, index)] }))[0]!;
}

/** One element per index along an axis; index has the result's shape. */
export function gatherElements(g: Graph, x: Tensor, index: Tensor, axis: number): Tensor {
  return g.emit('GatherElements', [x, index], { attrs: { axis: int(axis) } })[0]!;
}

/**
 * `x` with `updates` added at `index` along an axis; duplicates add up. ScatterElements, because ScatterND with
 * reduction=add loses updates on duplicate indices when the CPU provider runs with more than one thread.
 */
export function scatterAdd(g: Graph, x: Tensor, index: Tensor, updates: Tensor, axis: number): Tensor {
  return g.emit('ScatterElements', [x, index, updates], { attrs: { axis: int(axis), reduction: string('add') } })[0]!;
}
