import { isDatabaseAway, isRefusedForGood } from '@attune/persistence';
import { AppError, messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { severalAtOnce } from './background-work.js';
import { LOGGER } from './tokens.js';

/** When what is owed is tried again; the last wait is repeated. */
const AGAIN_AFTER_MS: readonly number[] = [200, 1_000, 5_000];
/** Few: a database that has just come back has enough to do. */
const AT_ONCE = 4;
/** Tidyings of a few hundred bytes each, which may wait at a time. */
const MOST_TIDYINGS = 10_000;
/** Longest that the end of the gateway waits for what is owed. */
const LAST_TRY_MS = 2_000;

/**
 * Writes the database did not take when their time came. They are tried again for as long as the gateway lives, however
 * long the database is away, and once more when it ends. What is held meanwhile is bounded: an answer needs the database
 * to begin, so {@link keep} holds no more than those that were under way when it went; the traces of requests that did
 * not begin, which {@link tidy} takes away, come for as long as people ask, and are held up to a number.
 */
@Injectable()
export class OwedWrites implements OnApplicationShutdown {
  /** Specs wait for less. */
  againAfterMs = AGAIN_AFTER_MS;
  private readonly owed = new Set<Owed>();
  private tidyings = 0;
  private fruitlessRounds = 0;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  /**
   * Owes the database something people were told. Never throws.
   * @param what names it in the log
   * @returns whether it was written; otherwise the database refused it for good, or the gateway has ended
   */
  keep(what: string, write: () => Promise<unknown>): Promise<boolean> {
    if (this.ended) return Promise.resolve(false);
    return new Promise((resolve) => {
      const owed: Owed = { what, write, settle: (written) => this.owed.delete(owed) && resolve(written) };
      this.owed.add(owed);
      this.later();
    });
  }

  /** As {@link keep}, for something that would only lie about; not taken where too much of that waits already. */
  async tidy(what: string, write: () => Promise<unknown>): Promise<boolean> {
    if (this.tidyings >= MOST_TIDYINGS) return false;
    this.tidyings += 1;
    return this.keep(what, write).finally(() => (this.tidyings -= 1));
  }

  /** Tries everything a last time, while the database is still connected. */
  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    if (this.owed.size === 0) return;
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, LAST_TRY_MS).unref());
    await Promise.race([this.round(), deadline]);
    if (this.owed.size > 0) this.logger.error(`the gateway ends and owes the database ${this.owed.size} writes`);
    for (const { settle } of this.owed) settle(false);
  }

  private later(): void {
    if (this.timer !== undefined || this.ended) return;
    const waits = this.againAfterMs;
    const waitMs = waits[Math.min(this.fruitlessRounds, waits.length - 1)];
    this.timer = setTimeout(() => void this.nextRound(), waitMs).unref();
  }

  private async nextRound(): Promise<void> {
    const before = this.owed.size;
    const failure = await this.round();
    this.fruitlessRounds = failure === undefined ? 0 : this.fruitlessRounds + 1;
    if (failure !== undefined) {
      const left = `${this.owed.size} of ${before} writes are still owed to the database`;
      this.logger.warn({ err: failure }, `${left}: ${messageOf(failure)}`);
    }
    this.timer = undefined;
    if (this.owed.size > 0) this.later();
  }

  /** Tries each once, in order, or as long as the database is there. @returns why some are left */
  private async round(): Promise<unknown> {
    let failure: unknown;
    const goOn = () => !isDatabaseAway(failure);
    await severalAtOnce([...this.owed], AT_ONCE, goOn, async (one) => {
      const error = await this.attempt(one);
      // That it is away says more than what else failed.
      if (error !== undefined && goOn()) failure = error;
    });
    return failure;
  }

  private async attempt({ what, write, settle }: Owed): Promise<unknown> {
    try {
      await write();
      settle(true);
      return undefined;
    } catch (error) {
      if (!isFinal(error)) return error;
      this.logger.error({ err: error }, `${what} will never be written: ${messageOf(error)}`);
      settle(false);
      return undefined;
    }
  }
}

const isFinal = (error: unknown) =>
  error instanceof AppError ? error.kind !== 'unavailable' : isRefusedForGood(error);

interface Owed {
  what: string;
  write: () => Promise<unknown>;
  /** Takes it off the list. */
  settle(written: boolean): void;
}
