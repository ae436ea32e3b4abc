import { RetentionRepository } from '@attune/persistence';
import type { Config, Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundWork } from '../core/background-work.js';
import { CONFIG, LOGGER } from '../core/tokens.js';

const EVERY_MS = 3_600_000;

/** Lets go of what is kept for so many days only. Files that expire are the files' own business. */
@Injectable()
export class RetentionService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pruning: BackgroundWork;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
    private readonly rows: RetentionRepository,
  ) {
    const work = () => this.prune();
    this.pruning = new BackgroundWork({ name: 'deleting what was kept long enough', everyMs: EVERY_MS, logger, work });
  }

  onApplicationBootstrap(): void {
    this.pruning.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.pruning.stop();
  }

  /** Deletes what is older than the settings say; a setting of 0 keeps its rows. */
  async prune(): Promise<void> {
    const { retentionResponsesDays, retentionIdempotencyDays, retentionWebhooksDays } = this.config.retention;
    const responses = await upTo(retentionResponsesDays, (days) => this.rows.responses(days));
    const keys = await upTo(retentionIdempotencyDays, (days) => this.rows.idempotencyKeys(days));
    const webhooks = await upTo(retentionWebhooksDays, (days) => this.rows.webhookDeliveries(days));
    if (responses + keys + webhooks > 0) this.logger.info({ responses, keys, webhooks }, 'old rows were deleted');
  }
}

const upTo = async (days: number, prune: (days: number) => Promise<number>) => (days === 0 ? 0 : prune(days));
