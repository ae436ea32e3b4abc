import * as op from '@attune/graph';
import type { Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';

/**
 * d logits = dy·(onehot − P), of which onehot·W is the label's row of W: the probabilities [N, V] are read as they are,
 * and sign and dy are applied on the [N, H] side.
 */
export const tokenLogProbs: Vjp = ({ g, step, grads, needs }) => {
  const [hidden, weight, labelled] = step.inputs as [Tensor, Tensor, Tensor];
  const probabilities = step.saved['probabilities']!;
  const dy = op.reshape(g, grads[0]!, [hidden.shape[0]!, 1]);
  const weighted = needs(1) || needs(2) ? op.mul(g, hidden, dy) : null;
  return [
    needs(0) ? op.mul(g, op.sub(g, labelled, op.matmul(g, probabilities, weight)), dy) : null,
    needs(1) ? (plus) => op.matmul(g, probabilities, weighted!, { transA: true, alpha: -1, plus }) : null,
    needs(2) ? weighted : null,
  ];
};

/** Each row's gradient is copied to where the row came from. */
export const gatherDistinct: Vjp = ({ g, step, grads }) => {
  const table = step.inputs[0]!;
  const { index } = step.saved as { index: Tensor };
  const at = op.reshape(g, index, [index.shape[0]!, 1]);
  return [g.emit('ScatterND', [op.zeros(g, table.shape), at, grads[0]!])[0]!];
};
