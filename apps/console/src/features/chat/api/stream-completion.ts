import type { ChatCompletionChunk, ErrorBody } from '@attune/contracts';
import { ApiError, fetchApi } from '../../../lib/api-client.js';
import { readServerSentEvents } from '../../../lib/sse.js';

export interface CompletionQuestion {
  model: string;
  messages: { role: 'user' | 'assistant'; content: string }[];
  conversationId: string;
  /** The completion this is another try of. */
  regenerateOf: string | null;
  temperature: number;
  retrieval: boolean;
}

/**
 * POST /v1/chat/completions as a stream: yields each frame.
 * @throws ApiError when the gateway refuses, reports an error in the stream, or breaks off before the answer's end.
 */
export async function* streamCompletion(
  question: CompletionQuestion,
  signal: AbortSignal,
): AsyncGenerator<ChatCompletionChunk> {
  const response = await fetchApi('/v1/chat/completions', { method: 'POST', body: requestBody(question), signal });
  let finished = false;
  for await (const data of readServerSentEvents(response.body!)) {
    if (data === '[DONE]') return;
    const frame = JSON.parse(data) as ChatCompletionChunk | ErrorBody;
    if ('error' in frame) throw new ApiError(frame.error.message, 200, frame.error.code);
    finished ||= frame.choices.some((choice) => choice.finish_reason !== null);
    yield frame;
  }
  if (!finished) throw new ApiError('The connection broke before the answer was complete. Try again.', 0, 'cut_off');
}

function requestBody(question: CompletionQuestion): object {
  return {
    model: question.model,
    messages: question.messages,
    temperature: question.temperature,
    stream: true,
    stream_options: { include_usage: true },
    metadata: {
      conversation_id: question.conversationId,
      ...(question.regenerateOf === null ? {} : { regenerate_of: question.regenerateOf }),
      ...(question.retrieval ? {} : { retrieval: 'off' }),
    },
  };
}
