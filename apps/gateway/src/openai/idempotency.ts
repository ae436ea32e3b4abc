import { ConflictError, InvalidRequestError } from '@attune/platform';
import { createHash } from 'node:crypto';

/** The key of a request's `Idempotency-Key` header, and what the request was. */
export interface Idempotency {
  key: string;
  requestHash: string;
}

const LONGEST_KEY = 255;

/** @throws InvalidRequestError for a key that is empty or too long */
export function readIdempotency(key: string | undefined, body: unknown): Idempotency | undefined {
  if (key === undefined) return undefined;
  if (key === '' || key.length > LONGEST_KEY) {
    throw new InvalidRequestError(`An idempotency key has 1 to ${LONGEST_KEY} characters.`, {
      param: 'Idempotency-Key',
    });
  }
  return { key, requestHash: createHash('sha256').update(JSON.stringify(body)).digest('hex') };
}

export const keyReused = () =>
  new InvalidRequestError('This idempotency key was sent with another request; take a new one.', {
    param: 'Idempotency-Key',
    code: 'idempotency_key_reused',
  });

export const keyInUse = () =>
  new ConflictError('The request with this idempotency key is being answered; ask again when it has ended.', {
    code: 'idempotency_in_progress',
    retryAfterSeconds: 1,
  });
