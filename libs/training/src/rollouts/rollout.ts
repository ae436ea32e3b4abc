import type { TokenEngine } from '@attune/engine';
import { deriveSeed } from '@attune/platform';
import { generateMany, type GenerationPlan, type SampledAnswer } from '../generation/generate-many.js';

/** One sampled episode: a prompt is the state, every answer token (the stop token too) an action. */
export interface Rollout {
  readonly promptIds: readonly number[];
  /** What was sampled; ends with the stop token when `ended`. Never empty. */
  readonly answerIds: readonly number[];
  /** Log-prob of each answer token when it was sampled, under the policy that sampled it. */
  readonly logProbs: readonly number[];
  /** Whether the policy chose to stop; false when the answer was cut. */
  readonly ended: boolean;
}

export interface RolloutPlan extends Pick<
  GenerationPlan,
  'name' | 'prompts' | 'adapter' | 'stopIds' | 'temperature' | 'signal'
> {
  readonly maxAnswerTokens: number;
  readonly seed: number;
}

/** Samples one episode a prompt with the weights the engine serves: the behaviour policy is exactly what would be served. */
export async function sampleRollouts(engine: TokenEngine, plan: RolloutPlan): Promise<Rollout[]> {
  const { maxAnswerTokens, seed, ...rest } = plan;
  const seedOf = (index: number) => deriveSeed(seed, index);
  const answers = await generateMany(engine, { ...rest, maxTokens: maxAnswerTokens, seedOf });
  return answers.map((answer, index) => toRollout(plan.prompts[index]!, answer));
}

/** The episode of a sampled answer: choosing to stop is an action like any other. */
function toRollout(promptIds: readonly number[], { tokens, logProbs, stop }: SampledAnswer): Rollout {
  return {
    promptIds,
    answerIds: stop ? [...tokens, stop.token] : tokens,
    logProbs: stop ? [...logProbs, stop.logProb] : logProbs,
    ended: stop !== null,
  };
}
