import { padSequences, type Scorer } from '@attune/training';
import { microBatches } from '../recipes/micro-batches.js';
import { type AnswerSequence, toWeighted } from './answer-sequence.js';

/** Rows of one forward pass: more costs memory, fewer cost calls. */
export const SCORED_AT_ONCE = 16;

/** Log-probs of each sequence's answer tokens, in order. */
export function answerLogProbs(scorer: Scorer, sequences: readonly AnswerSequence[]): Promise<Float32Array[]> {
  return perAnswerToken(sequences, (batch) => scorer.tokenLogProbs(batch));
}

/** The value head's estimate before each answer token, in order. */
export function answerValues(scorer: Scorer, sequences: readonly AnswerSequence[]): Promise<Float32Array[]> {
  return perAnswerToken(sequences, (batch) => scorer.values(batch));
}

/** The reward model's score of each sequence's answer, in order. */
export async function sequenceScores(scorer: Scorer, sequences: readonly AnswerSequence[]): Promise<number[]> {
  const scores: number[] = [];
  for (const part of microBatches(sequences, SCORED_AT_ONCE)) {
    const promptLengths = part.map(({ answerStart }) => answerStart);
    scores.push(
      ...(await scorer.rewardScores(
        part.map(({ ids }) => ids),
        promptLengths,
      )),
    );
  }
  return scores;
}

async function perAnswerToken(
  sequences: readonly AnswerSequence[],
  run: (batch: ReturnType<typeof padSequences>) => Promise<Float32Array>,
): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  for (const part of microBatches(sequences, SCORED_AT_ONCE)) {
    const flat = await run(padSequences(part.map(toWeighted)));
    let start = 0;
    for (const { ids, answerStart } of part) {
      const length = ids.length - answerStart;
      found.push(flat.slice(start, start + length));
      start += length;
    }
  }
  return found;
}
