import type { Graph } from '../graph.js';
import type { Tensor } from '../types.js';
import { log, maximum } from './elementwise.js';
import { gatherElements } from './gather.js';
import { matmul } from './matmul.js';
import { softmax } from './reduce.js';
import { type RoundedColumns, roundedProduct } from './rounding.js';
import { reshape } from './shape.js';

/** Below this a probability counts as this: keeps log finite; far under what float32 softmax resolves. */
const TINY = 1e-37;

/**
 * log softmax(hidden · Wᵀ)[label], one per row, without keeping logits: hidden [N, H], weight [V, H],
 * labels int64 [N], `labelled` [N, H] the labels' rows of W, result [N]. The derivative leaves the probabilities as they
 * are: the incoming gradient is applied on the [N, H] side, and the labels' share goes to `labelled`.
 * @param rounded W in 8 bits to multiply by; the derivative keeps to W itself
 */
export function tokenLogProbs(
  g: Graph,
  hidden: Tensor,
  weight: Tensor,
  labels: Tensor,
  labelled: Tensor,
  rounded: RoundedColumns | null = null,
): Tensor {
  const rows = hidden.shape[0]!;
  const build = () => {
    const logits = rounded ? roundedProduct(g, hidden, rounded) : matmul(g, hidden, weight, { transB: true });
    const probabilities = softmax(g, logits);
    const index = reshape(g, labels, [rows, 1]);
    const chosen = gatherElements(g, probabilities, index, 1);
    return {
      outputs: [reshape(g, log(g, maximum(g, chosen, g.scalar(TINY))), [rows])],
      saved: { probabilities },
    };
  };
  return g.composite('TokenLogProbs', [hidden, weight, labelled], build)[0]!;
}
