import {
  IdempotencyRepository,
  isDatabaseAway,
  wasUnheard,
  type KeyClaim,
  type KeyedRequest,
} from '@attune/persistence';
import { createId, messageOf, NotFoundError, type IdPrefix, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { GatewayInstance } from '../core/gateway-instance.js';
import { OwedWrites } from '../core/owed-writes.js';
import { LOGGER } from '../core/tokens.js';
import { keyInUse, keyReused, readIdempotency, type Idempotency } from './idempotency.js';

/** A request that is this gateway's to answer. */
export interface Claim {
  kind: 'claimed';
  /** From now on the request is told again by these answers. */
  settle(answerIds: string[]): Promise<void>;
  /** It has no answer that could be told again; the next one is answered anew. After `settle` it does nothing. */
  release(): Promise<void>;
}

/** A thing that requests ask for. */
interface Makes<Thing> {
  prefix: IdPrefix;
  /** Makes it, with this id. */
  make(id: string): Promise<Thing>;
  /** @throws NotFoundError when it is gone */
  find(id: string): Promise<Thing>;
}

export type Claimed<Stored> = Claim | { kind: 'known'; stored: Stored };

/** Answers each request once, however often it is sent with the same key. */
@Injectable()
export class IdempotentRequests {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly instance: GatewayInstance,
    private readonly keys: IdempotencyRepository,
    private readonly owed: OwedWrites,
  ) {}

  /**
   * Takes a request in; one without a key is always new.
   * @param find the answers of these ids; null when they failed or are gone, which frees the key
   * @throws InvalidRequestError when the key was sent with another request
   * @throws ConflictError while the first request with this key is being answered
   */
  async claim<Stored>(
    caller: Caller,
    idempotency: Idempotency | undefined,
    find: (answerIds: string[]) => Promise<Stored | null>,
  ): Promise<Claimed<Stored>> {
    if (!idempotency) return unkeyed;
    const request = { ...idempotency, userId: caller.userId };
    const claim = { id: createId('claim'), instanceId: this.instance.id };
    const { canJudge } = this.instance;
    const state = await this.take(request, claim, () => this.keys.claim(request, claim, canJudge));
    if (state.kind === 'claimed') return this.claimOf(request, claim);
    if (state.requestHash !== request.requestHash) throw keyReused();
    if (state.kind === 'running') throw keyInUse();
    const stored = await find(state.answerIds);
    if (stored !== null) return { kind: 'known', stored };
    if (!(await this.take(request, claim, () => this.keys.claimAgain(request, claim, state.answerIds))))
      throw keyInUse();
    return this.claimOf(request, claim);
  }

  /**
   * Makes a thing, once: the same request sent again gets that thing as it is by then, or makes another if it is gone.
   * @param sent the key, and what the request was
   */
  async once<Thing extends { id: string }>(
    caller: Caller,
    sent: { key: string | undefined; body: unknown },
    { prefix, make, find }: Makes<Thing>,
  ): Promise<Thing> {
    const orNull = (error: unknown) => {
      if (error instanceof NotFoundError) return null;
      throw error;
    };
    const claim = await this.claim(caller, readIdempotency(sent.key, sent.body), ([id]) => find(id).catch(orNull));
    if (claim.kind === 'known') return claim.stored;
    const id = createId(prefix);
    try {
      const thing = await make(id);
      await claim.settle([id]);
      return thing;
    } catch (error) {
      // It may have been made all the same: whoever asks again finds it, or makes it.
      if (isDatabaseAway(error)) await claim.settle([id]);
      throw error;
    } finally {
      await claim.release();
    }
  }

  /** A claim that failed may have been heard all the same: it is given back, or the key would be in use for ever. */
  private async take<Taken>(request: KeyedRequest, { id }: KeyClaim, claim: () => Promise<Taken>): Promise<Taken> {
    try {
      return await claim();
    } catch (error) {
      if (!wasUnheard(error)) void this.owed.keep(`the end of claim ${id}`, () => this.keys.release(request, id));
      throw error;
    }
  }

  private claimOf(request: KeyedRequest, { id }: KeyClaim): Claim {
    // Also while that is not written yet: a key that is given back in between would have the request answered twice.
    let settled = false;
    return {
      kind: 'claimed',
      settle: (answerIds) => {
        settled = true;
        return this.write(request, () => this.keys.settle(request, id, answerIds));
      },
      release: async () => {
        if (!settled) await this.write(request, () => this.keys.release(request, id));
      },
    };
  }

  /** Never throws: the answer is there, and its reader is not to wait for the database. */
  private async write({ key }: KeyedRequest, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.logger.warn({ err: error, key }, `how a keyed request ended is not written yet: ${messageOf(error)}`);
      void this.owed.keep('the end of a keyed request', write);
    }
  }
}

const unkeyed: Claim = { kind: 'claimed', settle: async () => undefined, release: async () => undefined };
