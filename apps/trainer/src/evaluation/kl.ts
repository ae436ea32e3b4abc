import type { Scorer } from '@attune/training';
import { answerLogProbs } from '../model/scoring.js';
import type { Answer } from './answers.js';

/**
 * How far the candidate's answers are from the live model, in nats an answer: the mean over answers that the candidate
 * sampled at temperature 1 of log π_candidate − log π_live, an unbiased estimate of KL(candidate ‖ live).
 */
export async function klToLive(sampled: readonly Answer[], live: Scorer): Promise<number | null> {
  if (sampled.length === 0) return null;
  const liveLogProbs = await answerLogProbs(
    live,
    sampled.map(({ sequence }) => sequence),
  );
  const distances = sampled.map(({ logProbs }, i) =>
    logProbs.reduce((sum, logProb, t) => sum + logProb - liveLogProbs[i]![t]!, 0),
  );
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}
