import {
  concatTo,
  equalParts,
  type Graph,
  linear,
  matmul,
  product,
  reshape,
  split,
  type Tensor,
  tokenLogProbs,
} from '@attune/graph';
import type { ModelConfig } from './config.js';
import { rowsOf } from './llama.js';
import { EMBEDDING, LM_HEAD } from './parameters.js';
import type { Weights } from './weights.js';

/** The output embedding [V, hidden]: the input one when tied. */
export const headName = (config: ModelConfig): string => (config.tieWordEmbeddings ? EMBEDDING : LM_HEAD);

/** Logits [N, V] of hidden states [N, hidden]. */
export function logits(g: Graph, config: ModelConfig, weights: Weights, hidden: Tensor): Tensor {
  return linear(g, hidden, weights.parameter(headName(config)));
}

/**
 * Log-probability [N] of each label under the model; labels is int64 with N elements. In `chunks` parts of equal size,
 * each computed again in the backward pass: then only one part's [N / chunks, V] probabilities exist at a time.
 */
export function labelLogProbs(
  g: Graph,
  config: ModelConfig,
  weights: Weights,
  hidden: Tensor,
  labels: Tensor,
  chunks = 1,
): Tensor {
  const weight = weights.parameter(headName(config));
  const flat = reshape(g, labels, [product(labels.shape)]);
  const labelled = rowsOf(g, weights, headName(config), flat);
  const rounded = weights.roundedHead?.();
  if (chunks <= 1) return tokenLogProbs(g, hidden, weight, flat, labelled, rounded);
  const cut = equalParts(g, hidden.shape[0]!, chunks);
  const [hiddens, labelParts, rows] = [hidden, flat, labelled].map((x) => split(g, x, 0, cut.sizes, cut.dims));
  const parts = hiddens!.map((part, i) =>
    g.recomputed([part], () => tokenLogProbs(g, part, weight, labelParts![i]!, rows![i]!, rounded)),
  );
  return concatTo(g, parts, 0, flat.shape);
}

/** One number per row: hidden [N, hidden] by weight [1, hidden] plus bias [1], as value and reward heads. */
export function scalarHead(g: Graph, hidden: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return reshape(g, matmul(g, hidden, weight, { transB: true, plus: bias }), [hidden.shape[0]!]);
}
