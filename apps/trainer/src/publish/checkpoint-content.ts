import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CheckpointContent, CheckpointLineage, ModelToWrite, Tensor } from '@attune/checkpoint';
import { adapterOf, type ParameterSet, REWARD_HEAD } from '@attune/training';
import type { BaseModel } from '../model/base-model.js';
import { type Policy, weightsOf } from '../model/policy.js';
import type { RewardModel } from '../recipes/reward-model.recipe.js';

/** What goes to disk of a trained policy and the reward model beside it. */
export async function checkpointContent(
  model: BaseModel,
  policy: Policy,
  reward: RewardModel | null,
  manifest: CheckpointLineage,
): Promise<CheckpointContent> {
  const weights = weightsOf(policy);
  return {
    adapter: weights.kind === 'adapter' ? weights.adapter : null,
    ...(weights.kind === 'full' ? { model: await modelToWrite(model, weights.parameters) } : {}),
    // The body of a whole reward model is as large as the policy and serves nobody; its head alone is kept.
    rewardAdapter: reward && reward.form.kind !== 'full' ? adapterOf(reward.parameters, reward.form) : undefined,
    heads: reward ? headsOf(reward.parameters) : {},
    manifest,
  };
}

/** The fine-tuned weights in the base model's layout, with every file of its folder that holds no weights. */
async function modelToWrite({ folder, rawConfig }: BaseModel, parameters: ParameterSet): Promise<ModelToWrite> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isFile() && isCompanion(entry.name) ? [entry.name] : []));
  const files = await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const));
  const tensors = new Map([...parameters].map(([name, { shape, data }]): [string, Tensor] => [name, { shape, data }]));
  return { config: rawConfig as ModelToWrite['config'], tensors, files: Object.fromEntries(files) };
}

/** Tokenizer, templates and licence go along; the old weights, and what describes them, do not. */
const isCompanion = (name: string): boolean =>
  !/\.(safetensors|bin|pt|onnx|gguf)(\.index\.json)?$|^config\.json$|^manifest\.json$|^README\.md$/.test(name);

function headsOf(parameters: ParameterSet): Record<string, Tensor> {
  const heads = [...parameters].filter(([name]) => name.startsWith(`${REWARD_HEAD}.`));
  return Object.fromEntries(heads.map(([name, { shape, data }]) => [name, { shape, data }]));
}
