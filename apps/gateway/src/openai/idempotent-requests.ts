import { IdempotencyRepository, type KeyedRequest } from '@attune/persistence';
import { messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { GatewayInstance } from '../core/gateway-instance.js';
import { LOGGER } from '../core/tokens.js';
import { tryAgain } from '../core/try-again.js';
import { keyInUse, keyReused, type Idempotency } from './idempotency.js';

const WRITE_AGAIN_MS = [200, 1_000, 5_000, 20_000];

/** A request that is this gateway's to answer. */
export interface Claim {
  kind: 'claimed';
  /** From now on the request is told again by these answers. */
  settle(answerIds: string[]): Promise<void>;
  /** It has no answer that could be told again; the next one is answered anew. After `settle` it does nothing. */
  release(): Promise<void>;
}

export type Claimed<Stored> = Claim | { kind: 'known'; stored: Stored };

/** Answers each request once, however often it is sent with the same key. */
@Injectable()
export class IdempotentRequests {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly instance: GatewayInstance,
    private readonly keys: IdempotencyRepository,
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
    const state = await this.keys.claim(request, this.instance.id, this.instance.canJudge);
    if (state.kind === 'claimed') return this.claimOf(request);
    if (state.requestHash !== request.requestHash) throw keyReused();
    if (state.kind === 'running') throw keyInUse();
    const stored = await find(state.answerIds);
    if (stored !== null) return { kind: 'known', stored };
    if (!(await this.keys.claimAgain(request, this.instance.id, state.answerIds))) throw keyInUse();
    return this.claimOf(request);
  }

  private claimOf(request: KeyedRequest): Claim {
    const { id } = this.instance;
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
    const note = (error: unknown) =>
      this.logger.warn({ err: error, key }, `how a keyed request ended is not written yet: ${messageOf(error)}`);
    try {
      await write();
    } catch (error) {
      note(error);
      void tryAgain(WRITE_AGAIN_MS, write, note);
    }
  }
}

const unkeyed: Claim = { kind: 'claimed', settle: async () => undefined, release: async () => undefined };
