import { createId } from '@attune/platform';
import { setMaxListeners } from 'node:events';
import type { AnswerEvent, ChatRequest } from '../chat/chat.types.js';

/** What happened to one of the answers to a request. */
export interface ChoiceEvent {
  choice: number;
  event: AnswerEvent;
}

export type Answer = (request: ChatRequest, signal: AbortSignal) => AsyncGenerator<AnswerEvent>;

/**
 * One request as `count` of them, each a completion of its own that feedback can name. All are filed under one
 * conversation, as tries of the first, and draw with seeds that follow each other.
 */
export function choicesOf(request: ChatRequest, count: number, filedUnder?: string): ChatRequest[] {
  if (count === 1) return [request];
  const id = request.id ?? createId('chatcmpl');
  const { seed } = request.sampling;
  const conversationId =
    request.conversationId ?? filedUnder ?? (request.regenerateOf === undefined ? createId('conv') : undefined);
  return Array.from({ length: count }, (_, index) => ({
    ...request,
    id: index === 0 ? id : createId('chatcmpl'),
    conversationId,
    regenerateOf: request.regenerateOf ?? (index === 0 ? undefined : id),
    group: { id, index },
    sampling: { ...request.sampling, seed: seed === null || seed === undefined ? seed : seed + index },
  }));
}

/**
 * The events of all answers as they come. The others begin when the first one's row is there for theirs to refer to. If
 * one fails, or the reader leaves, all end.
 */
export function answerChoices(
  requests: readonly ChatRequest[],
  answer: Answer,
  signal: AbortSignal,
): AsyncGenerator<ChoiceEvent> {
  return requests.length === 1 ? onlyChoice(answer(requests[0], signal)) : severalChoices(requests, answer, signal);
}

async function* onlyChoice(answer: AsyncGenerator<AnswerEvent>): AsyncGenerator<ChoiceEvent> {
  for await (const event of answer) yield { choice: 0, event };
}

async function* severalChoices(
  requests: readonly ChatRequest[],
  answer: Answer,
  signal: AbortSignal,
): AsyncGenerator<ChoiceEvent> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  setMaxListeners(requests.length, either);
  const answers: AsyncGenerator<AnswerEvent>[] = [];
  const next = new Map<number, Promise<{ choice: number; result: IteratorResult<AnswerEvent> }>>();
  const ask = (choice: number) => {
    const asked = answers[choice].next().then((result) => ({ choice, result }));
    asked.catch(() => undefined);
    next.set(choice, asked);
  };
  const begin = (choice: number) => {
    answers[choice] = answer(requests[choice], either);
    ask(choice);
  };
  try {
    begin(0);
    while (next.size > 0) {
      const { choice, result } = await Promise.race(next.values());
      next.delete(choice);
      if (result.done) continue;
      yield { choice, event: result.value };
      ask(choice);
      if (choice === 0 && result.value.type === 'opened') requests.forEach((_, other) => other > 0 && begin(other));
    }
  } finally {
    ended.abort();
    await Promise.allSettled(answers.map((one) => one.return(undefined)));
  }
}
