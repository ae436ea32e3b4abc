import { RetentionRepository } from '@attune/persistence';
import { messageOf, type Config, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundWork } from '../core/background-work.js';
import { CONFIG, LOGGER } from '../core/tokens.js';

const EVERY_MS = 3_600_000;
/** From when nobody may go on from a response any more; who has begun to by then ends before it goes. */
const GRACE_DAYS = 1;

/** Lets go of what is kept for so many days only. Files that expire are the files' own business. */
@Injectable()
export class RetentionService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pruning: BackgroundWork;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
    private readonly rows: RetentionRepository,
  ) {
    const work = (stopping: AbortSignal) => this.prune(stopping);
    this.pruning = new BackgroundWork({ name: 'deleting what was kept long enough', everyMs: EVERY_MS, logger, work });
  }

  onApplicationBootstrap(): void {
    this.pruning.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.pruning.stop();
  }

  /** Deletes what is older than the settings say; a setting of 0 keeps its rows. What fails is tried again next time. */
  async prune(stopping: AbortSignal): Promise<void> {
    const { retentionResponsesDays, retentionIdempotencyDays, retentionWebhooksDays } = this.config.retention;
    const sweep = async (table: keyof Gone, days: number, after = days) => {
      if (days === 0) return 0;
      return this.rows[table](after, stopping).catch((error: unknown) => {
        this.logger.warn({ err: error }, `old rows (${table}) were not deleted yet: ${messageOf(error)}`);
        return 0;
      });
    };
    const gone: Gone = {
      responses: await sweep('responses', retentionResponsesDays, retentionResponsesDays + GRACE_DAYS),
      idempotencyKeys: await sweep('idempotencyKeys', retentionIdempotencyDays),
      webhookDeliveries: await sweep('webhookDeliveries', retentionWebhooksDays),
    };
    if (Object.values(gone).some((count) => count > 0)) this.logger.info(gone, 'old rows were deleted');
  }
}

type Gone = Record<'responses' | 'idempotencyKeys' | 'webhookDeliveries', number>;
