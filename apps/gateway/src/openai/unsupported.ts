import { InvalidRequestError } from '@attune/platform';

/** Fields that would change the answer and are not served, each with the values that ask for nothing. */
const chatFields: Record<string, (value: unknown) => boolean> = {
  audio: () => false,
  modalities: (value) => JSON.stringify(value) === '["text"]',
  moderation: () => false,
  web_search_options: () => false,
};

/** @throws InvalidRequestError naming the first field of a chat completion that is not served yet */
export function refuseUnsupportedChat(body: unknown): void {
  refuse(body, chatFields);
  const { messages, tools } = (body ?? {}) as { messages?: unknown; tools?: unknown };
  if (Array.isArray(messages)) messages.forEach((message, index) => refuseParts(message, `messages.${index}.content`));
  if (Array.isArray(tools)) tools.forEach((tool, index) => refuseCustomTool(tool, `tools.${index}`));
}

/** Images, audio and files are refused by name, which no union of schemas would do. */
function refuseParts(message: unknown, where: string): void {
  const { content } = (message ?? {}) as { content?: unknown };
  if (!Array.isArray(content)) return;
  content.forEach((part: unknown, place) => {
    const type = typeOf(part);
    if (['image_url', 'input_audio', 'file'].includes(String(type))) {
      throw notSupported(`${where}.${place}`, `message parts of type \`${String(type)}\``);
    }
  });
}

function refuseCustomTool(tool: unknown, where: string): void {
  if (typeOf(tool) === 'custom') throw notSupported(where, 'tools of type `custom`');
}

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

const typeOf = (value: unknown) =>
  typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
