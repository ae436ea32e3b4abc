import {
  abs,
  add,
  cast,
  clamp,
  exp,
  greater,
  type Graph,
  maximum,
  mul,
  neg,
  reduceSum,
  scale,
  sub,
  type Tensor,
} from '@attune/graph';
import { float32Vector, tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import { type PpoBatch, ptxRowFeeds } from '../batches/ppo-batch.js';
import { VALUE_HEAD } from '../step/heads.js';
import type { ModelGraph } from '../step/model-graph.js';
import type { Objective } from '../step/objective.js';

export interface PpoOptions {
  /** ε of the clipped surrogate. */
  readonly clipRange: number;
  /** How far a value may move from the rollout's before its loss is clipped. */
  readonly valueClipRange: number;
  readonly valueCoef: number;
  /** Price of the KL to the reference inside the loss; usually 0, with the KL in the reward instead. */
  readonly klCoef?: number;
  /** γ of the pretraining (or demonstration) loss mixed in against forgetting; 0 leaves it out. */
  readonly ptxCoef: number;
}

/**
 * Proximal policy optimisation (Schulman et al. 2017, eq. 7 and 9) over answer tokens, with InstructGPT's ptx term
 * (Ouyang et al. 2022, eq. 2): L = L_clip + c_v L_value + c_kl KL(π‖ref) + γ L_sft. One hidden state feeds policy and
 * value head. Every token of the answers counts the same.
 */
export function ppo(options: PpoOptions): Objective<PpoBatch> {
  return {
    name: 'ppo',
    build(model) {
      const hidden = model.hidden();
      const rows = model.countedRows(hidden);
      const logProbs = model.labelLogProbs(rows, model.batch('labels', 'int64', ['R']));
      const values = model.scalar(VALUE_HEAD, rows);
      const perToken = (name: string) => model.batch(name, 'float32', ['R']);
      const weights = perToken('weights');
      const policy = clippedPolicyTerms(model.g, {
        logProbs,
        oldLogProbs: perToken('oldLogProbs'),
        advantages: perToken('advantages'),
        weights,
        clipRange: options.clipRange,
      });
      const value = clippedValueTerms(model.g, {
        values,
        oldValues: perToken('oldValues'),
        returns: perToken('returns'),
        weights,
        clipRange: options.valueClipRange,
      });
      return combine(model, hidden, options, { logProbs, weights, policy, value });
    },
    feeds: (batch) => ({
      ...tokenFeeds(batch.tokens),
      ...weightedRowFeeds(batch.tokens),
      oldLogProbs: float32Vector(batch.oldLogProbs),
      advantages: float32Vector(batch.advantages),
      oldValues: float32Vector(batch.oldValues),
      returns: float32Vector(batch.returns),
      ...(options.klCoef ? { referenceLogProbs: float32Vector(batch.referenceLogProbs) } : {}),
      ...(options.ptxCoef ? ptxRowFeeds(batch) : {}),
    }),
    count: (batch) => batch.numTokens,
  };
}

interface Parts {
  readonly logProbs: Tensor;
  readonly weights: Tensor;
  readonly policy: ReturnType<typeof clippedPolicyTerms>;
  readonly value: ReturnType<typeof clippedValueTerms>;
}

function combine(model: ModelGraph, hidden: Tensor, options: PpoOptions, { logProbs, weights, policy, value }: Parts) {
  const { g } = model;
  let lossSum = add(g, policy.lossSum, scale(g, value.lossSum, options.valueCoef));
  const metricSums: Record<string, Tensor> = { ...policy.metricSums, ...value.metricSums };
  if (options.klCoef) {
    const reference = model.batch('referenceLogProbs', 'float32', ['R']);
    metricSums['kl'] = reduceSum(g, mul(g, klEstimate(g, logProbs, reference), weights));
    lossSum = add(g, lossSum, scale(g, metricSums['kl'], options.klCoef));
  }
  if (options.ptxCoef) {
    metricSums['ptxLoss'] = ptxSum(model, hidden);
    lossSum = add(g, lossSum, scale(g, metricSums['ptxLoss'], options.ptxCoef));
  }
  return { lossSum, metricSums };
}

/** Cross-entropy of the ptx rows; their weights are scaled so that dividing by the answer tokens gives a mean. */
function ptxSum(model: ModelGraph, hidden: Tensor): Tensor {
  const { g } = model;
  const labels = model.batch('ptxLabels', 'int64', ['X']);
  const logProbs = model.labelLogProbs(model.rows(hidden, 'ptxRows', 'X'), labels);
  return neg(g, reduceSum(g, mul(g, logProbs, model.batch('ptxWeights', 'float32', ['X']))));
}

/**
 * −E[min(ρA, clip(ρ, 1 ± ε) A)] with ρ = π/π_old, all [R]. `approxKl` is E[(ρ − 1) − log ρ] against the rollout's
 * policy, `entropy` the sampled estimate −E[log π].
 */
export function clippedPolicyTerms(
  g: Graph,
  input: Readonly<Record<'logProbs' | 'oldLogProbs' | 'advantages' | 'weights', Tensor>> & { clipRange: number },
) {
  const { logProbs, oldLogProbs, advantages, weights, clipRange } = input;
  const logRatio = sub(g, logProbs, oldLogProbs);
  const ratio = exp(g, logRatio);
  const plain = neg(g, mul(g, ratio, advantages));
  const clipped = neg(g, mul(g, clamp(g, ratio, 1 - clipRange, 1 + clipRange), advantages));
  const outside = greater(g, abs(g, sub(g, ratio, g.scalar(1))), g.scalar(clipRange));
  const weighted = (x: Tensor) => reduceSum(g, mul(g, x, weights));
  const lossSum = weighted(maximum(g, plain, clipped));
  return {
    lossSum,
    metricSums: {
      policyLoss: lossSum,
      ratio: weighted(ratio),
      clipFraction: weighted(cast(g, outside, 'float32')),
      approxKl: weighted(sub(g, sub(g, ratio, g.scalar(1)), logRatio)),
      entropy: weighted(neg(g, logProbs)),
    },
  };
}

/** ½ E[max((V − R)², (clip(V, V_old ± ε) − R)²)], all [R] (Huang et al. 2022, the 37 details, detail 9). */
export function clippedValueTerms(
  g: Graph,
  input: Readonly<Record<'values' | 'oldValues' | 'returns' | 'weights', Tensor>> & { clipRange: number },
) {
  const { values, oldValues, returns, weights, clipRange } = input;
  const near = add(g, oldValues, clamp(g, sub(g, values, oldValues), -clipRange, clipRange));
  const square = (x: Tensor) => mul(g, x, x);
  const errors = maximum(g, square(sub(g, values, returns)), square(sub(g, near, returns)));
  const lossSum = scale(g, reduceSum(g, mul(g, errors, weights)), 0.5);
  return { lossSum, metricSums: { valueLoss: lossSum, value: reduceSum(g, mul(g, values, weights)) } };
}

/** Per-token KL(π‖ref) estimate e^d − d − 1 with d = log ref − log π: unbiased under π and never negative. */
export function klEstimate(g: Graph, logProbs: Tensor, reference: Tensor): Tensor {
  const d = sub(g, reference, logProbs);
  return sub(g, sub(g, exp(g, d), d), g.scalar(1));
}
