import { EMBEDDING, type ModelConfig } from '@attune/models';
import { InvalidRequestError, type Random } from '@attune/platform';
import { parameter, type ParameterSet } from '../step/parameters.js';

/** The one parameter of a soft prompt, [tokens, hidden], under PEFT's name. */
export const SOFT_PROMPT = 'prompt_embeddings';

/**
 * A fresh soft prompt: embeddings of given tokens, repeated or cut to length as PEFT does, or of random words of the
 * vocabulary (Lester et al. 2021, section 3.2: both beat random numbers).
 */
export function initialSoftPrompt(
  config: ModelConfig,
  { numTokens, initIds = [] }: { readonly numTokens: number; readonly initIds?: readonly number[] },
  base: ParameterSet,
  random: Random,
): ParameterSet {
  const table = base.get(EMBEDDING);
  if (!table) throw new InvalidRequestError(`a soft prompt starts from "${EMBEDDING}", which the base weights lack`);
  const prompt = parameter([numTokens, config.hiddenSize]);
  for (let i = 0; i < numTokens; i++) {
    const id = initIds.length > 0 ? initIds[i % initIds.length]! : random.int(config.vocabSize);
    if (!(id >= 0 && id < config.vocabSize))
      throw new InvalidRequestError(`token ${id} cannot start a soft prompt: the vocabulary has ${config.vocabSize}`);
    prompt.data.set(table.data.subarray(id * config.hiddenSize, (id + 1) * config.hiddenSize), i * config.hiddenSize);
  }
  return new Map([[SOFT_PROMPT, prompt]]);
}
