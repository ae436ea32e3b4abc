import { type EngineCommand, engineCommand, type EngineMessage, engineMessage } from '@attune/contracts';
import { InternalError } from '@attune/platform';

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
