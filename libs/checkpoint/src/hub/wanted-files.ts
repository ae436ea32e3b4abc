import type { ListFileEntry } from '@huggingface/hub';
import { InvalidRequestError } from '@attune/platform';
import { SHARD_INDEX, SINGLE_FILE } from '../weight-files.js';
import type { ModelId } from './model-id.js';

/** A file to fetch, with the checksum the hub gives for it. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** Large files: sha256 of the content. Small ones: git's blob id, the sha1 of `blob <size>\0` and the content. */
  readonly checksum: { readonly kind: 'sha256' | 'git-sha1'; readonly hex: string };
}

const SIDE_FILES = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  SHARD_INDEX,
]);
const SHARD = /^model-\d+-of-\d+\.safetensors$/;

/**
 * Picks what is needed to run a model from a repository's listing, small files first. Other formats, and second copies
 * of the weights, are left.
 * @throws InvalidRequestError when the repository holds no such model
 */
export function wantedFiles(id: ModelId, listing: readonly ListFileEntry[]): RemoteFile[] {
  const files = listing.filter((entry) => entry.type === 'file');
  const has = (name: string) => files.some((entry) => entry.path === name);
  const single = has(SINGLE_FILE);
  const wanted = files.filter(
    ({ path }) => (SIDE_FILES.has(path) && !(single && path === SHARD_INDEX)) || isWeights(path, single),
  );
  if (!has('config.json')) throw unusable(id, 'it has no config.json');
  if (!wanted.some(({ path }) => isWeights(path, single))) throw unusable(id, 'it has no model*.safetensors');
  if (!has('tokenizer.json')) throw unusable(id, 'it has no tokenizer.json');
  return wanted.map(toRemoteFile).sort((a, b) => a.size - b.size);
}

const isWeights = (path: string, single: boolean) => (single ? path === SINGLE_FILE : SHARD.test(path));

function toRemoteFile({ path, size, oid, lfs }: ListFileEntry): RemoteFile {
  return lfs
    ? { path, size: lfs.size, checksum: { kind: 'sha256', hex: lfs.oid.replace(/^sha256:/, '') } }
    : { path, size, checksum: { kind: 'git-sha1', hex: oid ?? '' } };
}

function unusable({ repo, revision }: ModelId, what: string): InvalidRequestError {
  return new InvalidRequestError(
    `The hub model ${repo} (revision ${revision}) cannot be used: ${what}; choose one with safetensors weights`,
    { param: 'MODEL', code: 'unusable_model' },
  );
}
