import type { Engine } from '@attune/engine';
import { type Rollout, sampleRollouts, type Scorer } from '@attune/training';
import type { AnswerSequence } from '../model/answer-sequence.js';
import { type Policy, weightsOf } from '../model/policy.js';
import { answerLogProbs } from '../model/scoring.js';
import { serve } from '../model/served.js';
import { mean } from './figures.js';
import type { RecipeContext } from './recipe-context.js';

export interface RolloutRequest {
  /** Names the batch in request ids. */
  readonly name: string;
  readonly prompts: readonly (readonly number[])[];
  readonly maxAnswerTokens: number;
  readonly seed: number;
}

/** Samples one answer a prompt with the policy as it is now, served exactly as people would get it. */
export async function samplePolicy(
  { model, signal }: Pick<RecipeContext, 'model' | 'signal'>,
  engine: Engine,
  policy: Policy,
  request: RolloutRequest,
): Promise<Rollout[]> {
  await model.memory?.fetch(policy.parameters);
  const served = await serve(model, engine, weightsOf(policy));
  try {
    return await sampleRollouts(served.engine, {
      ...request,
      adapter: served.adapter,
      stopIds: model.tokenizer.eosIds,
      // Log-probs are those at temperature 1; sampling at another would make every ratio of an update wrong.
      temperature: 1,
      signal,
    });
  } finally {
    await served.release();
  }
}

/** The rollout as a forward pass reads it. */
export const toSequence = ({ promptIds, answerIds }: Rollout): AnswerSequence => ({
  ids: [...promptIds, ...answerIds],
  answerStart: promptIds.length,
});

/** Mean Σ (log π − log ref) over sampled answers: an unbiased estimate of KL(π‖ref), in nats an answer. */
export async function klOfRollouts(rollouts: readonly Rollout[], reference: Scorer): Promise<number> {
  const references = await answerLogProbs(reference, rollouts.map(toSequence));
  return mean(
    rollouts.map(({ logProbs }, i) => logProbs.reduce((sum, logProb, t) => sum + logProb - references[i]![t]!, 0)),
  );
}
