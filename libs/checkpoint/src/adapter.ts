import { mkdir } from 'node:fs/promises';
import { blocksOf, bottleneckFiles, readBottleneck } from './adapter-bottleneck.js';
import {
  type AdapterFiles,
  type AdapterFolder,
  openAdapterFolder,
  unusable,
  writeAdapterFiles,
} from './adapter-folder.js';
import { type Adapter, type AdapterWeights, nameAdapter } from './adapter-kinds.js';
import { lowRankFiles, projectionsOf, readLowRank } from './adapter-lora.js';
import { readSoftPrompt, softPromptFiles } from './adapter-soft-prompt.js';
import type { FileMemory } from './safetensors/read.js';

/** An adapter as found on disk. */
export type StoredAdapter = Adapter & {
  /** What it changes: projections (`q_proj`) or blocks (`mlp`); nothing for a soft prompt. */
  readonly targets: readonly string[];
  /** What its config names as the model it was trained on. */
  readonly baseModel: string | null;
};

/**
 * Writes an adapter as PEFT does (adapter_config.json, adapter_model.safetensors, both synced by the caller's rename).
 * @param adapter with `baseModel`, written as `base_model_name_or_path`
 */
export async function writeAdapter(dir: string, adapter: AdapterWeights & { baseModel?: string }): Promise<void> {
  await mkdir(dir, { recursive: true });
  const { config, tensors } = filesOf(adapter);
  const { peft_type, ...rest } = config;
  const common = { task_type: 'CAUSAL_LM', base_model_name_or_path: adapter.baseModel ?? null, inference_mode: true };
  await writeAdapterFiles(dir, { config: { peft_type, ...common, ...rest }, tensors });
}

/**
 * Reads an adapter in PEFT layout.
 * @param memory to read its numbers into, which are valid until others are read into it; left out = fresh memory
 * @throws InvalidRequestError when a file is missing or damaged, or the adapter is of a kind that cannot be served
 */
export async function readAdapter(dir: string, memory?: FileMemory): Promise<StoredAdapter> {
  const folder = await openAdapterFolder(dir, memory);
  const base = folder.config.base_model_name_or_path;
  const adapter = nameAdapter(readWeights(folder));
  return { ...adapter, targets: targetsOf(adapter), baseModel: typeof base === 'string' && base ? base : null };
}

function filesOf(weights: AdapterWeights): AdapterFiles {
  if (weights.kind === 'bottleneck') return bottleneckFiles(weights);
  if (weights.kind === 'soft-prompt') return softPromptFiles(weights);
  return lowRankFiles(weights);
}

function readWeights(folder: AdapterFolder): AdapterWeights {
  const type = folder.config.peft_type;
  if (type === 'LORA') return readLowRank(folder);
  if (type === 'BOTTLENECK') return readBottleneck(folder);
  if (type === 'PROMPT_TUNING') return readSoftPrompt(folder);
  throw unusable(
    folder.dir,
    `its peft_type is ${JSON.stringify(type)}, only LORA, PROMPT_TUNING and BOTTLENECK are understood`,
  );
}

function targetsOf(weights: AdapterWeights): string[] {
  if (weights.kind === 'soft-prompt') return [];
  return weights.kind === 'bottleneck' ? blocksOf(weights.tensors) : projectionsOf(weights.tensors);
}
