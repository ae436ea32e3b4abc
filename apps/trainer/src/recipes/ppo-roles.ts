import { initialValueHead, ppo, type ppoBatch, releaseAll, type Scorer, type TrainingStep } from '@attune/training';
import { type Policy, scorerOver } from '../model/policy.js';
import type { RecipeContext } from './recipe-context.js';
import { frozenReference } from './reference.js';
import { openStageStep } from './stage-step.js';

/** Who takes part in PPO beside the reward model, all over one copy of the base weights. */
export interface PpoRoles {
  readonly step: Pick<TrainingStep<ReturnType<typeof ppoBatch>>, 'run'>;
  /** Policy with value head, as trained so far. */
  readonly policy: Scorer;
  /** The policy as PPO found it, frozen. */
  readonly reference: Scorer;
  release(): Promise<void>;
}

/** Fresh at the start of a stage, or as its last save left them. */
export async function createRoles(context: RecipeContext, stage: string, policy: Policy): Promise<PpoRoles> {
  const { config, model, state } = context;
  const valueHead = state.trackDuring(stage, 'value-head', initialValueHead(model.config));
  const trainable = new Map([...policy.parameters, ...valueHead]);
  const settings = config.ppo;
  const step = await openStageStep(context, {
    stage,
    form: policy.form,
    objective: ppo({
      clipRange: settings.clip_range,
      valueClipRange: settings.value_clip_range,
      valueCoef: settings.value_coef,
      ptxCoef: settings.ptx_coef,
    }),
    trainable,
  });
  const policyScorer = scorerOver(model, policy.form, trainable);
  const referenceScorer = frozenReference(context, stage, policy);
  const release = () => releaseAll([step, policyScorer, referenceScorer]);
  return { step, policy: policyScorer, reference: referenceScorer, release };
}
