import type { TokenLogprob } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../chat/chat.types.js';
import { answerChunks, wholeAnswer, type AnswerSettings } from './chat-answer.js';
import type { ChoiceEvent } from './choices.js';

const usage = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const citation = { index: 1, document_id: 'd', passage_id: 'p', filename: 'f', quote: 'q', score: 1 };
const logprob: TokenLogprob = { token: 'Hel', logprob: -1, bytes: [72, 101, 108], top_logprobs: [] };
const opened: AnswerEvent = {
  type: 'opened',
  id: 'chatcmpl-1',
  created: 5,
  model: 'm',
  conversationId: 'conv_1',
  citations: [citation],
};
const said: AnswerEvent[] = [
  opened,
  { type: 'started', fingerprint: 'fp_1' },
  { type: 'text', text: 'Hel', logprobs: [logprob] },
  { type: 'text', text: 'lo' },
  { type: 'finished', reason: 'length', usage },
];
const called: AnswerEvent[] = [
  { ...opened, citations: [] },
  { type: 'started', fingerprint: 'fp_1' },
  { type: 'tool_call', index: 0, id: 'call_1', name: 'f' },
  { type: 'tool_arguments', index: 0, text: '{"a":' },
  { type: 'tool_arguments', index: 0, text: '1}' },
  { type: 'finished', reason: 'tool_calls', usage },
];
async function* stream(...choices: AnswerEvent[][]): AsyncGenerator<ChoiceEvent> {
  for (const [choice, events] of choices.entries()) for (const event of events) yield { choice, event };
}
async function chunks(settings: AnswerSettings, ...choices: AnswerEvent[][]) {
  const all = [];
  for await (const chunk of answerChunks(stream(...choices), settings)) all.push(chunk);
  return all;
}

describe('an answer in OpenAI’s shapes', () => {
  it('comes whole', async () => {
    expect(await wholeAnswer(stream(said))).toEqual({
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
          completion_id: 'chatcmpl-1',
        },
      ],
      usage,
      citations: [citation],
      conversation_id: 'conv_1',
    });
  });

  it('streams an empty delta with the reason last, and usage after it when asked for', async () => {
    const plain = await chunks({}, said);
    expect(plain.map((chunk) => chunk.choices[0].delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hel' },
      { content: 'lo' },
      {},
    ]);
    expect(plain.map((chunk) => chunk.choices[0].finish_reason)).toEqual([null, null, null, 'length']);
    expect(plain.every((chunk) => !('usage' in chunk))).toBe(true);
    expect(plain.at(-1)!.citations).toEqual([citation]);
    const withUsage = await chunks({ includeUsage: true }, said);
    expect(withUsage.map((chunk) => chunk.usage)).toEqual([null, null, null, null, usage]);
    expect(withUsage.at(-1)!.choices).toEqual([]);
  });

  it('tells likelihoods only to who asked, with the text they are of', async () => {
    const told = await chunks({ logprobs: true }, said);
    expect(told[1].choices[0].logprobs).toEqual({ content: [logprob], refusal: null });
    const whole = await wholeAnswer(stream(said), { logprobs: true });
    expect(whole.choices[0].logprobs!.content).toEqual([logprob]);
  });

  it('holds calls: the name first, then the arguments, content null', async () => {
    const deltas = (await chunks({}, called)).map((chunk) => chunk.choices[0].delta);
    expect(deltas.slice(1)).toEqual([
      { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '1}' } }] },
      {},
    ]);
    const [choice] = (await wholeAnswer(stream(called))).choices;
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
    });
  });

  it('speaks the older form to clients that sent `functions`', async () => {
    const [choice] = (await wholeAnswer(stream(called), { legacyFunctions: true })).choices;
    expect(choice.message).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      function_call: { name: 'f', arguments: '{"a":1}' },
    });
    expect(choice.finish_reason).toBe('function_call');
    const deltas = (await chunks({ legacyFunctions: true }, called)).map((chunk) => chunk.choices[0].delta);
    expect(deltas[1]).toEqual({ function_call: { name: 'f', arguments: '' } });
  });

  it('counts the prompt once for all choices, each with the row feedback names', async () => {
    const second = said.map((event) => (event.type === 'opened' ? { ...event, id: 'chatcmpl-2' } : event));
    const whole = await wholeAnswer(stream(said, second));
    expect(whole.id).toBe('chatcmpl-1');
    expect(whole.choices.map((choice) => [choice.index, choice.completion_id])).toEqual([
      [0, 'chatcmpl-1'],
      [1, 'chatcmpl-2'],
    ]);
    expect(whole.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 });
    const ids = new Set((await chunks({}, said, second)).map((chunk) => chunk.id));
    expect(ids).toEqual(new Set(['chatcmpl-1']));
  });
});
