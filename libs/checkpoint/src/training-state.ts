import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { InternalError, messageOf } from '@attune/platform';
import { replaceFile, sweepLeftovers } from './durable.js';
import type { TensorData } from './safetensors/dtype.js';
import { openSafetensors } from './safetensors/read.js';
import { writeSafetensors } from './safetensors/write.js';

/** All that a trainer needs to go on: weights, optimizer moments, and its own cursor as JSON. */
export interface TrainingState<Json = unknown> {
  /** Flat arrays by name; they come back as the same kind of typed array. */
  readonly arrays: ReadonlyMap<string, TensorData>;
  /** Step, stage, random state, data cursor … anything JSON can hold. */
  readonly json: Json;
}

export interface LoadedTrainingState<Json = unknown> extends TrainingState<Json> {
  /** Saves so far, from 1. */
  readonly sequence: number;
  /** Newer saves that turned out damaged, with the reason; worth a warning. */
  readonly skipped: readonly string[];
}

const KEPT = 2;
const FILE = /^state-(\d{10})\.safetensors$/;

/**
 * Resumable state of one training job in a folder of its own, one safetensors file a save. A save is on the disk when
 * `save` returns; a kill or a full disk at any point leaves the saves before it. The last two are kept.
 */
export class TrainingStateStore<Json = unknown> {
  constructor(private readonly folder: string) {}

  /** @throws UnavailableError when the disk is full or not writable; earlier saves are untouched */
  async save(state: TrainingState<Json>): Promise<void> {
    const sequences = await this.sequences();
    const next = (sequences[0] ?? 0) + 1;
    const tensors = [...state.arrays].map(([name, data]) => ({ name, shape: [data.length], data }));
    const metadata = { json: JSON.stringify(state.json), sha256: contentDigest(state.arrays) };
    await replaceFile(this.fileOf(next), (temporary) => writeSafetensors(temporary, tensors, metadata));
    for (const old of sequences.slice(KEPT - 1)) await rm(this.fileOf(old), { force: true });
    await sweepLeftovers(this.folder);
  }

  /** The newest state that is whole; undefined when nothing was saved. */
  async load(): Promise<LoadedTrainingState<Json> | undefined> {
    const skipped: string[] = [];
    for (const sequence of await this.sequences()) {
      try {
        return { ...this.read(this.fileOf(sequence)), sequence, skipped };
      } catch (error) {
        skipped.push(messageOf(error));
      }
    }
    if (skipped.length > 0) throw new InternalError(`No saved training state can be read: ${skipped.join('; ')}`);
    return undefined;
  }

  /** Forgets the job's state, once it is finished. */
  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private read(file: string): TrainingState<Json> {
    const stored = openSafetensors(file);
    const arrays = new Map([...stored.tensors.keys()].map((name) => [name, stored.raw(name)]));
    if (contentDigest(arrays) !== stored.metadata.sha256)
      throw new InternalError(`${file} does not match its checksum`);
    return { arrays, json: JSON.parse(stored.metadata.json) as Json };
  }

  /** Newest first. */
  private async sequences(): Promise<number[]> {
    const entries = await readdir(this.folder).catch(() => []);
    return entries
      .flatMap((entry) => FILE.exec(entry)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => b - a);
  }

  private fileOf(sequence: number): string {
    return path.join(this.folder, `state-${String(sequence).padStart(10, '0')}.safetensors`);
  }
}

function contentDigest(arrays: ReadonlyMap<string, TensorData>): string {
  const hash = createHash('sha256');
  for (const [name, data] of [...arrays].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${data.byteLength}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
