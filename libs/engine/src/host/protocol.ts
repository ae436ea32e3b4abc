import {
  type EngineCommand,
  engineCommand,
  type EngineFailure,
  type EngineMessage,
  engineMessage,
} from '@attune/contracts';
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

/** @throws InternalError when the other side speaks another version of the protocol */
export function readCommand(raw: unknown): EngineCommand {
  const { success, data, error } = engineCommand.safeParse(raw);
  if (!success) throw new InternalError(`the engine process got a command it does not understand: ${error.message}`);
  return data;
}

/** @throws InternalError when the other side speaks another version of the protocol */
export function readMessage(raw: unknown): EngineMessage {
  const { success, data, error } = engineMessage.safeParse(raw);
  if (!success) throw new InternalError(`the engine process sent a message nobody understands: ${error.message}`);
  return data;
}

/** Errors cross the process boundary as their kind and sentence. */
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

export function fromFailure({ kind, message }: EngineFailure): AppError {
  return new (kinds[kind] ?? InternalError)(message);
}
