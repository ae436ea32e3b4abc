import { chatCompletionRequest, toChatMessage, type ChatCompletionRequest } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import type { ChatRequest } from '../chat/chat.types.js';
import { validate } from '../core/validate.js';
import { notSupported, refuseUnsupportedChat } from './unsupported.js';

export interface ReadChatRequest {
  request: ChatRequest;
  stream: boolean;
  includeUsage: boolean;
}

/**
 * The body of POST /v1/chat/completions as the chat road takes it. Fields that cannot change the answer (`user`,
 * `store`, `service_tier`, `prompt_cache_key` …) are ignored on purpose; fields that would are refused by name.
 * @throws InvalidRequestError
 */
export function readChatRequest(body: unknown): ReadChatRequest {
  refuseUnsupportedChat(body);
  refuseUnsupportedMessages(body);
  const wire = validate(chatCompletionRequest, body);
  return {
    request: {
      source: 'chat',
      model: wire.model,
      messages: wire.messages.map(toChatMessage),
      sampling: wire,
      maxTokens: wire.max_completion_tokens ?? wire.max_tokens ?? undefined,
      stop: stopTexts(wire.stop),
      ...readMetadata(wire.metadata),
    },
    stream: wire.stream ?? false,
    includeUsage: wire.stream_options?.include_usage ?? false,
  };
}

/** What `metadata` tells the gateway; other keys are the client's own. */
export function readMetadata(metadata: ChatCompletionRequest['metadata']) {
  const conversationId = metadata?.conversation_id;
  if (conversationId !== undefined && !/^conv_[A-Za-z0-9_-]{1,64}$/.test(conversationId)) {
    throw new InvalidRequestError(
      '`metadata.conversation_id` must be `conv_` and up to 64 letters, digits, `_` or `-`; leave it out for a new one.',
      { param: 'metadata.conversation_id' },
    );
  }
  return {
    conversationId,
    regenerateOf: metadata?.regenerate_of,
    retrieval: metadata?.retrieval !== 'off',
  };
}

/** Empty stop strings would end every answer at once. */
function stopTexts(stop: string | string[] | null | undefined): string[] {
  return [stop ?? []].flat().filter((text) => text !== '');
}

const KNOWN_ROLES = ['system', 'developer', 'user', 'assistant'];

/** Tool turns, images and audio are refused by name, which no union of schemas would do. */
function refuseUnsupportedMessages(body: unknown): void {
  const messages = (body as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(messages)) return;
  messages.forEach((message: { role?: unknown; content?: unknown } | null, index) => {
    const param = `messages.${index}`;
    if (typeof message?.role === 'string' && !KNOWN_ROLES.includes(message.role)) {
      throw notSupported(`${param}.role`, `messages of role \`${message.role}\``);
    }
    if (!Array.isArray(message?.content)) return;
    message.content.forEach((part: { type?: unknown } | null, place) => {
      if (part?.type !== 'text') {
        throw notSupported(`${param}.content.${place}`, `message parts of type \`${String(part?.type)}\``);
      }
    });
  });
}
