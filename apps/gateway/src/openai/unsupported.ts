import { InvalidRequestError } from '@attune/platform';

type Fields = Record<string, unknown>;

/** Fields that would change the answer and are not served yet, each with the values that ask for nothing. */
const chatFields: Record<string, (value: unknown) => boolean> = {
  tools: (value) => isEmpty(value),
  functions: (value) => isEmpty(value),
  tool_choice: (value) => value === 'none' || value === 'auto',
  function_call: (value) => value === 'none' || value === 'auto',
  response_format: (value) => typeOf(value) === 'text',
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  n: (value) => value === 1,
  logit_bias: (value) => isEmpty(value),
  audio: () => false,
  modalities: (value) => JSON.stringify(value) === '["text"]',
  prediction: () => false,
  web_search_options: () => false,
};

const responsesFields: Record<string, (value: unknown) => boolean> = {
  tools: (value) => isEmpty(value),
  tool_choice: (value) => value === 'none' || value === 'auto',
  text: (value) => [undefined, 'text'].includes(typeOf((value as Fields).format) as string | undefined),
  background: (value) => value === false,
  include: (value) => isEmpty(value),
  prompt: () => false,
  conversation: () => false,
  context_management: (value) => isEmpty(value),
  top_logprobs: (value) => value === 0,
  truncation: (value) => value === 'disabled',
};

/** @throws InvalidRequestError naming the first field of a chat completion that is not served yet */
export const refuseUnsupportedChat = (body: unknown): void => refuse(body, chatFields);

/** @throws InvalidRequestError naming the first field of a response that is not served yet */
export const refuseUnsupportedResponse = (body: unknown): void => refuse(body, responsesFields);

export function notSupported(param: string, what = `\`${param}\``): InvalidRequestError {
  return new InvalidRequestError(`Not supported yet: ${what}; leave it out.`, { param, code: 'unsupported_parameter' });
}

function refuse(body: unknown, fields: Record<string, (value: unknown) => boolean>): void {
  if (typeof body !== 'object' || body === null) return;
  const named = Object.entries(body).find(
    ([name, value]) => value !== null && value !== undefined && fields[name]?.(value) === false,
  );
  if (named) throw notSupported(named[0]);
}

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const typeOf = (value: unknown) =>
  typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
