import type { ChatCompletionChunk, Conversation, ConversationTurn, Feedback } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { applyChunk, historyBefore, newTry, threadFromConversation } from './thread.js';

const row = (id: string, prompt: string, change: Partial<ConversationTurn> = {}): ConversationTurn => ({
  completion_id: id,
  regenerate_of: null,
  prompt,
  answer: `answer ${id}`,
  status: 'done',
  stop_reason: 'stop',
  model: 'm',
  system_fingerprint: 'w1',
  citations: [],
  feedback: [],
  created: 1,
  ...change,
});
const conversation = (turns: ConversationTurn[]): Conversation => ({
  id: 'c',
  title: 't',
  created: 1,
  updated: 1,
  turns,
});
const choice = { type: 'choice' } as Feedback;

const chunk = (delta: { content?: string }, change: Partial<ChatCompletionChunk> = {}): ChatCompletionChunk => ({
  id: 'a',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  system_fingerprint: 'w1',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
  ...change,
});

describe('threadFromConversation', () => {
  it('puts tries of one turn together, also tries of tries, where the first one stands', () => {
    const thread = threadFromConversation(
      conversation([
        row('a', 'one'),
        row('b', 'two'),
        row('a2', 'one', { regenerate_of: 'a' }),
        row('a3', 'one', { regenerate_of: 'a2' }),
      ]),
    );
    expect(thread.map((turn) => turn.tries.map((one) => one.completionId))).toEqual([['a', 'a2', 'a3'], ['b']]);
    expect(thread[0]!.shown).toBe(2);
  });

  it('shows the chosen try rather than the newest', () => {
    const rows = [row('a', 'one', { feedback: [choice] }), row('a2', 'one', { regenerate_of: 'a' })];
    expect(threadFromConversation(conversation(rows))[0]!.shown).toBe(0);
  });

  it('says why an answer that its gateway lost is incomplete', () => {
    const [turn] = threadFromConversation(conversation([row('a', 'one', { status: 'lost' })]));
    expect(turn!.tries[0]).toMatchObject({ status: 'failed', error: expect.stringContaining('gateway stopped') });
  });
});

describe('applyChunk', () => {
  it('gathers text, reason, usage and citations, and stays done after the usage frame', () => {
    const usage = {
      prompt_tokens: 1,
      completion_tokens: 2,
      total_tokens: 3,
      prompt_tokens_details: { cached_tokens: 0 },
    };
    const frames = [
      chunk({}),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, { choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] }),
      chunk({}, { choices: [], usage }),
    ];
    const states = frames.reduce((seen, frame) => [...seen, applyChunk(seen.at(-1)!, frame)], [newTry('k')]);
    expect(states.map((state) => state.status)).toEqual([
      'waiting',
      'streaming',
      'streaming',
      'streaming',
      'done',
      'done',
    ]);
    expect(states.at(-1)).toMatchObject({ answer: 'Hello', completionId: 'a', fingerprint: 'w1', stopReason: 'stop' });
    expect(states.at(-1)!.usage).toEqual(usage);
  });
});

describe('historyBefore', () => {
  it('tells earlier turns with the answer shown and leaves out turns without an answer', () => {
    const thread = threadFromConversation(
      conversation([
        row('a', 'one', { feedback: [choice] }),
        row('a2', 'one', { regenerate_of: 'a' }),
        row('b', 'two', { answer: '', status: 'failed' }),
        row('c', 'three'),
      ]),
    );
    const before = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'answer a' },
    ];
    expect(historyBefore(thread, 'c')).toEqual(before);
    expect(historyBefore(thread, null)).toHaveLength(4);
  });
});
