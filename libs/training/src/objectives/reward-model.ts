import { add, cast, type Graph, greater, mul, neg, reduceSum, scale, softplus, sub, type Tensor } from '@attune/graph';
import { float32Vector, tokenFeeds } from '../batches/feeds.js';
import type { RewardBatch } from '../batches/reward-batch.js';
import type { ModelGraph } from '../step/model-graph.js';
import type { Objective } from '../step/objective.js';
import { rewardFeeds, type RewardForm, rewardScores } from './reward-score.js';

export interface RewardModelOptions {
  /** Weight of (r_c + r_r)², which keeps scores near 0 (Eisenstein et al. 2023, eq. 2: 0.01); 0 leaves it out. */
  readonly centerCoef?: number;
  /** Weight of the loss on unpaired thumbs; 0, the default, leaves them out. */
  readonly thumbCoef?: number;
  /** Left out: a head on the last token, and nothing beside it. */
  readonly form?: RewardForm;
}

const LAST_TOKEN: RewardForm = { pooling: 'last', longestNgram: 0, vocabSize: 0 };

/**
 * Bradley-Terry preference loss, L = −E[log σ(r(x, y_c) − r(x, y_r) − m)] (Ouyang et al. 2022, eq. 1; the margin m is
 * Touvron et al. 2023, Llama 2, eq. 2). The reward is a linear head on the last token's hidden state,
 * or what its form says instead. `accuracy` is the share of pairs ranked as people ranked them. Thumbs, which have no pair,
 * are read as labels of the score's sign: −log σ(±r); `thumbAccuracy` is the share whose sign is right.
 */
export function rewardModel(options: RewardModelOptions = {}): Objective<RewardBatch> {
  const { centerCoef = 0, thumbCoef = 0, form = LAST_TOKEN } = options;
  return {
    name: 'reward-model',
    build(model) {
      const hidden = model.hidden();
      const margins = model.batch('margins', 'float32', ['P']);
      const weights = model.batch('pairWeights', 'float32', ['P']);
      const score = (name: string, like: Tensor) => rewardScores(model, hidden, { name, like, form });
      const [chosen, rejected] = [score('chosen', weights), score('rejected', weights)];
      const pairs = preferenceTerms(model.g, { chosen, rejected, margins, weights, centerCoef });
      if (thumbCoef === 0) return pairs;
      const signs = model.batch('thumbSigns', 'float32', ['U']);
      return withThumbs(model, { scores: score('thumb', signs), signs }, pairs, thumbCoef);
    },
    feeds: (batch) => ({ ...pairFeeds(batch, form), ...(thumbCoef > 0 ? thumbFeeds(batch, form) : {}) }),
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
function thumbTerms(g: Graph, { scores, signs, weights }: Readonly<Record<'scores' | 'signs' | 'weights', Tensor>>) {
  const agreeing = mul(g, scores, signs);
  const weighted = (x: Tensor) => reduceSum(g, mul(g, x, weights));
  return {
    lossSum: weighted(softplus(g, neg(g, agreeing))),
    accuracy: weighted(cast(g, greater(g, agreeing, g.scalar(0)), 'float32')),
  };
}

function withThumbs(
  model: ModelGraph,
  judged: Readonly<Record<'scores' | 'signs', Tensor>>,
  pairs: Sums,
  thumbCoef: number,
) {
  const { g } = model;
  const thumbs = thumbTerms(g, { ...judged, weights: model.batch('thumbWeights', 'float32', ['U']) });
  return {
    lossSum: add(g, pairs.lossSum, scale(g, thumbs.lossSum, thumbCoef)),
    metricSums: { ...pairs.metricSums, thumbAccuracy: thumbs.accuracy },
  };
}

/** A batch without pairs sends one of weight 0. */
function pairFeeds(batch: RewardBatch, form: RewardForm) {
  const { tokens, chosenRows, rejectedRows, margins, weights, chosenAnswers, rejectedAnswers } = batch;
  const orZero = (values: readonly number[]) => (values.length > 0 ? values : [0]);
  return {
    ...tokenFeeds(tokens),
    ...rewardFeeds('chosen', { last: chosenRows, tokens: chosenAnswers }, form),
    ...rewardFeeds('rejected', { last: rejectedRows, tokens: rejectedAnswers }, form),
    margins: float32Vector(orZero(margins)),
    pairWeights: float32Vector(orZero(weights)),
  };
}

function thumbFeeds({ thumbs }: RewardBatch, form: RewardForm) {
  const none = !thumbs || thumbs.rows.length === 0;
  return {
    ...rewardFeeds('thumb', none ? { last: [], tokens: [] } : { last: thumbs.rows, tokens: thumbs.answers }, form),
    thumbSigns: float32Vector(none ? [1] : thumbs.liked.map((liked) => (liked ? 1 : -1))),
    thumbWeights: float32Vector(none ? [0] : thumbs.weights),
  };
}

const total = (weights: readonly number[]): number => weights.reduce((all, weight) => all + weight, 0);
