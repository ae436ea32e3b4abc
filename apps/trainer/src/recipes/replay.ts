import { exampleAt, toConversation } from '@attune/tasks';
import { deriveSeed } from '@attune/platform';
import type { WeightedSequence } from '@attune/training';
import { answerSequence, toWeighted } from '../model/answer-sequence.js';
import type { RecipeContext } from './recipe-context.js';

/** The general tasks of one step: every step draws new ones. */
export function replayed(
  { model }: Pick<RecipeContext, 'model'>,
  seed: number,
  step: number,
  count: number,
): WeightedSequence[] {
  return Array.from({ length: count }, (_, place) => {
    const conversation = toConversation(exampleAt(deriveSeed(seed, 'replay'), step * count + place));
    return toWeighted(answerSequence(model.tokenizer, conversation.slice(0, -1), conversation.at(-1)!.content));
  });
}

/**
 * General tasks beside a batch of `numItems` judged answers or pairs, half as many. Weighted so that in a loss divided by
 * the number of items their NLL a token counts `coef` in all, also when the batch is cut into parts.
 */
export function replayedBeside(
  context: Pick<RecipeContext, 'model'>,
  { coef, seed, step, numItems }: { coef: number; seed: number; step: number; numItems: number },
): WeightedSequence[] {
  if (coef === 0) return [];
  const count = Math.ceil(numItems / 2);
  return replayed(context, seed, step, count).map((sequence) => scaledTo((coef * numItems) / count, sequence));
}

/** The sequence with weights that sum to `total`. */
function scaledTo(total: number, { ids, weights }: WeightedSequence): WeightedSequence {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return { ids, weights: weights.map((weight) => (weight * total) / sum) };
}
