import { add, cast, type Graph, greater, mul, reduceSum, scale, sigmoid, sub, type Tensor } from '@attune/graph';
import type { Answer, AnswerBatch } from '../batches/answer-batch.js';
import { float32Vector } from '../batches/feeds.js';
import type { WeightedSequence } from '../batches/token-batch.js';
import type { Objective } from '../step/objective.js';
import { sumByOwner, tokenLogProbs } from './answer-sums.js';
import { besideFeeds, withSupervised } from './supervised-beside.js';

export interface KtoOptions {
  /** β: how strongly the policy is held to the reference. */
  readonly beta: number;
  /** λ_D and λ_U; with unequal numbers of thumbs, keep λ_D n_D / λ_U n_U between 1 and 4/3 (paper, eq. 9). */
  readonly desirableWeight: number;
  readonly undesirableWeight: number;
  /** Weight of a liked answer's NLL, a mean over its tokens; 0, the default: none. */
  readonly sftCoef?: number;
}

/** Thumbed answers with what is known of them before the step. */
export interface KtoBatch {
  readonly answers: AnswerBatch;
  /** True for a thumb up, one an answer. */
  readonly desirable: readonly boolean[];
  /** Σ log ref over each answer. */
  readonly referenceLogProbs: readonly number[];
  /** z₀, see {@link ktoReferencePoint}. */
  readonly referencePoint: number;
  /** Learnt beside the answers, each token counting by its weight. */
  readonly replayed?: readonly WeightedSequence[];
}

/**
 * Kahneman-Tversky optimisation (Ethayarajh et al. 2024, https://arxiv.org/abs/2402.01306, eq. 8): with r = log π(y) −
 * log ref(y), a liked answer costs λ_D (1 − σ(β(r − z₀))) and a disliked one λ_U (1 − σ(β(z₀ − r))). Needs no pairs.
 */
export function kto(options: KtoOptions): Objective<KtoBatch> {
  return {
    name: 'kto',
    build(model) {
      const reference = model.batch('referenceLogProbs', 'float32', ['N']);
      const logProbs = tokenLogProbs(model);
      const judged = ktoTerms(model.g, {
        logProbs: sumByOwner(model, logProbs, reference),
        referenceLogProbs: reference,
        desirable: model.batch('desirable', 'float32', ['N']),
        referencePoint: model.batch('referencePoint', 'float32', [1]),
        ...options,
      });
      return withSupervised(model, logProbs, judged);
    },
    feeds: ({ answers, desirable, referenceLogProbs, referencePoint, replayed }) => ({
      ...besideFeeds(answers.tokens, sums(answers), {
        answerWeights: ofLiked(answers, desirable, options.sftCoef ?? 0),
        replayed,
      }),
      referenceLogProbs: float32Vector(referenceLogProbs),
      desirable: float32Vector(desirable.map(Number)),
      referencePoint: float32Vector([referencePoint]),
    }),
    count: ({ desirable }) => desirable.length,
  };
}

const sums = ({ owners }: AnswerBatch) => ({ owners, factors: owners.map(() => 1) });

/** coef/length for each token of a liked answer, 0 for the others. */
const ofLiked = ({ owners, lengths }: AnswerBatch, desirable: readonly boolean[], coef: number): number[] =>
  owners.map((answer) => (desirable[answer] ? coef / lengths[answer]! : 0));

/** The loss over answers [N]; `desirable` is 1 or 0, `referencePoint` [1]. λ − λσ(z) is λσ(−z). */
export function ktoTerms(
  g: Graph,
  input: Readonly<Record<'logProbs' | 'referenceLogProbs' | 'desirable' | 'referencePoint', Tensor>> & KtoOptions,
) {
  const { desirable, beta } = input;
  const undesirable = sub(g, g.scalar(1), desirable);
  const ratios = sub(g, input.logProbs, input.referenceLogProbs);
  const fromPoint = scale(g, sub(g, ratios, input.referencePoint), beta);
  const direction = sub(g, desirable, undesirable);
  const weights = add(g, scale(g, desirable, input.desirableWeight), scale(g, undesirable, input.undesirableWeight));
  const right = cast(g, greater(g, mul(g, direction, fromPoint), g.scalar(0)), 'float32');
  return {
    lossSum: reduceSum(g, mul(g, weights, sigmoid(g, mul(g, scale(g, direction, -1), fromPoint)))),
    metricSums: {
      accuracy: reduceSum(g, right),
      logRatio: reduceSum(g, ratios),
      desirableReward: scale(g, reduceSum(g, mul(g, desirable, ratios)), beta),
      undesirableReward: scale(g, reduceSum(g, mul(g, undesirable, ratios)), beta),
    },
  };
}

/**
 * The answers of a batch given to one another's prompts: y of the next item behind x of this one, from which the
 * reference point is estimated (paper, section 4.1). A batch needs two answers at least.
 */
export function mismatchedAnswers(answers: readonly Answer[]): Answer[] {
  return answers.map(({ ids, promptLength }, i) => {
    const other = answers[(i + 1) % answers.length]!;
    return { ids: [...ids.slice(0, promptLength), ...other.ids.slice(other.promptLength)], promptLength };
  });
}

/**
 * z₀ = max(0, mean(log π(y′|x) − log ref(y′|x))) over mismatched answers: an estimate of KL(π‖ref) through which no
 * gradient flows.
 */
export function ktoReferencePoint(policySums: readonly number[], referenceSums: readonly number[]): number {
  const total = policySums.reduce((all, sum, i) => all + sum - referenceSums[i]!, 0);
  return Math.max(0, total / Math.max(1, policySums.length));
}
