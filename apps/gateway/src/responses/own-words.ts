import { InvalidRequestError } from '@attune/platform';

/** What the chat road calls a field, and what these protocols call it. */
const NAMES: Record<string, string> = { max_tokens: 'max_output_tokens', messages: 'input' };

/** A refusal of the chat road, in the names of the fields that were sent. */
export function inOwnWords(thrown: unknown): unknown {
  if (!(thrown instanceof InvalidRequestError) || thrown.param === undefined) return thrown;
  const name = NAMES[thrown.param];
  if (name === undefined) return thrown;
  const message = thrown.message.replaceAll(`\`${thrown.param}\``, `\`${name}\``);
  return new InvalidRequestError(message, { param: name, code: thrown.code, cause: thrown });
}
