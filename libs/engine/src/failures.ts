import type { EngineFailure } from '@attune/contracts';
import {
  AppError,
  CancelledError,
  ConflictError,
  InternalError,
  InvalidRequestError,
  messageOf,
  NotFoundError,
  UnavailableError,
} from '@attune/platform';

/** Errors cross the boundaries of processes and threads as their kind and sentence. */
export function toFailure(error: unknown): EngineFailure {
  return { kind: error instanceof AppError ? error.kind : 'internal', message: messageOf(error) };
}

const kinds: Readonly<Record<string, new (message: string) => AppError>> = {
  invalid_request: InvalidRequestError,
  not_found: NotFoundError,
  conflict: ConflictError,
  unavailable: UnavailableError,
  cancelled: CancelledError,
};

/** The error a failure was made of: of the kind it names, internal where the kind is unknown. */
export function fromFailure({ kind, message }: EngineFailure): AppError {
  return new (kinds[kind] ?? InternalError)(message);
}
