import { describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../chat/chat.types.js';
import { answerChunks, wholeAnswer } from './chat-answer.js';

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } };
const citation = { index: 1, document_id: 'd', passage_id: 'p', filename: 'f', quote: 'q', score: 1 };
const events: AnswerEvent[] = [
  { type: 'opened', id: 'chatcmpl-1', created: 5, model: 'm', conversationId: 'conv_1', citations: [citation] },
  { type: 'started', fingerprint: 'fp_1' },
  { type: 'text', text: 'Hel' },
  { type: 'text', text: 'lo' },
  { type: 'finished', reason: 'length', usage },
];
async function* stream() {
  yield* events;
}
async function chunks(includeUsage: boolean) {
  const all = [];
  for await (const chunk of answerChunks(stream(), includeUsage)) all.push(chunk);
  return all;
}

describe('an answer in OpenAI’s shapes', () => {
  it('comes whole', async () => {
    expect(await wholeAnswer(stream())).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 5,
      model: 'm',
      system_fingerprint: 'fp_1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'length',
        },
      ],
      usage,
      citations: [citation],
      conversation_id: 'conv_1',
    });
  });

  it('streams an empty delta with the reason last, and usage after it when asked for', async () => {
    const plain = await chunks(false);
    expect(plain.map((chunk) => chunk.choices[0].delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hel' },
      { content: 'lo' },
      {},
    ]);
    expect(plain.map((chunk) => chunk.choices[0].finish_reason)).toEqual([null, null, null, 'length']);
    expect(plain.every((chunk) => !('usage' in chunk))).toBe(true);
    expect(plain.at(-1)!.citations).toEqual([citation]);
    const withUsage = await chunks(true);
    expect(withUsage.map((chunk) => chunk.usage)).toEqual([null, null, null, null, usage]);
    expect(withUsage.at(-1)!.choices).toEqual([]);
  });
});
