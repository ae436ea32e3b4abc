import { UsageRepository, type KeyQuota, type KeyUse } from '@attune/persistence';
import { RateLimitedError, type Clock } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '../core/tokens.js';

/** How old a key's known use may be: the longest for which a burst can go beyond a day's quota. */
const REMEMBER_MS = 2_000;
const MOST_REMEMBERED = 10_000;
const SECONDS_A_DAY = 86_400;

/** What each key may use in a day, across all gateways. */
@Injectable()
export class KeyQuotas {
  private readonly known = new Map<string, { use: KeyQuota & KeyUse; until: number }>();

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly usage: UsageRepository,
  ) {}

  /**
   * Counts one request of a key.
   * @throws RateLimitedError with code `insufficient_quota` when the key has used up its day
   */
  async take(keyId: string): Promise<KeyQuota> {
    const use = await this.of(keyId);
    const { requestsPerDay, tokensPerDay, requests, tokens } = use;
    if (requestsPerDay !== null && requests >= requestsPerDay) throw this.exceeded(`${requestsPerDay} requests`);
    if (tokensPerDay !== null && tokens >= tokensPerDay) throw this.exceeded(`${tokensPerDay} tokens`);
    use.requests += 1;
    return use;
  }

  /** Called when a quota has changed. */
  forget(keyId: string): void {
    this.known.delete(keyId);
  }

  private async of(keyId: string): Promise<KeyQuota & KeyUse> {
    const remembered = this.known.get(keyId);
    if (!remembered) return this.look(keyId);
    if (remembered.until > this.clock.monotonicMs()) return remembered.use;
    if (isLimited(remembered.use)) return this.look(keyId);
    // Most keys have no limits; nobody waits to hear so again.
    remembered.until = this.clock.monotonicMs() + REMEMBER_MS;
    this.look(keyId).catch(() => undefined);
    return remembered.use;
  }

  private async look(keyId: string): Promise<KeyQuota & KeyUse> {
    const use = await this.usage.today(keyId);
    if (this.known.size >= MOST_REMEMBERED) this.known.delete(this.known.keys().next().value!);
    this.known.set(keyId, { use, until: this.clock.monotonicMs() + REMEMBER_MS });
    return use;
  }

  private exceeded(what: string): RateLimitedError {
    const secondsOfDay = Math.floor(this.clock.now().getTime() / 1000) % SECONDS_A_DAY;
    return new RateLimitedError(
      `This API key has used its ${what} for today (UTC); it can go on tomorrow, or an admin can raise its quota.`,
      { code: 'insufficient_quota', retryAfterSeconds: SECONDS_A_DAY - secondsOfDay },
    );
  }
}

const isLimited = ({ requestsPerDay, tokensPerDay }: KeyQuota): boolean =>
  requestsPerDay !== null || tokensPerDay !== null;
