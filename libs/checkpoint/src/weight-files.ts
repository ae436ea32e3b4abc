import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError, messageOf } from '@attune/platform';

export const SINGLE_FILE = 'model.safetensors';
export const SHARD_INDEX = 'model.safetensors.index.json';

/**
 * Names of the files that hold a folder's weights, sorted.
 * @throws InvalidRequestError when there are none, or a shard that the index names is missing
 */
export async function findWeightFiles(dir: string): Promise<string[]> {
  const entries = new Set(await readdir(dir));
  if (entries.has(SINGLE_FILE)) return [SINGLE_FILE];
  if (entries.has(SHARD_INDEX)) {
    const shards = parseShardIndex(dir, await readFile(path.join(dir, SHARD_INDEX), 'utf8'));
    const missing = shards.filter((shard) => !entries.has(shard));
    if (missing.length > 0) throw unusable(dir, `${SHARD_INDEX} names ${missing.join(', ')}, not there`);
    return shards;
  }
  const pickled = [...entries].find((entry) => /\.(bin|pth|pt)$/.test(entry));
  if (pickled) throw unusable(dir, `its weights are in ${pickled}; convert them to safetensors`);
  throw unusable(dir, `it has neither ${SINGLE_FILE} nor ${SHARD_INDEX}`);
}

/** The distinct files of `{"weight_map": {tensor: file}}`, sorted. */
function parseShardIndex(dir: string, text: string): string[] {
  let index: { weight_map?: Record<string, string> };
  try {
    index = JSON.parse(text) as typeof index;
  } catch (error) {
    throw unusable(dir, `${SHARD_INDEX} is not JSON (${messageOf(error)})`);
  }
  const files = [...new Set(Object.values(index.weight_map ?? {}))].sort();
  if (files.length === 0) throw unusable(dir, `${SHARD_INDEX} has no weight_map`);
  const outside = files.find((file) => path.basename(file) !== file);
  if (outside) throw unusable(dir, `${SHARD_INDEX} names ${outside}, which is not in the folder itself`);
  return files;
}

function unusable(dir: string, what: string): InvalidRequestError {
  return new InvalidRequestError(`The model folder ${dir} cannot be used: ${what}`, {
    param: 'MODEL',
    code: 'broken_model_folder',
  });
}
