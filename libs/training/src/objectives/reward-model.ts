import { add, cast, type Graph, greater, mul, neg, reduceSum, scale, softplus, sub, type Tensor } from '@attune/graph';
import { float32Vector, int64Vector, tokenFeeds } from '../batches/feeds.js';
import type { RewardBatch } from '../batches/reward-batch.js';
import { REWARD_HEAD } from '../step/heads.js';
import type { ModelGraph } from '../step/model-graph.js';
import type { Objective } from '../step/objective.js';

export interface RewardModelOptions {
  /** Weight of (r_c + r_r)², which keeps scores near 0 (Eisenstein et al. 2023, eq. 2: 0.01); 0 leaves it out. */
  readonly centerCoef?: number;
  /** Weight of the loss on unpaired thumbs; 0, the default, leaves them out. */
  readonly thumbCoef?: number;
}

/**
 * Bradley-Terry preference loss, L = −E[log σ(r(x, y_c) − r(x, y_r) − m)] (Ouyang et al. 2022, eq. 1; the margin m is
 * Touvron et al. 2023, Llama 2, eq. 2). The reward is a linear head on the last token's hidden state.
 * `accuracy` is the share of pairs ranked as people ranked them. Thumbs, which have no pair, are read as labels of the
 * score's sign: −log σ(±r); `thumbAccuracy` is the share whose sign is right.
 */
export function rewardModel({ centerCoef = 0, thumbCoef = 0 }: RewardModelOptions = {}): Objective<RewardBatch> {
  return {
    name: 'reward-model',
    build(model) {
      const hidden = model.hidden();
      const chosen = model.scalar(REWARD_HEAD, model.rows(hidden, 'chosenRows', 'P'));
      const rejected = model.scalar(REWARD_HEAD, model.rows(hidden, 'rejectedRows', 'P'));
      const margins = model.batch('margins', 'float32', ['P']);
      const weights = model.batch('pairWeights', 'float32', ['P']);
      const pairs = preferenceTerms(model.g, { chosen, rejected, margins, weights, centerCoef });
      return thumbCoef > 0 ? withThumbs(model, hidden, pairs, thumbCoef) : pairs;
    },
    feeds: (batch) => ({ ...pairFeeds(batch), ...(thumbCoef > 0 ? thumbFeeds(batch) : {}) }),
    count: ({ weights, thumbs }) => total(weights) + (thumbCoef > 0 ? total(thumbs?.weights ?? []) : 0),
    metricCounts: ({ weights, thumbs }) => {
      const pairs = total(weights);
      return { accuracy: pairs, margin: pairs, reward: pairs, thumbAccuracy: total(thumbs?.weights ?? []) };
    },
  };
}

type Sums = ReturnType<typeof preferenceTerms>;

/** The loss over scores [P] alone, each pair times its weight. −log σ(z) is softplus(−z), which does not overflow. */
export function preferenceTerms(
  g: Graph,
  input: Readonly<Record<'chosen' | 'rejected' | 'margins' | 'weights', Tensor>> & { readonly centerCoef?: number },
) {
  const { chosen, rejected, margins, weights, centerCoef = 0 } = input;
  const gap = sub(g, chosen, rejected);
  const both = add(g, chosen, rejected);
  const ranking = softplus(g, neg(g, sub(g, gap, margins)));
  const losses = centerCoef === 0 ? ranking : add(g, ranking, scale(g, mul(g, both, both), centerCoef));
  const weighted = (x: Tensor) => reduceSum(g, mul(g, x, weights));
  return {
    lossSum: weighted(losses),
    metricSums: {
      accuracy: weighted(cast(g, greater(g, gap, g.scalar(0)), 'float32')),
      margin: weighted(gap),
      reward: mul(g, weighted(both), g.scalar(0.5)),
    },
  };
}

/** −Σ w log σ(s·r) over scores [U] with signs s = ±1: logistic regression on the thumb. */
export function thumbTerms(
  g: Graph,
  { scores, signs, weights }: Readonly<Record<'scores' | 'signs' | 'weights', Tensor>>,
) {
  const agreeing = mul(g, scores, signs);
  const weighted = (x: Tensor) => reduceSum(g, mul(g, x, weights));
  return {
    lossSum: weighted(softplus(g, neg(g, agreeing))),
    accuracy: weighted(cast(g, greater(g, agreeing, g.scalar(0)), 'float32')),
  };
}

function withThumbs(model: ModelGraph, hidden: Tensor, pairs: Sums, thumbCoef: number) {
  const { g } = model;
  const thumbs = thumbTerms(g, {
    scores: model.scalar(REWARD_HEAD, model.rows(hidden, 'thumbRows', 'U')),
    signs: model.batch('thumbSigns', 'float32', ['U']),
    weights: model.batch('thumbWeights', 'float32', ['U']),
  });
  return {
    lossSum: add(g, pairs.lossSum, scale(g, thumbs.lossSum, thumbCoef)),
    metricSums: { ...pairs.metricSums, thumbAccuracy: thumbs.accuracy },
  };
}

/** A batch without pairs sends one of weight 0. */
function pairFeeds({ tokens, chosenRows, rejectedRows, margins, weights }: RewardBatch) {
  const orZero = (values: readonly number[]) => (values.length > 0 ? values : [0]);
  return {
    ...tokenFeeds(tokens),
    chosenRows: int64Vector(orZero(chosenRows)),
    rejectedRows: int64Vector(orZero(rejectedRows)),
    margins: float32Vector(orZero(margins)),
    pairWeights: float32Vector(orZero(weights)),
  };
}

function thumbFeeds({ thumbs }: RewardBatch) {
  const none = !thumbs || thumbs.rows.length === 0;
  return {
    thumbRows: int64Vector(none ? [0] : thumbs.rows),
    thumbSigns: float32Vector(none ? [1] : thumbs.liked.map((liked) => (liked ? 1 : -1))),
    thumbWeights: float32Vector(none ? [0] : thumbs.weights),
  };
}

const total = (weights: readonly number[]): number => weights.reduce((all, weight) => all + weight, 0);
