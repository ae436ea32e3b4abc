import type { Scorer } from '@attune/training';
import type { Demonstration } from '../curation/dataset.js';
import { answerSequence } from '../model/answer-sequence.js';
import type { BaseModel } from '../model/base-model.js';
import { answerLogProbs } from '../model/scoring.js';

/** Mean −log π over the answer tokens of demonstrations nobody trained on, in nats a token. Null without any. */
export async function heldoutLoss(
  demonstrations: readonly Demonstration[],
  scorer: Scorer,
  model: BaseModel,
): Promise<number | null> {
  const sequences = demonstrations.map(({ prompt, answer }) => answerSequence(model.tokenizer, prompt, answer));
  const logProbs = (await answerLogProbs(scorer, sequences)).flatMap((array) => [...array]);
  if (logProbs.length === 0) return null;
  return -logProbs.reduce((sum, logProb) => sum + logProb, 0) / logProbs.length;
}
