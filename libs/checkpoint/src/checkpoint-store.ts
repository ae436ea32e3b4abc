import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConflictError, InternalError, NotFoundError, systemClock, type Clock } from '@attune/platform';
import { readAdapter, writeAdapter, type StoredAdapter } from './adapter.js';
import { adapterDigest, kindOf, type AdapterWeights } from './adapter-kinds.js';
import type { CheckpointContent, CheckpointKind, CheckpointManifest } from './checkpoint-manifest.js';
import { fileDigest, weightsDigest } from './digest.js';
import { replaceFolder, sweepLeftovers, withTemporaryFolder } from './durable.js';
import { readModelFolder, writeModelFolder, type ModelFolder, type Tensor } from './model-folder.js';
import { openSafetensors } from './safetensors/read.js';
import { writeSafetensors } from './safetensors/write.js';

/** A published checkpoint, verified and in memory. */
export interface OpenedCheckpoint {
  readonly folder: string;
  readonly manifest: CheckpointManifest;
  /** null = the base model's own weights, or `model`. */
  readonly adapter: StoredAdapter | null;
  /** A full fine-tune's own folder, else null. */
  readonly model: ModelFolder | null;
  readonly rewardAdapter: StoredAdapter | null;
  /** Weights beside the language model: the reward and value heads. */
  readonly heads: ReadonlyMap<string, Tensor>;
}

const MANIFEST = 'manifest.json';
const HEADS = 'heads.safetensors';
const REWARD = 'reward';
const MODEL = 'model';

/**
 * Trained weights on disk, one folder a checkpoint, never changed once there:
 * `<id>/{adapter_config.json, adapter_model.safetensors, reward/…, heads.safetensors, manifest.json}`; a full fine-tune
 * has `<id>/model/` in Hugging Face layout in place of an adapter.
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

  /** Where a full fine-tune's model lies (whether or not it exists): a folder MODEL may name as well. */
  modelFolderOf(id: string): string {
    return path.join(this.folderOf(id), MODEL);
  }

  /** Removes what processes left that were killed while they published; for the start of whoever uses the store. */
  sweep(): Promise<void> {
    return sweepLeftovers(this.folder);
  }

  /** What a checkpoint is, without its weights. @throws NotFoundError */
  async manifest(id: string): Promise<CheckpointManifest> {
    const manifest = await this.readManifest(id);
    if (!manifest) throw new NotFoundError(`Checkpoint ${id} is not in ${this.folder}`);
    return manifest;
  }

  /**
   * Puts a checkpoint on disk as a whole: written aside, synced, renamed into place. Publishing the same weights under
   * the same id again is fine (a resumed job does), other weights under a taken id are a ConflictError.
   */
  async publish(id: string, content: CheckpointContent): Promise<CheckpointManifest> {
    const folder = this.folderOf(id);
    await this.sweep();
    const existing = await this.readManifest(id);
    if (existing) return this.expectSame(existing, content);
    await replaceFolder(folder, async (temporary) => {
      await this.fill(temporary, content);
      const digest = content.adapter ? adapterDigest(content.adapter) : null;
      const modelDigest = content.model ? (await readModelFolder(path.join(temporary, MODEL))).digest : null;
      const manifest: CheckpointManifest = {
        ...content.manifest,
        format: 1,
        id,
        created: this.clock.now().toISOString(),
        kind: kindOfContent(content),
        adapterDigest: digest,
        modelDigest,
        weightsDigest: weightsDigest(modelDigest ?? content.manifest.baseDigest, digest),
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
    const manifest = await this.manifest(id);
    const folder = this.folderOf(id);
    await verifyFiles(id, folder, manifest);
    return {
      folder,
      manifest,
      adapter: manifest.adapterDigest ? await readAdapter(folder) : null,
      model: manifest.modelDigest ? await readModelFolder(this.modelFolderOf(id)) : null,
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

  private async expectSame(existing: CheckpointManifest, content: CheckpointContent): Promise<CheckpointManifest> {
    const digest = content.adapter ? adapterDigest(content.adapter) : null;
    const modelDigest = content.model ? await this.digestOf(content.model) : null;
    const same =
      existing.adapterDigest === digest &&
      existing.modelDigest === modelDigest &&
      existing.baseDigest === content.manifest.baseDigest;
    if (same) return existing;
    throw new ConflictError(`Checkpoint ${existing.id} exists already with other weights; publish under a new id`);
  }

  /** The digest a model will have on disk, where alone it is defined: written aside and removed. */
  private async digestOf(model: NonNullable<CheckpointContent['model']>): Promise<string> {
    return withTemporaryFolder(path.join(this.folder, 'compared'), async (aside) => {
      await writeModelFolder(path.join(aside, MODEL), model);
      return (await readModelFolder(path.join(aside, MODEL))).digest;
    });
  }

  private async fill(temporary: string, content: CheckpointContent): Promise<void> {
    const { adapter, model, rewardAdapter, heads, manifest } = content;
    if (adapter && model) throw new ConflictError('A checkpoint is an adapter or a whole model, not both');
    const write = (dir: string, weights: AdapterWeights) =>
      writeAdapter(dir, { ...weights, baseModel: manifest.baseModel });
    if (adapter) await write(temporary, adapter);
    if (model) await writeModelFolder(path.join(temporary, MODEL), model);
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

const kindOfContent = ({ adapter, model }: CheckpointContent): CheckpointKind =>
  model ? 'full' : adapter ? kindOf(adapter) : 'base';

/** Manifests written before there were kinds hold a LoRA adapter or nothing. */
function parseManifest(id: string, text: string): CheckpointManifest {
  try {
    const manifest = JSON.parse(text) as CheckpointManifest;
    return {
      ...manifest,
      kind: manifest.kind ?? (manifest.adapterDigest ? 'lora' : 'base'),
      modelDigest: manifest.modelDigest ?? null,
    };
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
