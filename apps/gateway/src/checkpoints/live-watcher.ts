import { CheckpointStore } from '@attune/checkpoint';
import { channels } from '@attune/contracts';
import { CheckpointRepository, Notifications, type Checkpoint } from '@attune/persistence';
import { InternalError, messageOf, type Config, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import path from 'node:path';
import { CONFIG, ENGINE, LOGGER } from '../core/tokens.js';
import { EngineRestarts } from '../inference/engine-restarts.js';
import type { ServingEngine } from '../inference/serving-engine.js';
import { LiveWeights } from '../inference/live-weights.js';
import { ServedModel } from '../inference/served-model.js';

/** Adapters kept in the engine besides the live one, so that a rollback costs no disk read. */
const KEPT_ADAPTERS = 2;

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

/**
 * Keeps the engine on the weights the database calls live: at start, after every notification and reconnection, and
 * when its process was replaced. What fails is tried again until the engine serves what the row says.
 */
@Injectable()
export class LiveWatcher implements OnModuleInit, OnModuleDestroy {
  private readonly store: CheckpointStore;
  private readonly loaded: string[] = [];
  /** Switches take turns; each one reads what is live when its turn comes. */
  private switching: Promise<void> = Promise.resolve();
  private retry: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private told: string | undefined;
  private stopped = false;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(ENGINE) private readonly engine: ServingEngine,
    private readonly checkpoints: CheckpointRepository,
    private readonly notifications: Notifications,
    private readonly weights: LiveWeights,
    private readonly model: ServedModel,
    private readonly restarts: EngineRestarts,
  ) {
    this.store = new CheckpointStore(path.join(config.storage.dataDir, 'checkpoints'));
  }

  /** Before the first request is taken; a checkpoint that cannot be loaded leaves the base weights live, and says so. */
  async onModuleInit(): Promise<void> {
    await this.refreshOrTell();
    this.notifications.listen(channels.checkpointPromoted, () => this.refreshOrTell());
    // A replaced process starts on the weights that were live when it was made, perhaps not those of the row.
    this.restarts.listen(() => void this.refreshOrTell());
    this.notifications.start();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.retry);
  }

  /**
   * Reads what is live and switches to it.
   * @throws when its weights cannot be loaded: the old ones go on answering until a later try succeeds
   */
  refresh(): Promise<void> {
    const turn = this.switching.then(() => this.takeLive());
    this.switching = turn.then(
      () => this.succeeded(),
      () => this.tryAgain(),
    );
    return turn;
  }

  private async refreshOrTell(): Promise<void> {
    await this.refresh().catch((error: unknown) => {
      const message = messageOf(error);
      // Once for each reason, not once for each try.
      if (message === this.told) return;
      this.told = message;
      this.logger.error({ err: error }, `The live checkpoint cannot be served yet: ${message}`);
    });
  }

  private succeeded(): void {
    clearTimeout(this.retry);
    this.retryMs = FIRST_RETRY_MS;
    this.told = undefined;
  }

  private tryAgain(): void {
    clearTimeout(this.retry);
    if (this.stopped) return;
    this.retry = setTimeout(() => void this.refreshOrTell(), this.retryMs).unref();
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }

  private async takeLive(): Promise<void> {
    const { checkpoint } = await this.checkpoints.live();
    const adapter = checkpoint ? await this.load(checkpoint) : null;
    if ((await this.engine.stats()).live.adapter === adapter) return;
    await this.engine.setLive(adapter);
    this.logger.info(
      { checkpoint: checkpoint?.id ?? 'base' },
      `live weights: ${checkpoint?.weightsDigest ?? this.model.baseFingerprint}`,
    );
    await this.unloadOld(adapter);
  }

  private async load(checkpoint: Checkpoint): Promise<string> {
    if (checkpoint.baseDigest !== this.model.baseDigest) {
      throw new InternalError(
        `Checkpoint \`${checkpoint.id}\` was trained on other base weights than \`${this.model.id}\` has; set MODEL to the model it belongs to or roll back.`,
      );
    }
    const { adapter } = await this.engine.loadAdapter(this.store.folderOf(checkpoint.folder));
    if (adapter !== checkpoint.adapterDigest) {
      throw new InternalError(
        `The adapter of checkpoint \`${checkpoint.id}\` has digest ${adapter}, not ${checkpoint.adapterDigest}: its files have changed.`,
      );
    }
    this.weights.remember(checkpoint.weightsDigest, checkpoint.id);
    return adapter;
  }

  private async unloadOld(live: string | null): Promise<void> {
    if (live !== null) {
      const place = this.loaded.indexOf(live);
      if (place >= 0) this.loaded.splice(place, 1);
      this.loaded.push(live);
    }
    while (this.loaded.length > KEPT_ADAPTERS + 1) {
      const digest = this.loaded.find((one) => one !== live)!;
      this.loaded.splice(this.loaded.indexOf(digest), 1);
      await this.engine.unloadAdapter(digest);
    }
  }
}
