import type { ErrorBody } from '@attune/contracts';
import { isDatabaseAway, isUnknownCharacter } from '@attune/persistence';
import {
  AppError,
  InternalError,
  InvalidRequestError,
  NotFoundError,
  TooLargeError,
  UnavailableError,
  type ErrorKind,
} from '@attune/platform';

interface WireError {
  status: number;
  type: string;
  code: string | null;
}

/** The only place that turns kinds of errors into HTTP statuses and OpenAI's error types. */
const table: Record<ErrorKind, WireError> = {
  invalid_request: { status: 400, type: 'invalid_request_error', code: null },
  unauthenticated: { status: 401, type: 'authentication_error', code: 'invalid_api_key' },
  forbidden: { status: 403, type: 'permission_error', code: 'insufficient_permissions' },
  not_found: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  conflict: { status: 409, type: 'invalid_request_error', code: 'conflict' },
  too_large: { status: 413, type: 'invalid_request_error', code: 'too_large' },
  rate_limited: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  cancelled: { status: 499, type: 'invalid_request_error', code: 'cancelled' },
  unavailable: { status: 503, type: 'server_error', code: 'unavailable' },
  internal: { status: 500, type: 'server_error', code: 'internal_error' },
};

/** How long clients are asked to leave a database that is away alone. */
const DATABASE_RETRY_SECONDS = 2;

export const statusOf = (error: AppError): number => table[error.kind].status;

/** The error as clients see it; what broke inside stays in the log. */
export function errorBody(error: AppError): ErrorBody {
  const { type, code } = table[error.kind];
  return { error: { message: error.message, type, param: error.param ?? null, code: error.code ?? code } };
}

/** Longer than this no client waits on a connection. */
const LONGEST_RETRY_SECONDS = 60;

/**
 * When asking again makes sense, as OpenAI's clients heed it. By themselves they ask again after every conflict and every
 * refusal for want of room; where the reason does not pass they are told not to.
 */
export function retryHeaders(error: AppError): Record<string, string> {
  const { retryAfterSeconds: seconds } = error;
  const inVain =
    (error.kind === 'conflict' || error.kind === 'rate_limited') &&
    (seconds === undefined || seconds > LONGEST_RETRY_SECONDS);
  return {
    ...(seconds !== undefined && { 'retry-after': String(seconds) }),
    ...(inVain && { 'x-should-retry': 'false' }),
  };
}

/**
 * Anything thrown as one of the product's errors. Frameworks throw objects with `statusCode` (Fastify) or `getStatus()`
 * (Nest); a database that is away is to be asked again, a text it cannot read is to be sent otherwise; everything else is a bug of ours, whose message is not for
 * clients.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (isDatabaseAway(thrown)) {
    return new UnavailableError('The gateway cannot reach its database now; send the request again shortly.', {
      cause: thrown,
      retryAfterSeconds: DATABASE_RETRY_SECONDS,
    });
  }
  if (isUnknownCharacter(thrown)) {
    return new InvalidRequestError(
      'A text of the request holds U+0000, which nothing here is named with; leave it out.',
      {
        cause: thrown,
      },
    );
  }
  const status = frameworkStatus(thrown);
  const message = thrown instanceof Error ? thrown.message : 'The request was refused';
  if (status === 413) {
    return new TooLargeError('The request body is larger than BODY_LIMIT_BYTES allows; send less.', { cause: thrown });
  }
  // Nest calls it `Cannot POST /v1/x?y`.
  if (status === 404) {
    const place = /^Cannot (\S+ [^?]+)/.exec(message)?.[1];
    return new NotFoundError(place ? `There is nothing at ${place}.` : message, { cause: thrown });
  }
  if (status !== undefined && status >= 400 && status < 500) return new InvalidRequestError(message, { cause: thrown });
  return new InternalError('Something broke inside the gateway; its log says more under this request id.', {
    cause: thrown,
  });
}

function frameworkStatus(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('getStatus' in thrown && typeof thrown.getStatus === 'function') return Number(thrown.getStatus());
  return 'statusCode' in thrown && typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined;
}
