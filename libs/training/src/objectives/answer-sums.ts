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
  const rows = model.countedRows(model.hidden());
  const logProbs = model.labelLogProbs(rows, model.batch('labels', 'int64', ['R']));
  return sumByOwner(model.g, logProbs, {
    owners: model.batch('owners', 'int64', ['R']),
    factors: model.batch('factors', 'float32', ['R']),
    like,
  });
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

function sumByOwner(g: Graph, x: Tensor, by: Readonly<Record<'owners' | 'factors' | 'like', Tensor>>): Tensor {
  return scatterAdd(g, zeros(g, by.like.shape), by.owners, mul(g, x, by.factors), 0);
}
