import {
  askedStructures,
  type AskedStructure,
  chatCompletionRequest,
  chatToolSettings,
  toChatMessages,
  type ChatCompletionRequest,
} from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import type { ChatRequest } from '../chat/chat.types.js';
import { validate } from '../core/validate.js';
import { expectStrict } from '../tools/strict-schema.js';
import { checkTools } from '../tools/tool-settings.js';
import { refuseUnsupportedChat } from './unsupported.js';

export interface ReadChatRequest {
  request: ChatRequest;
  /** Answers asked for. */
  choices: number;
  stream: boolean;
  includeUsage: boolean;
  serviceTier?: ServiceTier;
  /** The client sent `functions` and reads `function_call`. */
  legacyFunctions: boolean;
  metadata?: Record<string, string>;
}
export type ServiceTier = 'default' | 'flex';

/**
 * The body of POST /v1/chat/completions as the chat road takes it. A field is served, refused by name, or taken without
 * effect on purpose; docs/api-compatibility.md says which.
 * @throws InvalidRequestError naming the field
 */
export function readChatRequest(body: unknown): ReadChatRequest {
  refuseUnsupportedChat(body);
  const wire = validate(chatCompletionRequest, body);
  const tools = chatToolSettings(wire);
  checkTools(tools, wire.tool_choice ?? wire.function_call);
  expectRivalsOfLogprobs(wire);
  expectStreamOfOptions(wire);
  expectStrictSchemas(wire);
  return {
    request: {
      source: 'chat',
      model: wire.model,
      messages: toChatMessages(wire.messages, refuseOrphan),
      sampling: wire,
      maxTokens: wire.max_completion_tokens ?? wire.max_tokens ?? undefined,
      stop: stopTexts(wire.stop),
      ...readMetadata(wire.metadata),
      tools,
      ...readGuided(askedStructures(wire, refuseSchema), tools?.choice.mode === 'auto'),
      topLogprobs: wire.logprobs ? (wire.top_logprobs ?? 0) : undefined,
      ignoreEos: wire.ignore_eos ?? false,
      patient: wire.service_tier === 'flex',
      stored: wire.store ?? false,
      metadata: wire.metadata ?? {},
    },
    choices: wire.n ?? 1,
    stream: wire.stream ?? false,
    includeUsage: wire.stream_options?.include_usage ?? false,
    serviceTier: wire.service_tier ? (wire.service_tier === 'flex' ? 'flex' : 'default') : undefined,
    legacyFunctions: !wire.tools?.length && !!wire.functions?.length,
    metadata: wire.metadata ?? undefined,
  };
}

/**
 * What the text of the answer must look like.
 * @param mayCall whether the model may also call tools, at its own choice: then nothing can be asked of its words
 */
export function readGuided(
  asked: readonly AskedStructure[],
  mayCall = false,
): Pick<ChatRequest, 'structure' | 'structureParam'> {
  if (asked.length > 1) {
    const [first, second] = asked.map(({ param }) => param);
    throw new InvalidRequestError(`\`${first}\` and \`${second}\` ask for different answers; leave one out.`, {
      param: second,
    });
  }
  if (asked.length === 1 && mayCall) {
    const { param } = asked[0];
    throw new InvalidRequestError(
      `\`${param}\` cannot stand beside tools the model may choose to call; set \`tool_choice\` to \`none\` or \`required\`, or leave one out.`,
      { param },
    );
  }
  return asked.length === 0 ? {} : { structure: asked[0].structure, structureParam: asked[0].param };
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

/** As OpenAI has it: whoever wants the usage in a stream has not asked for a stream. */
export function expectStreamOfOptions(wire: Pick<ChatCompletionRequest, 'stream' | 'stream_options'>): void {
  if (!wire.stream_options || wire.stream) return;
  throw new InvalidRequestError('`stream_options` is for streams only; set `stream`, or leave it out.', {
    param: 'stream_options',
  });
}

/** Empty stop strings would end every answer at once. */
export function stopTexts(stop: string | string[] | null | undefined): string[] {
  return [stop ?? []].flat().filter((text) => text !== '');
}

/** What `strict` promises must be possible to keep. */
function expectStrictSchemas({ response_format: format, tools, functions }: ChatCompletionRequest): void {
  if (format?.type === 'json_schema' && format.json_schema.strict && format.json_schema.schema) {
    expectStrict(format.json_schema.schema, 'response_format');
  }
  (tools?.map((tool) => tool.function) ?? functions ?? []).forEach((one, index) => {
    if (one.strict && one.parameters) expectStrict(one.parameters, `tools.${index}.function.parameters`);
  });
}

function expectRivalsOfLogprobs(wire: ChatCompletionRequest): void {
  if (!wire.top_logprobs || wire.logprobs) return;
  throw new InvalidRequestError('`top_logprobs` needs `logprobs`: true beside it.', { param: 'top_logprobs' });
}

function refuseOrphan(index: number): never {
  throw new InvalidRequestError(
    `\`messages.${index}\` is the result of a call that the assistant’s message before it did not make; send that message with its \`tool_calls\` too.`,
    { param: `messages.${index}` },
  );
}

function refuseSchema(param: string): never {
  throw new InvalidRequestError(`\`${param}\` is no JSON Schema; send an object, or the text of one.`, { param });
}
