import { InstanceRepository, SILENT_MS } from '@attune/persistence';
import { createId, messageOf, type Clock, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CLOCK, LOGGER } from './tokens.js';

const BEAT_EVERY_MS = 3_000;

/** This gateway among those of its database. Rows that are open carry its id, and are lost when it goes silent. */
@Injectable()
export class GatewayInstance implements OnModuleInit, OnApplicationShutdown {
  readonly id = createId('gw');
  private timer: NodeJS.Timeout | undefined;
  private unheardAt = -Infinity;

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly instances: InstanceRepository,
  ) {}

  /** Known before the first row can name it. */
  async onModuleInit(): Promise<void> {
    await this.instances.beat(this.id);
    this.timer = setInterval(() => void this.beat(), BEAT_EVERY_MS).unref();
  }

  /** The database may be closed already; then the silence tells. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.instances.leave(this.id).catch(() => undefined);
  }

  /**
   * Whether the silence of others means that they have ended. When the database was away nobody could be heard, and each
   * needs time to say so.
   */
  get canJudge(): boolean {
    return this.clock.monotonicMs() - this.unheardAt > SILENT_MS;
  }

  private async beat(): Promise<void> {
    try {
      await this.instances.beat(this.id);
      await this.instances.forgetDead();
    } catch (error) {
      this.unheardAt = this.clock.monotonicMs();
      this.logger.warn({ err: error }, `the database did not hear that this gateway is alive: ${messageOf(error)}`);
    }
  }
}
