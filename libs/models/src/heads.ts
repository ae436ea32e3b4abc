import { type Graph, linear, matmul, product, reshape, type Tensor, tokenLogProbs } from '@attune/graph';
import type { ModelConfig } from './config.js';
import type { Weights } from './llama.js';
import { EMBEDDING, LM_HEAD } from './parameters.js';

/** The output embedding [V, hidden]: the input one when tied. */
export function headWeight(config: ModelConfig, weights: Weights): Tensor {
  return weights.parameter(config.tieWordEmbeddings ? EMBEDDING : LM_HEAD);
}

/** Logits [N, V] of hidden states [N, hidden]. */
export function logits(g: Graph, config: ModelConfig, weights: Weights, hidden: Tensor): Tensor {
  return linear(g, hidden, headWeight(config, weights));
}

/** Log-probability [N] of each label under the model; labels is int64 with N elements. */
export function labelLogProbs(g: Graph, config: ModelConfig, weights: Weights, hidden: Tensor, labels: Tensor): Tensor {
  return tokenLogProbs(g, hidden, headWeight(config, weights), reshape(g, labels, [product(labels.shape)]));
}

/** One number per row: hidden [N, hidden] by weight [1, hidden] plus bias [1], as value and reward heads. */
export function scalarHead(g: Graph, hidden: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return reshape(g, matmul(g, hidden, weight, { transB: true, plus: bias }), [hidden.shape[0]!]);
}
