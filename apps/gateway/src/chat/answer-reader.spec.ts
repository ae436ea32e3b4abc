import type { TokenLogprob } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from './answer-reader.js';

const text = (said: string, logprobs?: TokenLogprob[]) =>
  ({ type: 'text', text: said, ...(logprobs && { logprobs }) }) as const;
const finished = { type: 'finished', reason: 'stop', queuedMs: 0, prefillMs: 0 } as const;
const logprob = (token: string): TokenLogprob => ({ token, logprob: -1, bytes: [], top_logprobs: [] });

function setUp(format?: 'hermes') {
  let calls = 0;
  return new AnswerReader(format, () => `call_${calls++}`);
}

describe('what the model writes', () => {
  it('is all words where it was shown no tools', () => {
    const reader = setUp();
    expect(reader.read(text('<tool_call>{'))).toEqual([text('<tool_call>{')]);
    expect(reader.read(finished)).toEqual([]);
    expect(reader.reason('stop')).toBe('stop');
  });

  it('is words and calls, numbered, where it was', () => {
    const reader = setUp('hermes');
    const call = (name: string) => `<tool_call>{"name": "${name}", "arguments": {}}</tool_call>`;
    expect(reader.read(text(`Well.${call('a')}${call('b')}`))).toEqual([
      text('Well.'),
      { type: 'tool_call', index: 0, id: 'call_0', name: 'a' },
      { type: 'tool_arguments', index: 0, text: '{}' },
      { type: 'tool_call', index: 1, id: 'call_1', name: 'b' },
      { type: 'tool_arguments', index: 1, text: '{}' },
    ]);
    expect([reader.reason('stop'), reader.reason('length')]).toEqual(['tool_calls', 'length']);
  });

  it('is no call yet when it was cut in the middle of one', () => {
    const reader = setUp('hermes');
    reader.read(text('<tool_call>{"name": "a", "arguments": {"x'));
    expect([reader.reason('stop'), reader.reason('length')]).toEqual(['stop', 'length']);
  });

  it('keeps likelihoods with the words they are of, and none with calls', () => {
    const reader = setUp('hermes');
    expect(reader.read(text('Hi', [logprob('Hi')]))).toEqual([text('Hi', [logprob('Hi')])]);
    expect(reader.read(text('<tool', [logprob('<tool')]))).toEqual([]);
    const rest = reader.read(text('_call>{"name": "a", "arguments": {}}</tool_call>', [logprob('_call>…')]));
    expect(rest.map((event) => event.type)).toEqual(['tool_call', 'tool_arguments']);
    expect(reader.read(text('bye', [logprob('bye')]))).toEqual([text('bye', [logprob('bye')])]);
  });
});
