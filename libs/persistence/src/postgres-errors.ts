import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

interface PostgresFailure extends QueryFailedError {
  code: string;
  detail: string;
}

/** SQLSTATE 23503 (https://www.postgresql.org/docs/18/errcodes-appendix.html) */
export function isForeignKeyViolation(error: unknown): error is PostgresFailure {
  return hasCode(error, '23503');
}

/** SQLSTATE 23505 */
export function isUniqueViolation(error: unknown): error is PostgresFailure {
  return hasCode(error, '23505');
}

/** SQLSTATE 22021 and 22P05: a text with U+0000, which PostgreSQL neither stores nor looks for. */
export function isUnknownCharacter(error: unknown): boolean {
  return hasCode(error, '22021') || hasCode(error, '22P05');
}

/**
 * Classes 22 data exception and 23 constraint violation: asking again gets the same answer. What class 42 says, that a
 * right or a table is missing, an operator can mend.
 */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof QueryFailedError && /^2[23]/.test((error as Partial<PostgresFailure>).code ?? '');
}

/** Class 08 connection exceptions, 53300 too many connections, 57P01 to 57P03 stopping, crashed, starting. */
const awayStates = /^(08...|53300|57P0[123])$/;
/** What node-postgres and its pool say of a connection that broke or never came about; such errors have no code. */
const awayMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (was closed|has encountered a connection error))/;

/** Whether the database could not be reached, or went away under way, so that the same may work a little later. */
export function isDatabaseAway(thrown: unknown): boolean {
  if (thrown instanceof QueryFailedError) return isDatabaseAway(thrown.driverError);
  // A connection that broke between two statements of a transaction has been given back by the second.
  if (thrown instanceof QueryRunnerAlreadyReleasedError) return true;
  // Node tried several addresses of one host.
  if (thrown instanceof AggregateError) return thrown.errors.length > 0 && thrown.errors.every(isDatabaseAway);
  if (!(thrown instanceof Error)) return false;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  // An error of the network itself names the call that failed.
  if (typeof syscall === 'string') return /^(connect|read|write|getaddrinfo)$/.test(syscall) && isNetworkCode(code);
  return awayStates.test(code ?? '') || awayMessages.test(thrown.message);
}

/** Whether no connection came about: what was asked was not heard, and has no trace. */
export function wasUnheard(thrown: unknown): boolean {
  if (thrown instanceof QueryFailedError) return wasUnheard(thrown.driverError);
  if (thrown instanceof AggregateError) return thrown.errors.length > 0 && thrown.errors.every(wasUnheard);
  if (!(thrown instanceof Error)) return false;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  // 53300 too many connections, 57P03 starting or stopping: what a server says before it takes a statement.
  return /^(connect|getaddrinfo)$/.test(syscall ?? '') || /^(53300|57P03)$/.test(code ?? '') || isNoConnection(thrown);
}

const isNoConnection = ({ message }: Error) =>
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated due to connection timeout)/.test(
    message,
  );

const isNetworkCode = (code: string | undefined) =>
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code ?? '');

const hasCode = (error: unknown, code: string) =>
  error instanceof QueryFailedError && (error as Partial<PostgresFailure>).code === code;
