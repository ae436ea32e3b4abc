import { weightsDigest } from '@attune/checkpoint';
import { ConflictError, InvalidRequestError, messageOf, NotFoundError } from '@attune/platform';
import type { ModelRunner } from './running/model-runner.js';
import type { ActiveWeights } from './sequence.js';
import type { Adapter, WeightsId } from './types.js';

/** The adapters in memory and which of them is live. A sequence keeps what it started with, so none is ever changed. */
export class Adapters {
  private readonly loaded = new Map<string | null, ActiveWeights>();
  private liveDigest: string | null = null;

  constructor(
    private readonly runner: ModelRunner,
    private readonly baseDigest: string,
  ) {
    this.loaded.set(null, { id: this.idOf(null), prepared: null });
  }

  get live(): ActiveWeights {
    return this.loaded.get(this.liveDigest)!;
  }

  get digests(): string[] {
    return [...this.loaded.keys()].filter((digest) => digest !== null);
  }

  /** @throws InvalidRequestError when the adapter does not fit the model */
  async load(adapter: Adapter): Promise<WeightsId> {
    const known = this.loaded.get(adapter.digest);
    if (known) return known.id;
    const id = this.idOf(adapter.digest);
    try {
      this.loaded.set(adapter.digest, {
        id,
        prepared: await this.runner.prepareAdapter(adapter),
      });
    } catch (error) {
      throw new InvalidRequestError(`adapter ${adapter.digest} cannot be served: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return id;
  }

  find(digest: string | null): ActiveWeights | undefined {
    return this.loaded.get(digest);
  }

  /** @throws NotFoundError when the adapter is not loaded */
  setLive(digest: string | null): void {
    if (!this.loaded.has(digest)) throw notLoaded(digest);
    this.liveDigest = digest;
  }

  /** @throws NotFoundError, ConflictError when it is live */
  unload(digest: string): void {
    if (!this.loaded.has(digest)) throw notLoaded(digest);
    if (digest === this.liveDigest)
      throw new ConflictError(`adapter ${digest} is live; make another one live before unloading it`);
    this.loaded.delete(digest);
  }

  private idOf(adapter: string | null): WeightsId {
    return { base: this.baseDigest, adapter, digest: weightsDigest(this.baseDigest, adapter) };
  }
}

export const notLoaded = (digest: string | null) =>
  new NotFoundError(`adapter ${digest} is not loaded; load it first`, { param: 'adapter' });
