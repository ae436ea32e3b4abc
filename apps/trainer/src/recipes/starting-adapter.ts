import type { TuningJobConfig } from '@attune/contracts';
import type { CheckpointStore } from '@attune/checkpoint';
import { createRandom, deriveSeed } from '@attune/platform';
import { fromAdapterWeights, initialAdapter } from '@attune/training';
import type { BaseModel } from '../model/base-model.js';
import type { Policy } from './recipe-context.js';

/**
 * The adapter a job begins with: its parent's, so that what was learnt stays; or a fresh one that changes nothing yet.
 * A parent's rank, alpha and targets are kept, whatever the job asks for.
 */
export async function startingAdapter(
  checkpoints: CheckpointStore,
  parentId: string | null,
  model: BaseModel,
  config: TuningJobConfig,
): Promise<Policy> {
  const parent = parentId === null ? null : (await checkpoints.open(parentId)).adapter;
  if (parent) return { parameters: fromAdapterWeights(parent), rank: parent.rank, alpha: parent.alpha };
  const random = createRandom(deriveSeed(config.seed, 'adapter'));
  return {
    parameters: initialAdapter(model.config, config.lora, random),
    rank: config.lora.rank,
    alpha: config.lora.alpha,
  };
}
