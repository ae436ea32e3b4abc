import * as op from '@attune/graph';
import type { Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';

/**
 * Attention with one pass over [T, T] for the softmax: its row sum Σ P·dP equals Σ dO·O over the head dimension (Dao et
 * al. 2022, FlashAttention, appendix B.2), and is taken off inside the product dO·Vᵀ by one more column: [dO, −sum]·[V, 1]ᵀ.
 */
export const attention: Vjp = ({ g, step, grads, needs }) => {
  const [q, k, v] = step.inputs as [Tensor, Tensor, Tensor];
  const { probabilities, output } = step.saved as { probabilities: Tensor; output: Tensor };
  const alpha = step.options['scale']!;
  const dy = grads[0]!;
  const rowSum = op.reduceSum(g, op.mul(g, dy, output), { axes: [-1], keep: true });
  const withSum = op.concat(g, [dy, op.neg(g, rowSum)], -1);
  const withOne = op.concat(g, [v, op.filled(g, [...v.shape.slice(0, -1), 1], 1)], -1);
  const dScores = op.mul(g, probabilities, op.matmul(g, withSum, withOne, { transB: true }));
  return [
    needs(0) ? op.matmul(g, dScores, k, { alpha }) : null,
    needs(1) ? op.matmul(g, dScores, q, { transA: true, alpha }) : null,
    needs(2) ? op.matmul(g, probabilities, dy, { transA: true }) : null,
  ];
};

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
