import type { TuningJobConfig } from '@attune/contracts';
import { type CheckpointStore, expectLowRank } from '@attune/checkpoint';
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
  if (!parent) return initialPolicy(model, config);
  const { rank, alpha, tensors } = expectLowRank(parent, 'This job');
  return { parameters: fromAdapterWeights({ rank, alpha, tensors }), rank, alpha };
}

/** A fresh adapter of the shape the job asks for; it changes nothing yet. */
export function initialPolicy(model: BaseModel, { seed, lora }: TuningJobConfig): Policy {
  const random = createRandom(deriveSeed(seed, 'adapter'));
  return { parameters: initialAdapter(model.config, lora, random), rank: lora.rank, alpha: lora.alpha };
}
