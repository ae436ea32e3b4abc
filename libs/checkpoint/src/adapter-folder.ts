import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { type FileMemory, openSafetensors, readSafetensors, type SafetensorsFile } from './safetensors/read.js';
import { writeSafetensors, type TensorToWrite } from './safetensors/write.js';

/** What a kind of adapter puts into its folder: adapter_config.json's fields and the tensors beside it. */
export interface AdapterFiles {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly TensorToWrite[];
}

/** A folder as read: each kind takes from it what it knows and refuses what it would compute wrongly. */
export interface AdapterFolder {
  readonly dir: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: SafetensorsFile;
}

const ADAPTER_CONFIG = 'adapter_config.json';
const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/** Both files are synced by the caller's rename. */
export async function writeAdapterFiles(dir: string, { config, tensors }: AdapterFiles): Promise<void> {
  await writeSafetensors(path.join(dir, ADAPTER_WEIGHTS), tensors);
  await writeFile(path.join(dir, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

/**
 * @param memory to read the weights into, which are valid until others are read into it
 * @throws InvalidRequestError when a file is missing or damaged
 */
export async function openAdapterFolder(dir: string, memory?: FileMemory): Promise<AdapterFolder> {
  const config = await readConfig(dir);
  const file = path.join(dir, ADAPTER_WEIGHTS);
  return { dir, config, weights: memory ? readSafetensors(file, memory) : openSafetensors(file) };
}

export function unusable(dir: string, what: string): InvalidRequestError {
  return new InvalidRequestError(`The adapter in ${dir} cannot be used: ${what}`, { code: 'broken_adapter' });
}

/** A whole number of at least one. @throws InvalidRequestError naming the field */
export function expectCount({ dir, config }: AdapterFolder, field: string, what = field): number {
  const value = config[field];
  if (!Number.isInteger(value) || Number(value) < 1) throw unusable(dir, `its ${what} is ${JSON.stringify(value)}`);
  return Number(value);
}

async function readConfig(dir: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path.join(dir, ADAPTER_CONFIG), 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw unusable(dir, `its ${ADAPTER_CONFIG} cannot be read (${messageOf(error)})`);
  }
}
