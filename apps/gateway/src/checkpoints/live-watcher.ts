import { CheckpointStore } from '@attune/checkpoint';
import { channels } from '@attune/contracts';
import { CheckpointRepository, Notifications, type Checkpoint } from '@attune/persistence';
import { InternalError, messageOf, type Config, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import path from 'node:path';
import { CONFIG, ENGINE, LOGGER } from '../core/tokens.js';
import type { ServingEngine } from '../inference/serving-engine.js';
import { LiveWeights } from '../inference/live-weights.js';
import { ServedModel } from '../inference/served-model.js';

/** Adapters kept in the engine besides the live one, so that a rollback costs no disk read. */
const KEPT_ADAPTERS = 2;

/** Keeps the engine on the weights the database calls live: at start, after every notification and reconnection. */
@Injectable()
export class LiveWatcher implements OnModuleInit {
  private readonly store: CheckpointStore;
  private readonly loaded: string[] = [];
  /** Switches take turns; each one reads what is live when its turn comes. */
  private switching: Promise<void> = Promise.resolve();

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(ENGINE) private readonly engine: ServingEngine,
    private readonly checkpoints: CheckpointRepository,
    private readonly notifications: Notifications,
    private readonly weights: LiveWeights,
    private readonly model: ServedModel,
  ) {
    this.store = new CheckpointStore(path.join(config.storage.dataDir, 'checkpoints'));
  }

  /** Before the first request is taken; a checkpoint that cannot be loaded leaves the base weights live, and says so. */
  async onModuleInit(): Promise<void> {
    await this.refreshOrTell();
    this.notifications.listen(channels.checkpointPromoted, () => this.refreshOrTell());
    this.notifications.start();
  }

  /** Reads what is live and switches to it. @throws when its weights cannot be loaded: the old ones go on answering */
  refresh(): Promise<void> {
    const turn = this.switching.then(() => this.takeLive());
    this.switching = turn.catch(() => undefined);
    return turn;
  }

  private async refreshOrTell(): Promise<void> {
    await this.refresh().catch((error: unknown) =>
      this.logger.error({ err: error }, `The live checkpoint cannot be served: ${messageOf(error)}`),
    );
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
