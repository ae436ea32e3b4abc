import { type Graph, mul, scatterAdd, type Tensor, zeros } from '@attune/graph';
import type { TensorMap } from '@attune/runtime';
import { float32Vector, int64Vector, tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import type { TokenBatch } from '../batches/token-batch.js';
import type { ModelGraph } from '../step/model-graph.js';

/** How a batch's answer tokens, in row order, add up to one number an owner (a sequence or a pair). */
export interface Ownership {
  /** For each answer token, whose sum it belongs to. */
  readonly owners: readonly number[];
  /** For each answer token, the factor it counts with: ±1 in gaps, 1/length in means. */
  readonly factors: readonly number[];
}

/** Σ factor · log π(token) for each of the owners, [count], where `like` is a batch tensor of that length. */
export function answerSums(model: ModelGraph, like: Tensor): Tensor {
  return sumByOwner(model, tokenLogProbs(model), like);
}

/** log π of every token that counts, [R], in row order. */
export function tokenLogProbs(model: ModelGraph): Tensor {
  const rows = model.countedRows(model.hidden());
  return model.labelLogProbs(rows, model.batch('labels', 'int64', ['R']));
}

/** Σ factor · x for each of the owners, [count], of a number a token, [R]. */
export function sumByOwner(model: ModelGraph, x: Tensor, like: Tensor): Tensor {
  const owners = model.batch('owners', 'int64', ['R']);
  return sumInto(model.g, like, owners, mul(model.g, x, model.batch('factors', 'float32', ['R'])));
}

/** Σ x for each of the owners, shaped like `like`; `owners` says for each x, [R], whose sum it belongs to. */
export function sumInto(g: Graph, like: Tensor, owners: Tensor, x: Tensor): Tensor {
  return scatterAdd(g, zeros(g, like.shape), owners, x, 0);
}

/** The inputs of {@link answerSums}. */
export function answerSumFeeds(tokens: TokenBatch, { owners, factors }: Ownership): TensorMap {
  const { rows, labels } = weightedRowFeeds(tokens);
  return {
    ...tokenFeeds(tokens),
    rows: rows!,
    labels: labels!,
    owners: int64Vector(owners),
    factors: float32Vector(factors),
  };
}
