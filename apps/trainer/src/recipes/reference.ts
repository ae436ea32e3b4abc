import { copyParameters, type Scorer } from '@attune/training';
import { type Policy, scorerOver } from '../model/policy.js';
import type { RecipeContext } from './recipe-context.js';

/**
 * The policy as a stage found it, frozen in arrays of its own: what DPO, KTO, PPO and GRPO pay for leaving. Kept in the
 * stage's saves, so that a resumed stage measures its distance from the same place.
 */
export function frozenReference({ model, state }: RecipeContext, stage: string, policy: Policy): Scorer {
  const parameters = state.trackDuring(stage, `${stage}-reference`, copyParameters(policy.parameters));
  return scorerOver(model, policy.form, parameters);
}
