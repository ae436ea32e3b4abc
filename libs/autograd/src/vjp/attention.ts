import * as op from '@attune/graph';
import type { Dim, Graph, Tensor } from '@attune/graph';
import type { Step, Vjp } from '../step.js';

/** What the forward pass keeps of one part of the queries. */
interface Part {
  /** [B, heads, t, headDim], as is `mixed`, what came out. */
  readonly query: Tensor;
  readonly mixed: Tensor;
  /** [B, kvHeads, group · t, keys] */
  readonly probabilities: Tensor;
  readonly dy: Tensor;
}

/**
 * Attention with one pass over the scores for the softmax: its row sum Σ P·dP equals Σ dO·O over the head dimension (Dao
 * et al. 2022, FlashAttention, appendix B.2), and is taken off inside the product dO·Vᵀ by one more column:
 * [dO, −sum]·[V, 1]ᵀ. Part by part, as the forward pass went.
 */
export const attention: Vjp = ({ g, step, grads, needs }) => {
  const [q, k, v] = step.inputs as [Tensor, Tensor, Tensor];
  const alpha = step.options['scale']!;
  const withOne = op.concat(g, [v, op.filled(g, [...v.shape.slice(0, -1), 1], 1)], -1);
  const parts = partsOf(g, step, grads[0]!).map(({ query, mixed, probabilities, dy }) => {
    const keys = probabilities.shape[3]!;
    const rowSum = op.reduceSum(g, op.mul(g, dy, mixed), { axes: [-1], keep: true });
    const withSum = op.byKey(g, op.concat(g, [dy, op.neg(g, rowSum)], -1), k);
    const dP = op.matmul(g, withSum, op.firstAlong(g, withOne, 2, keys), { transB: true });
    const dScores = op.mul(g, probabilities, dP);
    return {
      size: query.shape[2]!,
      dq: needs(0) ? op.reshape(g, op.matmul(g, dScores, firstAgain(g, k, keys), { alpha }), query.shape) : null,
      dk: needs(1) ? op.matmul(g, dScores, op.byKey(g, query, k), { transA: true, alpha }) : null,
      dv: needs(2) ? op.matmul(g, probabilities, op.byKey(g, dy, k), { transA: true }) : null,
    };
  });
  const of = (which: 'dq' | 'dk' | 'dv') => parts.map((part) => part[which]!);
  const sizes = parts.map(({ size }) => size);
  return [
    needs(0) ? op.concatTo(g, of('dq'), 2, q.shape) : null,
    needs(1) ? sumOverParts(g, of('dk'), sizes) : null,
    needs(2) ? sumOverParts(g, of('dv'), sizes) : null,
  ];
};

function partsOf(g: Graph, { options, saved }: Step, dy: Tensor): Part[] {
  const numParts = options['parts']!;
  const kept = (name: string) => Array.from({ length: numParts }, (_, i) => saved[`${name}${i}`]!);
  const queries = kept('query');
  const [mixed, probabilities] = [kept('mixed'), kept('probabilities')];
  const sizes = queries.map(({ shape }) => shape[2]!);
  const gradients = numParts === 1 ? [dy] : op.split(g, dy, 2, saved['sizes']!, sizes);
  return queries.map((query, i) => {
    return { query, mixed: mixed[i]!, probabilities: probabilities[i]!, dy: gradients[i]! };
  });
}

/**
 * The first keys once more. Slicing with steps of 1 says the same as without, but is another node: ONNX Runtime would
 * otherwise see the forward pass's slices again and keep them all for the backward pass.
 */
function firstAgain(g: Graph, k: Tensor, keys: Dim): Tensor {
  if (keys === k.shape[2]) return k;
  const shape = k.shape.map((dim, axis) => (axis === 2 ? keys : dim));
  const inputs = [k, g.ints([0]), g.size(keys), g.ints([2]), g.ints([1])];
  return g.emit('Slice', inputs, { outputs: [{ dtype: k.dtype, shape }] })[0]!;
}

/** Sums gradients [B, kvHeads, keys, d] over more and more keys: each part has as many more as its size. */
function sumOverParts(g: Graph, gradients: readonly Tensor[], sizes: readonly Dim[]): Tensor {
  return gradients.reduce((sum, gradient, i) => {
    const pads = op.concat(g, [g.ints([0]), g.size(sizes[i]!)], 0);
    const outputs = [{ dtype: sum.dtype, shape: gradient.shape }];
    return op.add(g, g.emit('Pad', [sum, pads, null, g.ints([2])], { outputs })[0]!, gradient);
  });
}
