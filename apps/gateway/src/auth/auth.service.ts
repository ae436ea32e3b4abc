import { AccountRepository, hashSecret } from '@attune/persistence';
import { RateLimitedError, UnauthenticatedError, type Clock, type Config, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { FreshLookup } from '../core/fresh-lookup.js';
import { CLOCK, CONFIG, LOGGER } from '../core/tokens.js';
import type { Caller } from './caller.js';
import { RateLimiter, type RequestsLeft } from './rate-limiter.js';

/** How long a key is taken for good without asking the database: the longest a revoked one lives on elsewhere. */
const REMEMBER_MS = 5_000;
const MOST_REMEMBERED = 10_000;
/** Wrong keys one address may try in a minute. */
const FAILURES_PER_MINUTE = 60;

/** Who a key belongs to, and whether it may go on asking. */
@Injectable()
export class AuthService {
  /** Keys of calls the gateway makes to itself, by secret. */
  private readonly lent = new Map<string, Caller>();
  /** By the hash of the key. */
  private readonly callers: FreshLookup<Caller | undefined>;
  private readonly requests: RateLimiter;
  private readonly failures: RateLimiter;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly accounts: AccountRepository,
  ) {
    this.requests = new RateLimiter(config.http.rateLimitPerMinute, clock);
    this.failures = new RateLimiter(FAILURES_PER_MINUTE, clock);
    this.callers = new FreshLookup({
      look: (hash) => this.find(hash),
      isKept: (caller) => caller !== undefined,
      freshMs: REMEMBER_MS,
      mostKept: MOST_REMEMBERED,
      clock,
    });
  }

  /**
   * @param address of the client, to slow down whoever guesses keys
   * @throws UnauthenticatedError without a valid key, RateLimitedError after too many requests
   */
  async authenticate(secret: string | undefined, address: string): Promise<Caller> {
    if (secret === undefined) {
      throw new UnauthenticatedError('No API key was sent; send one as `Authorization: Bearer <key>`.');
    }
    const lent = this.lent.get(secret);
    if (lent) return lent;
    const caller = await this.callers.get(hashSecret(secret));
    if (!caller) {
      this.limit(this.failures, address, 'wrong API keys from this address');
      throw unknownKey();
    }
    this.takeRequest(caller);
    return caller;
  }

  /**
   * A key under which this process itself may act for a caller until it is given back: work in the background goes
   * through the same door as everybody's.
   */
  lend(caller: Caller): { secret: string; giveBack: () => void } {
    const secret = randomUUID();
    this.lent.set(secret, caller);
    return { secret, giveBack: () => void this.lent.delete(secret) };
  }

  /**
   * The caller a socket was opened by, as they are now; does not count as a request.
   * @throws UnauthenticatedError when the key has been revoked since
   */
  async authenticateAgain(secret: string | undefined): Promise<Caller> {
    const caller = secret === undefined ? undefined : await this.callers.get(hashSecret(secret));
    if (!caller) throw unknownKey();
    return caller;
  }

  /** @throws RateLimitedError when the key has made too many requests this minute */
  takeRequest(caller: Caller): void {
    this.limit(this.requests, caller.keyId, 'requests with this API key');
  }

  /** How many requests the key has left this minute. */
  requestsLeft(caller: Caller): RequestsLeft {
    return this.requests.left(caller.keyId);
  }

  /** The person a trusted front end speaks for; they are always plain users. */
  async onBehalfOf(caller: Caller, externalId: string, name: string): Promise<Caller> {
    const user = await this.accounts.findOrCreateExternalUser(externalId, name);
    return { ...caller, userId: user.id, userName: user.name, role: user.role, userCreated: user.createdAt };
  }

  /** Called when a key or a role has changed: nobody is remembered any more. */
  forgetAll(): void {
    this.callers.forgetAll();
  }

  private limit(limiter: RateLimiter, name: string, what: string): void {
    const answer = limiter.take(name);
    if (answer.allowed) return;
    throw new RateLimitedError(`Too many ${what}; try again in ${answer.retryAfterSeconds} s.`, {
      retryAfterSeconds: answer.retryAfterSeconds,
    });
  }

  private async find(hash: string): Promise<Caller | undefined> {
    const key = await this.accounts.findByKeyHash(hash);
    if (!key) return undefined;
    this.accounts.touchKey(key.id).catch((error: unknown) => this.logger.warn({ err: error }, 'key not touched'));
    const { user } = key;
    return { userId: user.id, userName: user.name, role: user.role, userCreated: user.createdAt, keyId: key.id };
  }
}

const unknownKey = () => new UnauthenticatedError('This API key is unknown or revoked; ask an admin for another.');
