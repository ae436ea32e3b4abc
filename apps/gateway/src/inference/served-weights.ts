import { CheckpointRepository, type Checkpoint } from '@attune/persistence';
import { ConflictError, InternalError, NotFoundError, type Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, ENGINE } from '../core/tokens.js';
import { LiveWeights } from './live-weights.js';
import { parseModelName } from './model-name.js';
import { ModelPlaces, type ModelPlace } from './model-places.js';
import { ServedModel } from './served-model.js';
import type { ServingEngine } from './serving-engine.js';

/** What a request runs on: a loaded adapter, the base weights (null), or whatever is live when it starts (undefined). */
export interface ChosenWeights {
  readonly adapter: string | null | undefined;
  /** Called when the request is over: its adapter may then leave the engine. */
  readonly release: () => void;
}

interface LoadedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly adapter: string;
  users: number;
}

const LIVE: ChosenWeights = { adapter: undefined, release: () => undefined };
const BASE: ChosenWeights = { adapter: null, release: () => undefined };

/** The checkpoints in the engine: which one is live, which others answer because requests name them. */
@Injectable()
export class ServedWeights {
  private readonly limit: number;
  /** By checkpoint id, the one used longest ago first. */
  private readonly loaded = new Map<string, LoadedCheckpoint>();
  /** Loads and switches take turns. */
  private turn: Promise<unknown> = Promise.resolve();
  private live: Checkpoint | null = null;
  /** Digest of the model in the engine: the base model's, or a full fine-tune's. */
  private modelDigest: string;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(ENGINE) private readonly engine: ServingEngine,
    private readonly checkpoints: CheckpointRepository,
    private readonly names: LiveWeights,
    private readonly model: ServedModel,
    private readonly places: ModelPlaces,
  ) {
    this.limit = config.model.engineMaxAdapters;
    this.modelDigest = model.baseDigest;
  }

  /** Checkpoints that answer without being read from disk first, the live one included. */
  get ready(): readonly Checkpoint[] {
    const loaded = [...this.loaded.values()].map(({ checkpoint }) => checkpoint);
    const others = loaded.filter(({ id }) => id !== this.live?.id);
    return this.live ? [this.live, ...others] : others;
  }

  /**
   * The weights that a request's `model` means; a known checkpoint that is not in the engine is loaded.
   * @throws NotFoundError `model_not_found`; ConflictError when the checkpoint cannot be served beside what is live
   */
  async choose(model: string): Promise<ChosenWeights> {
    const name = parseModelName(model, this.model.id);
    if (name.kind === 'live') return LIVE;
    if (name.kind === 'base') {
      if (this.modelDigest === this.model.baseDigest) return BASE;
      throw this.notBeside('the base weights');
    }
    if (name.kind === 'unknown') throw this.model.notFound(model);
    const checkpoint = await this.find(name.id, model);
    return checkpoint.adapterDigest === null ? this.chooseFull(checkpoint) : this.lend(checkpoint);
  }

  /** @throws NotFoundError `model_not_found`, also for a checkpoint that the gate has turned down: it answers nobody */
  async find(id: string, model: string): Promise<Checkpoint> {
    const checkpoint = await this.checkpoints.get(id).catch((error: unknown) => {
      throw error instanceof NotFoundError ? this.model.notFound(model) : error;
    });
    if (checkpoint.status === 'rejected') throw this.model.notFound(model);
    return checkpoint;
  }

  /**
   * Serves a checkpoint (null: the base weights) to every request that names none.
   * @returns whether that is a change
   * @throws when its weights cannot be loaded; what was live goes on
   */
  makeLive(checkpoint: Checkpoint | null): Promise<boolean> {
    return this.inTurn(async () => {
      const { live, adapters } = await this.engine.stats();
      this.modelDigest = live.base;
      this.forgetLost(adapters);
      const digest = checkpoint?.weightsDigest ?? this.model.baseFingerprint;
      if (checkpoint) this.names.remember(digest, checkpoint.id);
      const isChange = live.digest !== digest;
      if (isChange) await this.takeWeights(checkpoint);
      this.live = checkpoint;
      await this.unloadOldest();
      return isChange;
    });
  }

  /** An engine process that was replaced does without adapters that could not be read again. */
  private forgetLost(adapters: readonly string[]): void {
    for (const [id, { adapter }] of this.loaded) if (!adapters.includes(adapter)) this.loaded.delete(id);
  }

  private async takeWeights(checkpoint: Checkpoint | null): Promise<void> {
    if (checkpoint !== null && checkpoint.adapterDigest !== null) return this.takeAdapter(checkpoint);
    const place = checkpoint === null ? this.places.base : await this.places.ofFull(checkpoint);
    if (place.digest !== this.modelDigest) await this.takeModel(place);
    await this.engine.setLive(null);
  }

  private async takeAdapter(checkpoint: Checkpoint): Promise<void> {
    const place = await this.places.under(checkpoint);
    const folder = this.places.folderOf(checkpoint);
    // In one step, so that no request sees the model without its adapter in between.
    if (place.digest !== this.modelDigest) await this.takeModel(place, { folder, digest: checkpoint.adapterDigest! });
    const { adapter } = await this.load(checkpoint);
    await this.engine.setLive(adapter);
  }

  private async takeModel(place: ModelPlace, adapter?: ModelPlace): Promise<void> {
    const live = await this.engine.swapModel({ ...place, adapter });
    this.loaded.clear(); // adapters of the model before
    this.modelDigest = live.base;
  }

  private async lend(checkpoint: Checkpoint): Promise<ChosenWeights> {
    const { digest } = await this.places.under(checkpoint);
    const entry = await this.inTurn(async () => {
      if (this.modelDigest !== digest) throw this.notBeside(`checkpoint \`${checkpoint.id}\``);
      const found = await this.load(checkpoint);
      await this.unloadOldest(found);
      found.users += 1; // last: a request that fails here releases nothing
      return found;
    });
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      entry.users -= 1;
      // What many requests at once brought in beyond the limit leaves with them; if not now, then at the next request.
      if (this.loaded.size > this.limit) this.inTurn(() => this.unloadOldest()).catch(() => undefined);
    };
    return { adapter: entry.adapter, release };
  }

  /** What is in the engine decides: who is live is known a little later than the model is swapped. */
  private async chooseFull(checkpoint: Checkpoint): Promise<ChosenWeights> {
    const { digest } = await this.places.ofFull(checkpoint);
    if (digest === this.modelDigest) return BASE;
    throw new ConflictError(
      `Checkpoint \`${checkpoint.id}\` is a full fine-tune; it answers when it is live and not beside other weights. Promote it, or ask for \`${this.model.id}\`.`,
      { param: 'model', code: 'model_not_served' },
    );
  }

  private async load(checkpoint: Checkpoint): Promise<LoadedCheckpoint> {
    const entry = this.loaded.get(checkpoint.id) ?? (await this.read(checkpoint));
    this.loaded.delete(checkpoint.id);
    this.loaded.set(checkpoint.id, entry);
    return entry;
  }

  private async read(checkpoint: Checkpoint): Promise<LoadedCheckpoint> {
    const { adapter } = await this.engine.loadAdapter(this.places.folderOf(checkpoint));
    if (adapter === null || adapter !== checkpoint.adapterDigest) {
      throw new InternalError(
        `The adapter of checkpoint \`${checkpoint.id}\` has digest ${adapter}, not ${checkpoint.adapterDigest}: its files have changed.`,
      );
    }
    this.names.remember(checkpoint.weightsDigest, checkpoint.id);
    return { checkpoint, adapter, users: 0 };
  }

  /** @param wanted about to be used, so it stays */
  private async unloadOldest(wanted?: LoadedCheckpoint): Promise<void> {
    for (const [id, entry] of this.loaded) {
      if (this.loaded.size <= this.limit) return;
      if (entry.users > 0 || entry === wanted || id === this.live?.id) continue;
      this.loaded.delete(id);
      if (!this.isUsed(entry.adapter)) await this.engine.unloadAdapter(entry.adapter);
    }
  }

  /** Checkpoints with the same weights share one adapter of the engine. */
  private isUsed(adapter: string): boolean {
    return this.live?.adapterDigest === adapter || [...this.loaded.values()].some((other) => other.adapter === adapter);
  }

  private notBeside(what: string): ConflictError {
    const live = this.modelDigest === this.model.baseDigest ? 'The base model' : 'A full fine-tune';
    return new ConflictError(
      `${live} is in the engine, and ${what} cannot be served beside it; ask for \`${this.model.id}\`, or promote other weights.`,
      { param: 'model', code: 'model_not_served' },
    );
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }
}
