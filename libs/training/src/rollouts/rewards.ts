import { shapedRewards } from '../objectives/gae.js';

/** What a PPO episode is paid. */
export interface EpisodeReward {
  /** One reward a token: −β(log π − log π_ref), and at the last token also the score. */
  readonly perToken: Float32Array;
  /** Σ (log π − log π_ref) over the answer: a one-sample estimate of the sequence's KL, in nats. */
  readonly kl: number;
}

export interface RewardTerms {
  /** Log-probs of the answer's tokens under the policy that sampled them. */
  readonly logProbs: ArrayLike<number>;
  /** Under the frozen reference. */
  readonly referenceLogProbs: ArrayLike<number>;
  /** The reward model's score of the whole answer (after any normalisation). */
  readonly score: number;
  /** Whether the policy chose to stop. */
  readonly ended: boolean;
}

/**
 * The shaped rewards of an answer, where one that was cut pays a penalty: else a policy learns to ramble on to the limit.
 */
export function episodeReward(terms: RewardTerms, klCoef: number, missingEosPenalty: number): EpisodeReward {
  const { logProbs, referenceLogProbs, score, ended } = terms;
  const paid = score - (ended ? 0 : missingEosPenalty);
  let kl = 0;
  for (let t = 0; t < logProbs.length; t++) kl += logProbs[t]! - referenceLogProbs[t]!;
  return { perToken: shapedRewards(paid, logProbs, referenceLogProbs, klCoef), kl };
}

/** Where a reward model's scores lie. */
export interface ScoreScale {
  readonly mean: number;
  readonly deviation: number;
}

/** Mean and standard deviation of some scores, to bring others onto the same footing. */
export function scaleOf(scores: readonly number[]): ScoreScale {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/**
 * A score in standard deviations of the preference data, whose mean is 0 (InstructGPT shifts its rewards likewise).
 * The scale is fixed for a whole run: scaling by each batch's own spread would, once every answer is good, blow up
 * noise into reward.
 */
export function standardized(score: number, { mean, deviation }: ScoreScale): number {
  return (score - mean) / Math.max(deviation, 1e-6);
}
