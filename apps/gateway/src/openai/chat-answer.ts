import type { ChatCompletion, ChatCompletionChunk, FinishReason, Usage } from '@attune/contracts';
import { InternalError } from '@attune/platform';
import type { AnswerEvent, OpenedEvent } from '../chat/chat.types.js';

/** The answer in one piece. */
export async function wholeAnswer(events: AsyncIterable<AnswerEvent>): Promise<ChatCompletion> {
  let opened: OpenedEvent | undefined;
  let fingerprint = '';
  let content = '';
  for await (const event of events) {
    if (event.type === 'opened') opened = event;
    else if (event.type === 'started') fingerprint = event.fingerprint;
    else if (event.type === 'text') content += event.text;
    else if (event.type === 'finished' && opened)
      return completion(opened, fingerprint, content, event.reason, event.usage);
  }
  throw new InternalError('The answer ended without saying how.');
}

function completion(
  opened: OpenedEvent,
  fingerprint: string,
  content: string,
  reason: FinishReason,
  usage: Usage,
): ChatCompletion {
  return {
    id: opened.id,
    object: 'chat.completion',
    created: opened.created,
    model: opened.model,
    system_fingerprint: fingerprint,
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: reason },
    ],
    usage,
    ...(opened.citations.length > 0 && { citations: opened.citations }),
    conversation_id: opened.conversationId,
  };
}

/**
 * The answer as chunks: the role, the text, an empty delta with the finish reason, and the usage if asked for.
 * `finish_reason` is null in every chunk before the last choice, and citations stand in that last one.
 */
export async function* answerChunks(
  events: AsyncIterable<AnswerEvent>,
  includeUsage: boolean,
): AsyncGenerator<ChatCompletionChunk> {
  let opened: OpenedEvent | undefined;
  let fingerprint = '';
  const chunk = (delta: Delta, reason: FinishReason | null = null): ChatCompletionChunk => ({
    ...head(opened!, fingerprint),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    ...(includeUsage && { usage: null }),
  });
  for await (const event of events) {
    if (event.type === 'opened') opened = event;
    else if (event.type === 'started') {
      fingerprint = event.fingerprint;
      yield { ...chunk({ role: 'assistant', content: '', refusal: null }), conversation_id: opened!.conversationId };
    } else if (event.type === 'text') yield chunk({ content: event.text });
    else if (event.type === 'finished') {
      yield { ...chunk({}, event.reason), ...(opened!.citations.length > 0 && { citations: opened!.citations }) };
      if (includeUsage) yield { ...head(opened!, fingerprint), choices: [], usage: event.usage };
    }
  }
}

type Delta = ChatCompletionChunk['choices'][number]['delta'];

const head = (opened: OpenedEvent, fingerprint: string) => ({
  id: opened.id,
  object: 'chat.completion.chunk' as const,
  created: opened.created,
  model: opened.model,
  system_fingerprint: fingerprint,
});
