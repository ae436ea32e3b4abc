/**
 * The errors of the product. They know nothing of HTTP: each transport's filter holds the table kind -> status.
 * A message says what is wrong, which thing it is about, and what to do.
 */
export type ErrorKind =
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable'
  | 'cancelled'
  | 'internal';

export interface ErrorDetails {
  /** The request field or setting the error is about. */
  param?: string;
  /** A stable word for programs, e.g. `context_length_exceeded`. */
  code?: string;
  /** Seconds after which trying again makes sense. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

export abstract class AppError extends Error {
  abstract readonly kind: ErrorKind;
  readonly param?: string;
  readonly code?: string;
  readonly retryAfterSeconds?: number;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.param = details.param;
    this.code = details.code;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** What was asked for is not a valid request (a field, a file, a setting). */
export class InvalidRequestError extends AppError {
  readonly kind = 'invalid_request';
}
/** No key, or a key that is unknown or revoked. */
export class UnauthenticatedError extends AppError {
  readonly kind = 'unauthenticated';
}
/** A known caller without the role this needs. */
export class ForbiddenError extends AppError {
  readonly kind = 'forbidden';
}
export class NotFoundError extends AppError {
  readonly kind = 'not_found';
}
/** The state of the thing does not allow this now (already decided, already running). */
export class ConflictError extends AppError {
  readonly kind = 'conflict';
}
export class TooLargeError extends AppError {
  readonly kind = 'too_large';
}
export class RateLimitedError extends AppError {
  readonly kind = 'rate_limited';
}
/** A part the request needs is not there now: the engine restarts, the database is away. */
export class UnavailableError extends AppError {
  readonly kind = 'unavailable';
}
export class CancelledError extends AppError {
  readonly kind = 'cancelled';
}
/** A broken promise of our own: a bug, a corrupt file. */
export class InternalError extends AppError {
  readonly kind = 'internal';
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
