import type { TuningJobConfig } from '@attune/contracts';
import type { CheckpointStore, OpenedCheckpoint } from '@attune/checkpoint';
import { createRandom, deriveSeed } from '@attune/platform';
import { copyParameters, formOf, parametersOf, startTuning, type TuningForm } from '@attune/training';
import { type BaseModel, readParameters } from '../model/base-model.js';
import type { Policy } from '../model/policy.js';

/**
 * The policy a job begins with: its parent's weights, so that what was learnt stays; or fresh ones that change nothing
 * yet. The parent's rank, width or number of tokens is kept, whatever the job asks for.
 */
export async function startingPolicy(
  checkpoints: CheckpointStore,
  parentId: string | null,
  model: BaseModel,
  config: TuningJobConfig,
): Promise<Policy> {
  if (parentId === null) return initialPolicy(model, config);
  const { adapter, model: folder } = await checkpoints.open(parentId);
  if (folder) return { form: { kind: 'full' }, parameters: copyParameters(readParameters(folder, model.config)) };
  if (!adapter) return initialPolicy(model, config);
  return { form: formOf(adapter), parameters: parametersOf(adapter) };
}

/** Fresh parameters of the form the job asks for. */
export function initialPolicy(model: BaseModel, config: TuningJobConfig): Policy {
  const form = wantedForm(model, config);
  const random = createRandom(deriveSeed(config.seed, 'adapter'));
  return { form, parameters: startTuning(model.config, form, model.parameters, random).trainable };
}

/** The form a job asks for, as the training step takes it. */
export function wantedForm({ tokenizer }: Pick<BaseModel, 'tokenizer'>, config: TuningJobConfig): TuningForm {
  switch (config.form) {
    case 'full':
      return { kind: 'full' };
    case 'lora':
      return { kind: 'lora', ...config.lora };
    case 'bottleneck':
      return { kind: 'bottleneck', size: config.bottleneck.width };
    case 'soft-prompt': {
      const { tokens: numTokens, init_text: text } = config.soft_prompt;
      return { kind: 'soft-prompt', numTokens, ...(text ? { initIds: tokenizer.encode(text) } : {}) };
    }
  }
}

/** Whether a job of this form can go on from a checkpoint: only weights of the same form can be trained on. */
export function canContinue({ manifest }: Pick<OpenedCheckpoint, 'manifest'>, config: TuningJobConfig): boolean {
  return manifest.kind === config.form || manifest.kind === 'base';
}
