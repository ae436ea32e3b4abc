import type { Graph } from '../graph.js';
import { position, reducedShape } from '../shapes.js';
import { int, type Tensor } from '../types.js';

export interface ReduceOptions {
  /** Defaults to every axis. */
  readonly axes?: readonly number[];
  readonly keep?: boolean;
}
type Reduce = (g: Graph, x: Tensor, options?: ReduceOptions) => Tensor;

const reduction =
  (op: string): Reduce =>
  (g, x, { axes = x.shape.map((_, i) => i), keep = false } = {}) => {
    const at = axes.map((axis) => position(axis, x.shape.length));
    const shape = reducedShape(x.shape, at, keep);
    const attrs = { keepdims: int(+keep) };
    return g.emit(op, [x, g.ints(at)], { attrs, outputs: [{ dtype: x.dtype, shape }] })[0]!;
  };

export const reduceSum = reduction('ReduceSum');
export const reduceMean = reduction('ReduceMean');
export const reduceMax = reduction('ReduceMax');

export function softmax(g: Graph, x: Tensor): Tensor {
  return g.emit('Softmax', [x], { attrs: { axis: int(-1) } })[0]!;
}

export function logSoftmax(g: Graph, x: Tensor): Tensor {
  return g.emit('LogSoftmax', [x], { attrs: { axis: int(-1) } })[0]!;
}
