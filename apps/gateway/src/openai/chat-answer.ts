import type {
  ChatChoice,
  ChatCompletion,
  ChatCompletionChunk,
  ChatDelta,
  ChatFinishReason,
  ChatLogprobs,
  FinishReason,
  TokenLogprob,
  ToolCall,
  Usage,
} from '@attune/contracts';
import { InternalError } from '@attune/platform';
import type { AnswerEvent, OpenedEvent } from '../chat/chat.types.js';
import type { ChoiceEvent } from './choices.js';

/** What of the request shows in the shape of its answer. */
export interface AnswerSettings {
  includeUsage?: boolean;
  /** The request asked for the likelihoods of tokens. */
  logprobs?: boolean;
  /** The client sent `functions` and reads `function_call`. */
  legacyFunctions?: boolean;
  serviceTier?: 'default' | 'flex';
  metadata?: Record<string, string>;
}

/** One of the answers, as far as it has come. */
class Choice {
  opened: OpenedEvent | undefined;
  fingerprint = '';
  readonly calls: ToolCall[] = [];
  readonly logprobs: TokenLogprob[] = [];
  finished: Extract<AnswerEvent, { type: 'finished' }> | undefined;
  private text = '';

  note(event: AnswerEvent): void {
    if (event.type === 'opened') this.opened = event;
    else if (event.type === 'started') this.fingerprint = event.fingerprint;
    else if (event.type === 'finished') this.finished = event;
    else if (event.type === 'tool_call') {
      this.calls.push({ id: event.id, type: 'function', function: { name: event.name, arguments: '' } });
    } else if (event.type === 'tool_arguments') this.calls[event.index].function.arguments += event.text;
    else {
      this.text += event.text;
      this.logprobs.push(...(event.logprobs ?? []));
    }
  }

  view(index: number, settings: AnswerSettings): ChatChoice {
    if (!this.opened || !this.finished) throw new InternalError('The answer ended without saying how.');
    const calls = this.calls.length > 0 && callsView(this.calls, settings);
    return {
      index,
      message: { role: 'assistant', content: calls && this.text === '' ? null : this.text, refusal: null, ...calls },
      logprobs: settings.logprobs ? logprobsView(this.logprobs) : null,
      finish_reason: reasonView(this.finished.reason, settings),
      completion_id: this.opened.id,
    };
  }
}

/** The answer in one piece. */
export async function wholeAnswer(
  events: AsyncIterable<ChoiceEvent>,
  settings: AnswerSettings = {},
): Promise<ChatCompletion> {
  const choices: Choice[] = [];
  for await (const { choice, event } of events) (choices[choice] ??= new Choice()).note(event);
  const [first] = choices;
  if (!first?.opened) throw new InternalError('The answer ended before it began.');
  const { citations, conversationId } = first.opened;
  return {
    ...head(first.opened, first.fingerprint, settings),
    object: 'chat.completion',
    choices: choices.map((choice, index) => choice.view(index, settings)),
    usage: totalUsage(choices.map((choice) => choice.finished!.usage)),
    ...(settings.metadata && { metadata: settings.metadata }),
    ...(citations.length > 0 && { citations }),
    conversation_id: conversationId,
  };
}

/**
 * The answer as chunks: the role, the pieces, an empty delta with the finish reason, and the usage if asked for.
 * `finish_reason` is null in every chunk of a choice before its last, and citations stand in that last one.
 */
export async function* answerChunks(
  events: AsyncIterable<ChoiceEvent>,
  settings: AnswerSettings = {},
): AsyncGenerator<ChatCompletionChunk> {
  const choices: Choice[] = [];
  for await (const { choice: index, event } of events) {
    const choice = (choices[index] ??= new Choice());
    if (event.type === 'opened' || event.type === 'started' || event.type === 'finished') choice.note(event);
    const piece = chunkPiece(event, choice, settings);
    if (!piece) continue;
    const { delta, reason = null, logprobs = null, ...more } = piece;
    yield {
      ...head(choices[0].opened!, choice.fingerprint, settings),
      object: 'chat.completion.chunk',
      choices: [{ index, delta, logprobs, finish_reason: reason, ...(piece.id && { completion_id: piece.id }) }],
      ...(settings.includeUsage && { usage: null }),
      ...(more.conversation_id && { conversation_id: more.conversation_id }),
      ...(more.citations && { citations: more.citations }),
    };
  }
  const first = choices[0];
  if (!settings.includeUsage || !first?.finished) return;
  const usage = totalUsage(choices.map((choice) => choice.finished!.usage));
  yield {
    ...head(first.opened!, first.fingerprint, settings),
    object: 'chat.completion.chunk',
    choices: [],
    usage,
  };
}

type Piece = Pick<ChatCompletionChunk, 'conversation_id' | 'citations'> & {
  delta: ChatDelta;
  reason?: ChatFinishReason;
  logprobs?: ChatLogprobs;
  id?: string;
};

function chunkPiece(event: AnswerEvent, choice: Choice, settings: AnswerSettings): Piece | undefined {
  switch (event.type) {
    case 'opened':
      return undefined;
    case 'started': {
      const { id, conversationId } = choice.opened!;
      return { delta: { role: 'assistant', content: '', refusal: null }, id, conversation_id: conversationId };
    }
    case 'text':
      return {
        delta: { content: event.text },
        ...(settings.logprobs && { logprobs: logprobsView(event.logprobs ?? []) }),
      };
    case 'tool_call':
    case 'tool_arguments':
      return { delta: callDelta(event, settings) };
    case 'finished': {
      const { citations } = choice.opened!;
      return { delta: {}, reason: reasonView(event.reason, settings), ...(citations.length > 0 && { citations }) };
    }
  }
}

function callDelta(
  event: Extract<AnswerEvent, { type: 'tool_call' | 'tool_arguments' }>,
  settings: AnswerSettings,
): ChatDelta {
  const called = event.type === 'tool_call' ? { name: event.name, arguments: '' } : { arguments: event.text };
  if (settings.legacyFunctions) return { function_call: called };
  const head = event.type === 'tool_call' ? { id: event.id, type: 'function' as const } : {};
  return { tool_calls: [{ index: event.index, ...head, function: called }] };
}

const callsView = (calls: ToolCall[], settings: AnswerSettings) =>
  settings.legacyFunctions ? { function_call: calls[0].function } : { tool_calls: calls };

const logprobsView = (content: TokenLogprob[]): ChatLogprobs => ({ content, refusal: null });

const reasonView = (reason: FinishReason, settings: AnswerSettings): ChatFinishReason =>
  reason === 'tool_calls' && settings.legacyFunctions ? 'function_call' : reason;

const head = (opened: OpenedEvent, fingerprint: string, { serviceTier }: AnswerSettings) => ({
  id: opened.id,
  created: opened.created,
  model: opened.model,
  system_fingerprint: fingerprint,
  ...(serviceTier && { service_tier: serviceTier }),
});

/** The prompt counts once, however many answers it was given. */
export function totalUsage([first, ...others]: Usage[]): Usage {
  const completion_tokens = others.reduce((sum, usage) => sum + usage.completion_tokens, first.completion_tokens);
  return { ...first, completion_tokens, total_tokens: first.prompt_tokens + completion_tokens };
}
