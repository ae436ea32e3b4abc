import { describe, expect, it, vi } from 'vitest';
import type { AnswerEvent, ChatRequest } from '../chat/chat.types.js';
import { answerChoices, choicesOf, type ChoiceEvent } from './choices.js';

const request: ChatRequest = {
  source: 'chat',
  model: 'm',
  messages: [],
  sampling: { seed: 5 },
  stop: [],
  retrieval: false,
};
const opened = (id: string): AnswerEvent => ({
  type: 'opened',
  id,
  created: 0,
  model: 'm',
  conversationId: 'c',
  citations: [],
});
const never = new AbortController().signal;

async function all(events: AsyncIterable<ChoiceEvent>) {
  const seen: ChoiceEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe('several answers to one request', () => {
  it('are rows of one conversation, tries of the first, with seeds of their own', () => {
    const choices = choicesOf(request, 3);
    const [first, ...others] = choices;
    expect(new Set(choices.map((one) => one.id)).size).toBe(3);
    expect(new Set(choices.map((one) => one.conversationId)).size).toBe(1);
    expect(choices.map((one) => one.sampling.seed)).toEqual([5, 6, 7]);
    expect(first.regenerateOf).toBeUndefined();
    expect(others.every((one) => one.regenerateOf === first.id && one.group!.id === first.id)).toBe(true);
    expect(choicesOf(request, 1)).toEqual([request]);
    expect(choicesOf(request, 2, 'conv_front')[1].conversationId).toBe('conv_front');
  });

  it('begin when the first has its row, and come as they come', async () => {
    const begun: string[] = [];
    async function* answer({ id }: ChatRequest): AsyncGenerator<AnswerEvent> {
      begun.push(id!);
      if (id === 'a') await new Promise((resolve) => setTimeout(resolve, 5));
      if (id === 'a') expect(begun).toEqual(['a']);
      yield opened(id!);
      yield { type: 'text', text: id! };
    }
    const seen = await all(
      answerChoices(
        [
          { ...request, id: 'a' },
          { ...request, id: 'b' },
        ],
        answer,
        never,
      ),
    );
    expect(seen[0]).toEqual({ choice: 0, event: opened('a') });
    expect(seen.filter(({ choice }) => choice === 1).map(({ event }) => event.type)).toEqual(['opened', 'text']);
    expect(seen).toHaveLength(4);
  });

  it('all end when one fails or the reader leaves', async () => {
    const left = vi.fn();
    async function* answer({ id }: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
      try {
        yield opened(id!);
        if (id === 'b') throw new Error('broke');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      } finally {
        left(id);
      }
    }
    const both = [
      { ...request, id: 'a' },
      { ...request, id: 'b' },
    ];
    await expect(all(answerChoices(both, answer, never))).rejects.toThrow('broke');
    expect(left.mock.calls.flat().toSorted()).toEqual(['a', 'b']);
    for await (const { event } of answerChoices([both[0]], answer, never)) if (event.type === 'opened') break;
    expect(left).toHaveBeenCalledTimes(3);
  });
});
