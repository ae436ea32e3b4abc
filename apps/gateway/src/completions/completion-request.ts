import {
  askedStructures,
  completionRequest,
  DEFAULT_COMPLETION_TOKENS,
  MOST_CHOICES,
  type CompletionRequest,
} from '@attune/contracts';
import { createId, InvalidRequestError } from '@attune/platform';
import type { Tokenizer } from '@attune/tokenizer';
import type { ChatRequest } from '../chat/chat.types.js';
import { expectFits, expectKnownTokens } from '../chat/prompt.js';
import { validate } from '../core/validate.js';
import type { ServedModel } from '../inference/served-model.js';
import { expectStreamOfOptions, readGuided, stopTexts } from '../openai/chat-request.js';
import { notSupported } from '../openai/unsupported.js';

export interface ReadCompletionRequest {
  /** One an answer: the first prompt's choices, then the second's. */
  requests: ChatRequest[];
  /** What stands before each answer: its prompt where `echo` asks for it. */
  echoes: string[];
  logprobs: boolean;
  stream: boolean;
  includeUsage: boolean;
}

type Model = Pick<ServedModel, 'id' | 'context' | 'longestToken'> & { tokenizer: Tokenizer };

interface Prompt {
  ids: number[];
  text: string;
}

/**
 * The body of POST /v1/completions as the road of all questions takes it: the prompt as it stands, no template, no
 * documents.
 * @throws InvalidRequestError naming the field
 */
export function readCompletionRequest(body: unknown, model: Model): ReadCompletionRequest {
  const wire = validate(completionRequest, body);
  refuseUnserved(wire);
  expectStreamOfOptions(wire);
  const prompts = promptsOf(wire, model);
  const count = wire.n ?? 1;
  if (prompts.length * count > MOST_CHOICES) {
    throw new InvalidRequestError(
      `${prompts.length} prompts with \`n\` ${count} are ${prompts.length * count} answers; one request may have ${MOST_CHOICES}.`,
      { param: prompts.length > MOST_CHOICES ? 'prompt' : 'n' },
    );
  }
  const each = prompts.flatMap((prompt) => Array.from({ length: count }, () => prompt));
  const id = createId('cmpl');
  return {
    requests: each.map((prompt, index) => requestOf(wire, prompt, index, { id, count: each.length })),
    echoes: each.map((prompt) => (wire.echo ? prompt.text : '')),
    logprobs: wire.logprobs !== null && wire.logprobs !== undefined,
    stream: wire.stream ?? false,
    includeUsage: wire.stream_options?.include_usage ?? false,
  };
}

function requestOf(
  wire: CompletionRequest,
  prompt: Prompt,
  index: number,
  group: { id: string; count: number },
): ChatRequest {
  const seed = wire.seed === null || wire.seed === undefined ? wire.seed : wire.seed + index;
  return {
    id: index === 0 ? group.id : createId('cmpl'),
    source: 'completions',
    model: wire.model,
    messages: [{ role: 'user', content: prompt.text }],
    prompt: { ids: prompt.ids },
    sampling: { ...wire, seed },
    maxTokens: wire.max_tokens ?? DEFAULT_COMPLETION_TOKENS,
    stop: stopTexts(wire.stop),
    retrieval: false,
    ...readGuided(askedStructures(wire, refuseSchema)),
    topLogprobs: wire.logprobs ?? undefined,
    ignoreEos: wire.ignore_eos ?? false,
    ...(group.count > 1 && { group: { id: group.id, index } }),
  };
}

function refuseUnserved(wire: CompletionRequest): void {
  if (wire.suffix) throw notSupported('suffix', '`suffix`, which needs a model trained to fill in the middle');
  if ((wire.best_of ?? 1) > (wire.n ?? 1))
    throw notSupported('best_of', '`best_of` greater than `n`; ask for more `n`');
  if (wire.echo && wire.logprobs !== null && wire.logprobs !== undefined) {
    throw notSupported('echo', '`echo` together with `logprobs`: the likelihoods of a prompt are not kept');
  }
}

function promptsOf(wire: CompletionRequest, model: Model): Prompt[] {
  const { prompt } = wire;
  if (prompt === null || prompt === undefined || typeof prompt === 'string') return [fromText(prompt ?? '', model)];
  return (prompt as (string | number | number[])[]).every((one) => typeof one === 'number')
    ? [fromIds(prompt as number[], model)]
    : (prompt as (string | number[])[]).map((one) =>
        typeof one === 'string' ? fromText(one, model) : fromIds(one, model),
      );
}

function fromText(text: string, model: Model): Prompt {
  expectFits(model.id, model.context, [{ role: 'user', content: text }], model.longestToken, [], 'prompt');
  const ids = model.tokenizer.encode(text, { addSpecial: true });
  return { text, ids: ids.length > 0 ? ids : beginning(model.tokenizer) };
}

function fromIds(ids: number[], { tokenizer }: Model): Prompt {
  expectKnownTokens(ids, tokenizer.vocabSize, 'prompt');
  return { ids, text: tokenizer.decode(ids) };
}

/** A model needs one token at least to begin from. */
function beginning(tokenizer: Tokenizer): number[] {
  const first = tokenizer.bosId ?? tokenizer.eosIds[0];
  if (first !== undefined) return [first];
  throw new InvalidRequestError('`prompt` is empty, and this model has no token a text begins with; send some words.', {
    param: 'prompt',
  });
}

function refuseSchema(param: string): never {
  throw new InvalidRequestError(`\`${param}\` is no JSON Schema; send an object, or the text of one.`, { param });
}
