import { channels } from '@attune/contracts';
import { CheckpointRepository, Notifications } from '@attune/persistence';
import { messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LOGGER } from '../core/tokens.js';
import { EngineRestarts } from '../inference/engine-restarts.js';
import { ServedModel } from '../inference/served-model.js';
import { ServedWeights } from '../inference/served-weights.js';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

/**
 * Keeps the engine on the weights the database calls live: at start, after every notification and reconnection, and
 * when its process was replaced. What fails is tried again until the engine serves what the row says.
 */
@Injectable()
export class LiveWatcher implements OnModuleInit, OnModuleDestroy {
  /** Switches take turns; each one reads what is live when its turn comes. */
  private switching: Promise<void> = Promise.resolve();
  private retry: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private told: string | undefined;
  private stopped = false;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly checkpoints: CheckpointRepository,
    private readonly notifications: Notifications,
    private readonly weights: ServedWeights,
    private readonly model: ServedModel,
    private readonly restarts: EngineRestarts,
  ) {}

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
    if (!(await this.weights.makeLive(checkpoint))) return;
    this.logger.info(
      { checkpoint: checkpoint?.id ?? 'base' },
      `live weights: ${checkpoint?.weightsDigest ?? this.model.baseFingerprint}`,
    );
  }
}
