import * as op from '@attune/graph';
import { type Graph, product, quotient, reducedShape, reshape, type Shape, type Tensor } from '@attune/graph';
import type { Step, Vjp } from '../step.js';

export const reduceSum: Vjp = ({ g, step, grads }) => [spread(g, grads[0]!, step)];

export const reduceMean: Vjp = ({ g, step, grads }) => {
  const [x, y] = [step.inputs[0]!, step.outputs[0]!];
  const share = op.div(g, grads[0]!, reducedCount(g, x.shape, y.shape));
  return [spread(g, share, step)];
};

/** dx = y · (dy − Σ dy·y) along the last axis. */
export const softmax: Vjp = ({ g, step, grads }) => {
  const y = step.outputs[0]!;
  const weighted = op.mul(g, grads[0]!, y);
  const total = op.reduceSum(g, weighted, { axes: [-1], keep: true });
  return [op.sub(g, weighted, op.mul(g, y, total))];
};

/** dx = dy − softmax · Σ dy along the last axis. */
export const logSoftmax: Vjp = ({ g, step, grads }) => {
  const total = op.reduceSum(g, grads[0]!, { axes: [-1], keep: true });
  return [op.sub(g, grads[0]!, op.mul(g, op.exp(g, step.outputs[0]!), total))];
};

/** Repeats a reduced gradient over the axes that were summed away, whether or not they were kept as 1. */
function spread(g: Graph, dy: Tensor, { inputs: [x, axes] }: Step): Tensor {
  const kept = reducedShape(x!.shape, constantInts(g, axes!), true);
  return op.expand(g, reshape(g, dy, kept), x!.shape);
}

/** The values of an int64 literal. */
function constantInts(g: Graph, tensor: Tensor): number[] {
  const data = g.initializers.get(tensor.name)?.data;
  if (!(data instanceof BigInt64Array)) throw new Error(`the axes of a reduction (${tensor.name}) must be a literal`);
  return Array.from(data, Number);
}

function reducedCount(g: Graph, from: Shape, to: Shape): Tensor {
  const count = quotient(product(from), product(to));
  if (count === null) throw new Error(`cannot count what ReduceMean summed from [${from.join()}] to [${to.join()}]`);
  if (typeof count === 'number') return g.scalar(count);
  return op.reshape(g, op.cast(g, g.size(count), 'float32'), []);
}
