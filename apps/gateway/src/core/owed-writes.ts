import { isDatabaseAway, isRefusedForGood } from '@attune/persistence';
import { AppError, messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { severalAtOnce } from './background-work.js';
import { LOGGER } from './tokens.js';
import { within } from './within.js';

/** When what is owed is tried again while the database is away; the last wait is repeated. */
const AGAIN_AFTER_MS: readonly number[] = [200, 1_000, 5_000];
/** Few: a database that has just come back has enough to do. */
const AT_ONCE = 4;
/** Longest that others wait for one write, which may wait for a lock. */
const PATIENCE_MS = 10_000;
/** How often the database may refuse a write that an operator could make possible: the waits between double. */
const MOST_REFUSALS = 13;
const FIRST_REST_MS = 200;
/** Tidyings of a few hundred bytes each, which may wait at a time. */
const MOST_TIDYINGS = 10_000;
/** Longest that the end of the gateway waits for what is owed. */
const LAST_TRY_MS = 2_000;

/**
 * Writes the database did not take when their time came. They are tried again for as long as the gateway lives, however
 * long the database is away, and once more when it ends; one that a database which is there refuses time and again is
 * given up after a quarter of an hour. What is held meanwhile is bounded: an answer needs the database to begin, so
 * {@link keep} holds no more than those that were under way when it went; the traces of requests that did not begin,
 * which {@link tidy} takes away, come for as long as people ask, and are held up to a number.
 */
@Injectable()
export class OwedWrites {
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
   * @param write may be under way twice, when one hangs
   * @returns whether it was written; otherwise the database refused it for good, or the gateway has ended
   */
  keep(what: string, write: () => Promise<unknown>): Promise<boolean> {
    if (this.ended) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (written: boolean) => {
        clearTimeout(owed.rest);
        this.owed.delete(owed);
        resolve(written);
      };
      const owed: Owed = { what, write, refusals: 0, settle };
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

  /** Tries everything a last time; to be called when answers have ended and the database is still connected. */
  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    if (this.owed.size === 0) return;
    await within(LAST_TRY_MS, this.round([...this.owed]));
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
    const away = await this.round(this.ready());
    this.fruitlessRounds = away === undefined ? 0 : this.fruitlessRounds + 1;
    if (away !== undefined) {
      const left = `${this.owed.size} of ${before} writes are still owed to the database`;
      this.logger.warn({ err: away }, `${left}: ${messageOf(away)}`);
    }
    this.timer = undefined;
    if (this.ready().length > 0) this.later();
  }

  private ready(): Owed[] {
    return [...this.owed].filter(isReady);
  }

  /** Tries each once, in order, for as long as the database is there. @returns why it is not */
  private async round(ready: Owed[]): Promise<unknown> {
    let away: unknown;
    const goOn = () => away === undefined;
    await severalAtOnce(ready, AT_ONCE, goOn, async (one) => {
      away = (await within(PATIENCE_MS, this.attempt(one))) ?? away;
    });
    return away;
  }

  /** @returns what says that the database is away */
  private async attempt(one: Owed): Promise<unknown> {
    one.isTried = true;
    try {
      await one.write();
      one.settle(true);
    } catch (error) {
      if (isAway(error)) return error;
      this.hearRefusal(one, error);
    } finally {
      one.isTried = false;
      if (this.owed.has(one) && isReady(one)) this.later();
    }
    return undefined;
  }

  private hearRefusal(one: Owed, error: unknown): void {
    one.refusals += 1;
    if (isFinal(error) || one.refusals >= MOST_REFUSALS) {
      this.logger.error({ err: error }, `${one.what} will never be written: ${messageOf(error)}`);
      return one.settle(false);
    }
    const restMs = FIRST_REST_MS * 2 ** (one.refusals - 1);
    this.logger.warn({ err: error }, `${one.what} is tried again in ${restMs} ms: ${messageOf(error)}`);
    if (this.ended) return;
    one.rest = setTimeout(() => {
      one.rest = undefined;
      this.later();
    }, restMs).unref();
  }
}

/** One that hangs holds a connection already, and one that was refused rests. */
const isReady = ({ isTried, rest }: Owed) => !isTried && rest === undefined;

const isAway = (error: unknown) => (error instanceof AppError ? error.kind === 'unavailable' : isDatabaseAway(error));

const isFinal = (error: unknown) => error instanceof AppError || isRefusedForGood(error);

interface Owed {
  what: string;
  write: () => Promise<unknown>;
  isTried?: boolean;
  /** Times that a database which was there did not take it. */
  refusals: number;
  rest?: NodeJS.Timeout;
  /** Takes it off the list. */
  settle(written: boolean): void;
}
