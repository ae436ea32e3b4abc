import { createId, UnavailableError, type AppError } from '@attune/platform';
import type { RequestsLeft } from '../auth/rate-limiter.js';
import type { AnswerEvent, OpenedEvent } from '../chat/chat.types.js';
import { toAppError } from '../openai/error-body.js';
import { inOwnWords } from '../responses/own-words.js';
import {
  RealtimeResponse,
  type OutputSink,
  type RealtimeResponseFacts,
  type ResponseEnd,
} from './realtime-response.js';

/** One answer on its way out. */
export interface RealtimeAnswer {
  /** What the chat road says. */
  events: AsyncIterable<AnswerEvent>;
  /** Aborted by its client. */
  signal: AbortSignal;
  facts: Omit<RealtimeResponseFacts, 'id' | 'conversationId'>;
  items: OutputSink;
  requestsLeft(): RequestsLeft;
  emit(events: object[]): Promise<void>;
  /** Called before its last event: from there on the next response may start. */
  settle(id: string): void;
  /** Told of errors that are nobody's fault but ours. */
  onError(error: AppError): void;
}

/**
 * Sends every event of one response, however it ends.
 * @throws AppError before there was a response that could be closed; the error alone tells then
 */
export async function sendAnswer(answer: RealtimeAnswer): Promise<void> {
  let response: RealtimeResponse | undefined;
  let end: ResponseEnd = { status: 'cancelled' };
  try {
    for await (const event of answer.events) {
      if (event.type === 'opened') response = await open(answer, event);
      else await answer.emit(response!.take(event));
      if (event.type === 'finished') {
        end = { status: event.reason === 'length' ? 'incomplete' : 'completed', usage: event.usage };
      }
    }
  } catch (thrown) {
    const error = toAppError(inOwnWords(thrown));
    if (!response) throw error;
    if (!answer.signal.aborted) end = { status: 'failed', error: error.kind === 'cancelled' ? stopped(error) : error };
    if (error.kind === 'internal') answer.onError(error);
  }
  if (!response) return;
  const last = response.end(end);
  answer.settle(response.id);
  await answer.emit(last);
}

async function open(answer: RealtimeAnswer, { id, conversationId }: OpenedEvent): Promise<RealtimeResponse> {
  const response = new RealtimeResponse({ ...answer.facts, id, conversationId }, () => createId('item'), answer.items);
  const limits = { type: 'rate_limits.updated', rate_limits: [rateLimit(answer.requestsLeft())] };
  await answer.emit([...response.begin(), limits]);
  return response;
}

/** An answer that was given up, but not by its client, was given up by a server that stops. */
const stopped = (cause: AppError) =>
  new UnavailableError('The server stopped before the answer was complete; ask again.', { cause });

const rateLimit = ({ limit, remaining, resetSeconds }: RequestsLeft) => ({
  name: 'requests',
  limit,
  remaining,
  reset_seconds: resetSeconds,
});
