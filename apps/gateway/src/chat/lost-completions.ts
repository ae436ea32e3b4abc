import { CompletionRepository } from '@attune/persistence';
import type { Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { BackgroundWork } from '../core/background-work.js';
import { GatewayInstance } from '../core/gateway-instance.js';
import { LOGGER } from '../core/tokens.js';

/** A gateway that was killed leaves rows open that nobody will close; those that live say so in the rows. */
@Injectable()
export class LostCompletions implements OnModuleInit, OnApplicationShutdown {
  private readonly looking: BackgroundWork;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly instance: GatewayInstance,
    private readonly completions: CompletionRepository,
  ) {
    const work = () => this.markLost();
    this.looking = new BackgroundWork({ name: 'marking lost completions', logger, work });
  }

  async onModuleInit(): Promise<void> {
    await this.markLost();
    this.looking.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.looking.stop();
  }

  private async markLost(): Promise<void> {
    if (!this.instance.canJudge) return;
    const count = await this.completions.markLostOpen();
    if (count > 0) this.logger.warn(`${count} completions were left open by a gateway that ended; marked as lost`);
  }
}
