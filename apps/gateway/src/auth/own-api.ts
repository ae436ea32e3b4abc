import { AccountRepository } from '@attune/persistence';
import { createId, UnauthenticatedError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorBody, statusOf } from '../openai/error-body.js';
import { AuthService } from './auth.service.js';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** Times an engine may break while it answers one request. */
const MOST_BREAKS = 3;
/** No place, cancelled by a server that stops, not there now. */
const COMES_AGAIN: ReadonlySet<number> = new Set([429, 499, 503]);

/** On whose behalf: what is answered is recorded under this user and this key. */
export interface Whose {
  userId: string;
  keyId: string;
}

/** When an answer is waited for no longer. */
export interface Patience {
  /** No new try begins; what is under way comes to its end. */
  stopping: AbortSignal;
  /** Nobody wants the answer any more: what is under way ends too. */
  unwanted?: AbortSignal;
}

export interface OwnAnswer {
  status: number;
  requestId: string;
  // Each caller knows which shape it asked for.
  body: unknown;
}

/**
 * The gateway's own API, called without a socket on behalf of a user: work in the background answers just as a request
 * would, errors and records included.
 */
@Injectable()
export class OwnApi {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly auth: AuthService,
    private readonly accounts: AccountRepository,
  ) {}

  post(whose: Whose, url: string, body: unknown, unwanted?: AbortSignal): Promise<OwnAnswer> {
    return this.call(whose, 'POST', url, body, unwanted);
  }

  /**
   * As `post`, again and again while the answer is only that there is no room now.
   * @returns null when either signal was aborted first: nothing has been answered
   */
  async postPatiently(
    whose: Whose,
    url: string,
    body: unknown,
    { stopping, unwanted }: Patience,
  ): Promise<OwnAnswer | null> {
    const enough = unwanted ? AbortSignal.any([stopping, unwanted]) : stopping;
    let breaks = 0;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const answer = await this.post(whose, url, body, unwanted);
      if (unwanted?.aborted || (enough.aborted && !isFinal(answer))) return null;
      if (!COMES_AGAIN.has(answer.status) || codeOf(answer) === 'insufficient_quota') return answer;
      // The request itself may be what breaks the engine; others are answered by it too.
      if (codeOf(answer) === 'engine_failed' && ++breaks === MOST_BREAKS) return answer;
      await sleep(wait, undefined, { signal: enough }).catch(() => undefined);
      if (enough.aborted) return null;
    }
  }

  get(whose: Whose, url: string): Promise<OwnAnswer> {
    return this.call(whose, 'GET', url);
  }

  private async call(
    { userId, keyId }: Whose,
    method: 'GET' | 'POST',
    url: string,
    body?: unknown,
    unwanted?: AbortSignal,
  ): Promise<OwnAnswer> {
    const [key, user] = await Promise.all([this.accounts.getKey(keyId), this.accounts.getUser(userId)]);
    if (key.revokedAt !== null) return revoked();
    const { id, name, role, createdAt } = user;
    const caller = { userId: id, userName: name, role, userCreated: createdAt, keyId, patient: true, unwanted };
    const { secret, giveBack } = this.auth.lend(caller);
    try {
      const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
      const answer = await fastify.inject({
        method,
        url,
        headers,
        ...(body !== undefined && { payload: body as object }),
      });
      return { status: answer.statusCode, requestId: String(answer.headers['x-request-id']), body: answer.json() };
    } finally {
      giveBack();
    }
  }
}

/** As the guard answers a key that is revoked. */
function revoked(): OwnAnswer {
  const error = new UnauthenticatedError(
    'The API key on whose behalf this is done was revoked; begin it with another.',
  );
  return { status: statusOf(error), requestId: createId('req'), body: errorBody(error) };
}

const isFinal = ({ status }: OwnAnswer) => !COMES_AGAIN.has(status);

/** A day's quota (`insufficient_quota`) does not come back by waiting a little. */
function codeOf({ body }: OwnAnswer): string | null | undefined {
  return (body as { error?: { code?: string | null } } | null)?.error?.code;
}
