import { CompletionRepository } from '@attune/persistence';
import type { Logger } from '@attune/platform';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { LOGGER } from '../core/tokens.js';

/** A gateway that was killed leaves rows open that nobody will close; the next one says so in the rows. */
@Injectable()
export class LostCompletions implements OnModuleInit {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly completions: CompletionRepository,
  ) {}

  async onModuleInit(): Promise<void> {
    const count = await this.completions.markLostOpen();
    if (count > 0) this.logger.warn(`${count} completions were left open by a gateway that ended; marked as lost`);
  }
}
