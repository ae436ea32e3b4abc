import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { replaceFolder } from './durable.js';
import { folderDigest } from './folder-digest.js';
import { elementCount, type Dtype } from './safetensors/dtype.js';
import { openSafetensors, type SafetensorsFile } from './safetensors/read.js';
import { writeSafetensors } from './safetensors/write.js';
import { findWeightFiles } from './weight-files.js';

/** A weight as float32, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A model in Hugging Face layout: config.json, safetensors (one file or shards), tokenizer files. */
export interface ModelFolder {
  readonly dir: string;
  /** config.json as it stands; which architectures are understood is not this library's business. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
  /** Names of all weights. */
  readonly names: readonly string[];
  /** sha256 over config.json and the weight files, in hex: one digest = one model. */
  readonly digest: string;
  has(name: string): boolean;
  shape(name: string): readonly number[];
  /** Reads a weight from disk, each time it is asked for. @throws InvalidRequestError naming folder and tensor */
  tensor(name: string): Tensor;
}

export interface ReadModelOptions {
  /** Folder that may remember digests between starts, so that gigabytes are hashed once. */
  readonly digestCache?: string;
}

/**
 * Opens a model folder: checks every header, hashes the content, reads no weight yet.
 * @throws InvalidRequestError with one sentence on what is missing or damaged
 */
export async function readModelFolder(dir: string, options: ReadModelOptions = {}): Promise<ModelFolder> {
  await requireFolder(dir);
  const config = await readJson(path.join(dir, 'config.json'));
  if (!config) throw brokenFolder(dir, 'it has no config.json');
  const generationConfig = await readJson(path.join(dir, 'generation_config.json'));
  const weightFiles = await findWeightFiles(dir);
  const owners = indexTensors(weightFiles.map((file) => openSafetensors(path.join(dir, file))));
  const digest = await folderDigest(dir, ['config.json', ...weightFiles], options.digestCache);
  const find = (name: string) => {
    const file = owners.get(name);
    if (!file) throw brokenFolder(dir, `it has no tensor \`${name}\` among its ${owners.size}`);
    return file;
  };
  const shape = (name: string) => find(name).tensors.get(name)!.shape;
  return {
    dir,
    config,
    generationConfig,
    names: [...owners.keys()],
    digest,
    has: (name) => owners.has(name),
    shape,
    tensor: (name) => ({ shape: shape(name), data: find(name).float32(name) }),
  };
}

export interface ModelToWrite {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** How the weights are stored; default F32. */
  readonly dtype?: Extract<Dtype, 'F32' | 'F16' | 'BF16'>;
  /** Further files: tokenizer.json, tokenizer_config.json, a model card … */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** Writes a model in Hugging Face layout; the folder appears (or is replaced) as a whole. */
export async function writeModelFolder(dir: string, model: ModelToWrite): Promise<void> {
  const tensors = [...model.tensors].map(([name, tensor]) => ({ name, ...tensor, dtype: model.dtype ?? 'F32' }));
  await replaceFolder(path.resolve(dir), async (temporary) => {
    await writeFile(path.join(temporary, 'config.json'), `${JSON.stringify(model.config, null, 2)}\n`);
    await writeSafetensors(path.join(temporary, 'model.safetensors'), tensors);
    for (const [name, content] of Object.entries(model.files ?? {})) {
      await mkdir(path.dirname(path.join(temporary, name)), { recursive: true });
      await writeFile(path.join(temporary, name), content);
    }
  });
}

/** Weights in a whole folder: sum of all tensors' elements. */
export function countParameters(model: ModelFolder): number {
  return model.names.reduce((sum, name) => sum + elementCount(model.shape(name)), 0);
}

async function requireFolder(dir: string): Promise<void> {
  const info = await stat(dir).catch(() => undefined);
  if (!info) throw new InvalidRequestError(`The model folder ${dir} does not exist; set MODEL to one that does`);
  if (!info.isDirectory()) throw new InvalidRequestError(`${dir} is a file; set MODEL to the folder it lies in`);
}

/** @returns undefined when there is no such file */
async function readJson(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw brokenFolder(path.dirname(file), `${path.basename(file)} is not JSON (${messageOf(error)})`);
  }
}

function indexTensors(files: readonly SafetensorsFile[]): Map<string, SafetensorsFile> {
  const owners = new Map<string, SafetensorsFile>();
  for (const file of files) for (const name of file.tensors.keys()) owners.set(name, file);
  return owners;
}

function brokenFolder(dir: string, what: string): InvalidRequestError {
  return new InvalidRequestError(
    `The model folder ${dir} cannot be used: ${what}. It needs config.json and *.safetensors in Hugging Face layout`,
    { param: 'MODEL', code: 'broken_model_folder' },
  );
}
