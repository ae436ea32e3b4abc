import type { ModelConfig } from '@attune/models';
import type { Random } from '@attune/platform';
import { parameter, type ParameterSet } from './parameters.js';

export const REWARD_HEAD = 'reward_head';
/** A reward head that is read on every token of the answer; under a name of its own, for its scores are others. */
export const TOKEN_REWARD_HEAD = `${REWARD_HEAD}.every_token`;
export const VALUE_HEAD = 'value_head';

/**
 * A fresh reward head [1, hidden], N(0, 1/(hidden + 1)) as Stiennon et al. 2020 draw it. No bias: the preference loss
 * does not see one.
 */
export function initialRewardHead(
  config: Pick<ModelConfig, 'hiddenSize'>,
  random: Random,
  name: typeof REWARD_HEAD | typeof TOKEN_REWARD_HEAD = REWARD_HEAD,
): ParameterSet {
  const weight = parameter([1, config.hiddenSize]);
  const std = 1 / Math.sqrt(config.hiddenSize + 1);
  for (let i = 0; i < weight.data.length; i++) weight.data[i] = random.normal() * std;
  return new Map([[`${name}.weight`, weight]]);
}

/** A fresh value head that says 0 everywhere, so that the first advantages are the rewards themselves. */
export function initialValueHead(config: ModelConfig): ParameterSet {
  return new Map([
    [`${VALUE_HEAD}.weight`, parameter([1, config.hiddenSize])],
    [`${VALUE_HEAD}.bias`, parameter([1])],
  ]);
}
