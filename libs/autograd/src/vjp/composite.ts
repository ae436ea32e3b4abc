import * as op from '@attune/graph';
import type { Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';

/**
 * d logits = dy·(onehot − P), with the sign and dy moved to the [N, H] side so that [N, V] is touched once, and not
 * copied either where the weight is frozen: onehot·W is the label's row of W.
 */
export const tokenLogProbs: Vjp = ({ g, step, grads, needs }) => {
  const [hidden, weight] = step.inputs as [Tensor, Tensor];
  const { probabilities, index } = step.saved as { probabilities: Tensor; index: Tensor };
  const rows = hidden.shape[0]!;
  const dy = op.reshape(g, grads[0]!, [rows, 1]);
  if (!needs(1)) {
    const labelled = op.gather(g, weight, op.reshape(g, index, [rows]));
    return [op.mul(g, op.sub(g, labelled, op.matmul(g, probabilities, weight)), dy), null];
  }
  const column = op.neg(g, dy);
  const surplus = op.scatterAdd(g, probabilities, index, op.filled(g, [rows, 1], -1), 1);
  return [
    needs(0) ? op.mul(g, op.matmul(g, surplus, weight), column) : null,
    (plus) => op.matmul(g, surplus, op.mul(g, hidden, column), { transA: true, plus }),
  ];
};

/** Each row's gradient is copied to where the row came from. */
export const gatherDistinct: Vjp = ({ g, step, grads }) => {
  const table = step.inputs[0]!;
  const { index } = step.saved as { index: Tensor };
  const at = op.reshape(g, index, [index.shape[0]!, 1]);
  return [g.emit('ScatterND', [op.zeros(g, table.shape), at, grads[0]!])[0]!];
};
