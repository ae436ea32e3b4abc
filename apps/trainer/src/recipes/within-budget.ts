import { copyParameters, type ParameterSet } from '@attune/training';
import type { Policy } from '../model/policy.js';
import { budgetSpent } from './drift.js';
import type { RecipeContext } from './recipe-context.js';

/** The last weights of a stage whose own answers were within its KL budget. */
export interface WithinBudget {
  /**
   * To be asked before a round's update, with the KL of the answers that the policy as it stands has sampled: keeps the
   * policy, or puts back what was kept and says why the stage ends.
   */
  keepOrGoBack(kl: number): Promise<string | undefined>;
}

/**
 * Holds a stage to its budget. One round against a reward model can take a policy from within the budget to far beyond
 * it, so that stopping where it is noticed is too late: what the stage leaves are the weights of the round before. They
 * are kept in the stage's saves.
 */
export function withinBudget(
  { state, model }: Pick<RecipeContext, 'state' | 'model'>,
  stage: string,
  { parameters }: Pick<Policy, 'parameters'>,
  budget: number,
): WithinBudget {
  const kept = state.trackDuring(stage, `${stage}-within-budget`, copyParameters(parameters));
  return {
    async keepOrGoBack(kl) {
      const spent = kl > budget;
      await model.memory?.fetch(parameters);
      if (spent) copyInto(parameters, kept);
      else copyInto(kept, parameters);
      if (spent) await model.memory?.push(parameters);
      return spent ? `${budgetSpent(kl, budget)}; it leaves the weights of the round before` : undefined;
    },
  };
}

function copyInto(target: ParameterSet, source: ParameterSet): void {
  for (const [name, { data }] of target) data.set(source.get(name)!.data);
}
