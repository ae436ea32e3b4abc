import { weightsDigest } from '@attune/checkpoint';
import { ConflictError, NotFoundError } from '@attune/platform';
import { type AdapterLayout, layerUpdateOf, type PreparedAdapter } from './adapters-prepared.js';
import type { ActiveWeights } from './sequence.js';
import type { WeightsId } from './types.js';

/** What the adapters need of the model that they belong to. */
export interface AdapterRunner {
  prepareAdapter(layout: AdapterLayout): Promise<PreparedAdapter>;
  /** Base weights with an adapter multiplied in; null when this model's weights cannot be merged with it. */
  mergeAdapter?(prepared: PreparedAdapter): Promise<MergedModel | null>;
}

/** Merged weights and how to free them. */
export interface MergedModel {
  readonly prepared: PreparedAdapter;
  release(): Promise<void>;
}

export interface AdaptersOptions {
  /** Multiply the live adapter into a copy of the weights when it has been live this long; left out = never. */
  readonly mergeAfterMs?: number;
  /** Told of a layout whose memory nobody reads any more. */
  readonly onUnused?: (layout: AdapterLayout) => void;
}

/** The adapters in memory and which of them is live. A sequence keeps what it started with, so none is ever changed. */
export class Adapters {
  private readonly loaded = new Map<string | null, Held>();
  private liveDigest: string | null = null;
  private merged: Held | undefined;
  private mergeTimer: NodeJS.Timeout | undefined;
  private merging: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly runner: AdapterRunner,
    private readonly baseDigest: string,
    private readonly options: AdaptersOptions = {},
  ) {
    this.loaded.set(null, new Held(this.idOf(null), null));
  }

  get live(): ActiveWeights {
    return this.find(this.liveDigest)!;
  }

  /** Whether the live adapter costs nothing, because it is part of the weights. */
  get isMerged(): boolean {
    return this.merged?.id.adapter === this.liveDigest;
  }

  get digests(): string[] {
    return [...this.loaded.keys()].filter((digest) => digest !== null);
  }

  /** Takes an adapter in; one that is there already stays as it is. */
  async load(layout: AdapterLayout): Promise<WeightsId> {
    const { digest } = layout;
    const prepared = this.loaded.has(digest) ? null : await this.runner.prepareAdapter(layout);
    const unused = () => this.options.onUnused?.(layout);
    // It may have been taken in meanwhile: then sequences already run on that one.
    if (this.loaded.has(digest)) unused();
    else this.loaded.set(digest, new Held(this.idOf(digest), prepared, unused));
    return this.loaded.get(digest)!.id;
  }

  find(digest: string | null): ActiveWeights | undefined {
    return this.merged && this.merged.id.adapter === digest ? this.merged : this.loaded.get(digest);
  }

  /** @throws NotFoundError when the adapter is not loaded */
  setLive(digest: string | null): void {
    if (!this.loaded.has(digest)) throw notLoaded(digest);
    if (digest === this.liveDigest) return;
    this.liveDigest = digest;
    this.dropMerged();
    this.mergeLater();
  }

  /** @throws NotFoundError, ConflictError when it is live */
  unload(digest: string): void {
    if (!this.loaded.has(digest)) throw notLoaded(digest);
    if (digest === this.liveDigest)
      throw new ConflictError(`adapter ${digest} is live; make another one live before unloading it`);
    this.loaded.get(digest)!.drop();
    this.loaded.delete(digest);
  }

  /** Frees the merged weights; no sequence may be running. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.mergeTimer);
    await this.merging;
    this.dropMerged();
  }

  private idOf(adapter: string | null): WeightsId {
    return { base: this.baseDigest, adapter, digest: weightsDigest(this.baseDigest, adapter) };
  }

  /** Not at once: weights that are live for a moment only are not worth a copy of the model. */
  private mergeLater(): void {
    clearTimeout(this.mergeTimer);
    const { mergeAfterMs } = this.options;
    if (mergeAfterMs === undefined || this.liveDigest === null || !this.runner.mergeAdapter) return;
    this.mergeTimer = setTimeout(() => (this.merging = this.merging.then(() => this.mergeLive())), mergeAfterMs);
    this.mergeTimer.unref();
  }

  /** Best effort: where there is no room for another copy of the weights, the adapter goes on being added. */
  private async mergeLive(): Promise<void> {
    const weights = this.loaded.get(this.liveDigest)!;
    const { id, prepared } = weights;
    if (this.closed || this.isMerged || layerUpdateOf(prepared)?.kind !== 'lora') return;
    weights.hold();
    const model = await this.runner.mergeAdapter!(prepared).catch(() => null);
    weights.drop();
    if (!model) return;
    const isWanted = !this.closed && this.liveDigest === id.adapter;
    if (isWanted) this.merged = new Held(id, model.prepared, () => void model.release());
    else await model.release();
  }

  private dropMerged(): void {
    this.merged?.drop();
    this.merged = undefined;
  }
}

/** Weights, freed when they are not offered any more and the last sequence that began on them is over. */
class Held implements ActiveWeights {
  private holders = 1;

  constructor(
    readonly id: WeightsId,
    readonly prepared: PreparedAdapter,
    private readonly free: () => void = () => {},
  ) {}

  hold(): void {
    this.holders += 1;
  }

  drop(): void {
    this.holders -= 1;
    if (this.holders === 0) this.free();
  }
}

const notLoaded = (digest: string | null) =>
  new NotFoundError(`adapter ${digest} is not loaded; load it first`, { param: 'adapter' });
