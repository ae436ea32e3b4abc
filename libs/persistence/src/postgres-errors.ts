import { QueryFailedError } from 'typeorm';

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

const hasCode = (error: unknown, code: string) =>
  error instanceof QueryFailedError && (error as Partial<PostgresFailure>).code === code;
