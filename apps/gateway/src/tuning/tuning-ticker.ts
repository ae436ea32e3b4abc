import { tuningJobConfig } from '@attune/contracts';
import { FeedbackRepository, TuningRepository } from '@attune/persistence';
import { type Clock, type Config, ConflictError, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventBus } from '../core/events.js';
import { CLOCK, CONFIG, LOGGER } from '../core/tokens.js';
import { shouldTrain } from './tuning-policy.js';

const LOOK_EVERY_MS = 60_000;
const MS_PER_HOUR = 3_600_000;

/** Asks the policy after every approval and once a minute, and queues the job it decides on. */
@Injectable()
export class TuningTicker implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  /** Looks take turns, so that two approvals at once start one job. */
  private looking: Promise<void> = Promise.resolve();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly feedback: FeedbackRepository,
    private readonly jobs: TuningRepository,
    private readonly events: EventBus,
  ) {}

  onApplicationBootstrap(): void {
    this.startedAt = this.clock.now().getTime();
    if (this.config.tuning.tuning !== 'auto') return;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    this.events.on('feedback.reviewed', ({ approved }) => {
      if (approved) this.look();
    });
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private look(): void {
    this.looking = this.looking
      .then(() => this.decide())
      .catch((error: unknown) => {
        // Another gateway was quicker; its job trains on the same feedback.
        if (error instanceof ConflictError) this.logger.info(error.message);
        else this.logger.error({ err: error }, 'could not decide whether to train');
      });
  }

  private async decide(): Promise<void> {
    const { count, total, lastJobAt, jobUnfinished } = await this.feedback.approvedSinceLastJob();
    const { tuning } = this.config;
    const decision = shouldTrain({
      mode: tuning.tuning,
      jobUnfinished,
      newlyApproved: count,
      totalApproved: total,
      hoursSinceLastJob: (this.clock.now().getTime() - (lastJobAt?.getTime() ?? this.startedAt)) / MS_PER_HOUR,
      minRows: tuning.tuningMinRows,
      threshold: tuning.tuningThreshold,
      intervalHours: tuning.tuningIntervalHours,
    });
    if (!decision.train) return;
    const job = await this.jobs.enqueue({ trigger: decision.trigger, config: tuningJobConfig.parse({}) });
    this.logger.info({ job: job.id }, `training queued by ${decision.trigger}: ${count} newly approved of ${total}`);
  }
}
