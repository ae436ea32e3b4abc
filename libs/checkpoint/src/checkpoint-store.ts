import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConflictError, InternalError, NotFoundError, systemClock, type Clock } from '@attune/platform';
import { adapterDigest, readAdapter, writeAdapter, type AdapterWeights, type StoredAdapter } from './adapter.js';
import type { CheckpointContent, CheckpointManifest } from './checkpoint-manifest.js';
import { fileDigest, weightsDigest } from './digest.js';
import { replaceFolder, sweepLeftovers } from './durable.js';
import type { Tensor } from './model-folder.js';
import { openSafetensors } from './safetensors/read.js';
import { writeSafetensors } from './safetensors/write.js';

/** A published checkpoint, verified and in memory. */
export interface OpenedCheckpoint {
  readonly folder: string;
  readonly manifest: CheckpointManifest;
  /** null = the base model's own weights. */
  readonly adapter: StoredAdapter | null;
  readonly rewardAdapter: StoredAdapter | null;
  /** Weights beside the language model: the reward and value heads. */
  readonly heads: ReadonlyMap<string, Tensor>;
}

const MANIFEST = 'manifest.json';
const HEADS = 'heads.safetensors';
const REWARD = 'reward';

/**
 * Trained weights on disk, one folder a checkpoint, never changed once there:
 * `<id>/{adapter_config.json, adapter_model.safetensors, reward/…, heads.safetensors, manifest.json}`.
 */
export class CheckpointStore {
  constructor(
    private readonly folder: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Where a checkpoint lies (whether or not it exists). */
  folderOf(id: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(id)) throw new NotFoundError(`\`${id}\` is no checkpoint id`);
    return path.join(this.folder, id);
  }

  /**
   * Puts a checkpoint on disk as a whole: written aside, synced, renamed into place. Publishing the same weights under
   * the same id again is fine (a resumed job does), other weights under a taken id are a ConflictError.
   */
  async publish(id: string, content: CheckpointContent): Promise<CheckpointManifest> {
    const folder = this.folderOf(id);
    const digest = content.adapter ? adapterDigest(content.adapter) : null;
    const existing = await this.readManifest(id);
    if (existing) {
      if (existing.adapterDigest === digest && existing.baseDigest === content.manifest.baseDigest) return existing;
      throw new ConflictError(`Checkpoint ${id} exists already with other weights; publish under a new id`);
    }
    await sweepLeftovers(this.folder);
    await replaceFolder(folder, async (temporary) => {
      await this.fill(temporary, content);
      const manifest: CheckpointManifest = {
        ...content.manifest,
        format: 1,
        id,
        created: this.clock.now().toISOString(),
        adapterDigest: digest,
        weightsDigest: weightsDigest(content.manifest.baseDigest, digest),
        files: await describeFiles(temporary),
      };
      await writeFile(path.join(temporary, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    });
    return (await this.readManifest(id))!;
  }

  /**
   * Reads a checkpoint back after checking each file against the manifest.
   * @throws NotFoundError when there is none; InternalError when a file was changed or lost
   */
  async open(id: string): Promise<OpenedCheckpoint> {
    const manifest = await this.readManifest(id);
    if (!manifest) throw new NotFoundError(`Checkpoint ${id} is not in ${this.folder}`);
    const folder = this.folderOf(id);
    await verifyFiles(id, folder, manifest);
    return {
      folder,
      manifest,
      adapter: manifest.adapterDigest ? await readAdapter(folder) : null,
      rewardAdapter:
        `${REWARD}/adapter_config.json` in manifest.files ? await readAdapter(path.join(folder, REWARD)) : null,
      heads: HEADS in manifest.files ? readHeads(path.join(folder, HEADS)) : new Map(),
    };
  }

  /** Ids of all checkpoints, sorted. */
  async list(): Promise<string[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort();
  }

  private async fill(temporary: string, { adapter, rewardAdapter, heads, manifest }: CheckpointContent): Promise<void> {
    const write = (dir: string, weights: AdapterWeights) =>
      writeAdapter(dir, { ...weights, baseModel: manifest.baseModel });
    if (adapter) await write(temporary, adapter);
    if (rewardAdapter) await write(path.join(temporary, REWARD), rewardAdapter);
    const tensors = Object.entries(heads ?? {}).map(([name, tensor]) => ({ name, ...tensor }));
    if (tensors.length > 0) await writeSafetensors(path.join(temporary, HEADS), tensors);
  }

  /** @returns undefined when there is no such checkpoint */
  private async readManifest(id: string): Promise<CheckpointManifest | undefined> {
    const text = await readFile(path.join(this.folderOf(id), MANIFEST), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : parseManifest(id, text);
  }
}

function parseManifest(id: string, text: string): CheckpointManifest {
  try {
    return JSON.parse(text) as CheckpointManifest;
  } catch (cause) {
    throw new InternalError(`Checkpoint ${id}: ${MANIFEST} is damaged; restore it from a backup or roll back`, {
      cause,
    });
  }
}

async function describeFiles(folder: string): Promise<CheckpointManifest['files']> {
  const files: Record<string, { sha256: string; bytes: number }> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).split(path.sep).join('/');
    files[name] = { sha256: await fileDigest(file), bytes: (await stat(file)).size };
  }
  return files;
}

async function verifyFiles(id: string, folder: string, manifest: CheckpointManifest): Promise<void> {
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    const actual = await fileDigest(path.join(folder, name)).catch(() => undefined);
    if (actual === sha256) continue;
    const what = actual === undefined ? 'cannot be read' : 'was changed after it was published';
    throw new InternalError(`Checkpoint ${id}: ${name} ${what}; restore it from a backup or roll back`);
  }
}

function readHeads(file: string): Map<string, Tensor> {
  const heads = openSafetensors(file);
  return new Map([...heads.tensors.values()].map(({ name, shape }) => [name, { shape, data: heads.float32(name) }]));
}
