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
 * The reward of InstructGPT (Ouyang et al. 2022, equation 2), spread over the tokens as in Ziegler et al. 2019:
 * every token pays β for leaving the reference, the last one earns the score. An answer that was cut pays a penalty.
 */
export function episodeReward(terms: RewardTerms, klCoef: number, missingEosPenalty: number): EpisodeReward {
  const { logProbs, referenceLogProbs, score, ended } = terms;
  const perToken = new Float32Array(logProbs.length);
  let kl = 0;
  for (let t = 0; t < perToken.length; t++) {
    const distance = logProbs[t]! - referenceLogProbs[t]!;
    kl += distance;
    perToken[t] = klCoef * -distance;
  }
  perToken[perToken.length - 1]! += score - (ended ? 0 : missingEosPenalty);
  return { perToken, kl };
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
