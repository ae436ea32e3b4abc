import { InstanceRepository, SILENT_MS } from '@attune/persistence';
import { createId, messageOf, type Clock, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { CLOCK, LOGGER } from './tokens.js';
import { within } from './within.js';

const BEAT_EVERY_MS = 3_000;
/** Longest that the end of the gateway waits to be heard. */
const END_MS = 2_000;

/** This gateway among those of its database. Rows that are open carry its id, and are lost when it goes silent. */
@Injectable()
export class GatewayInstance implements OnModuleInit {
  readonly id = createId('gw');
  private timer: NodeJS.Timeout | undefined;
  private unheardAt = -Infinity;
  /** When the database last took a beat. */
  private heardAt = Infinity;

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly instances: InstanceRepository,
  ) {}

  /** Known before the first row can name it. */
  async onModuleInit(): Promise<void> {
    await this.instances.beat(this.id);
    this.heardAt = this.clock.monotonicMs();
    this.timer = setInterval(() => void this.beat(), BEAT_EVERY_MS).unref();
  }

  /** What it left open is for others to end; to be called while the database is connected. If it is away the silence tells. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    await within(
      END_MS,
      this.instances.leave(this.id).catch(() => undefined),
    );
  }

  /**
   * Whether the silence of others means that they have ended. While the database is away or stands still nobody can be
   * heard, and afterwards each needs time to say so.
   */
  get canJudge(): boolean {
    const now = this.clock.monotonicMs();
    return now - this.unheardAt > SILENT_MS && now - this.heardAt <= 2 * BEAT_EVERY_MS;
  }

  private async beat(): Promise<void> {
    const begunAt = this.clock.monotonicMs();
    try {
      await this.instances.beat(this.id);
      await this.instances.forgetDead();
      const now = this.clock.monotonicMs();
      this.heardAt = now;
      // The database stood still, for the others as well.
      if (now - begunAt > BEAT_EVERY_MS) this.unheardAt = now;
    } catch (error) {
      this.unheardAt = this.clock.monotonicMs();
      this.logger.warn({ err: error }, `the database did not hear that this gateway is alive: ${messageOf(error)}`);
    }
  }
}
