import { ResponseStream } from 'openai/lib/responses/ResponseStream';
import type { ResponseStreamEvent, TokenLogprob, Usage } from '@attune/contracts';
import { InvalidRequestError, RateLimitedError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { toldOutput } from './lost-output.js';
import { isLast, ResponseEvents } from './response-events.js';
import type { ResponseFacts } from './response-view.js';

const usage: Usage = {
  prompt_tokens: 7,
  completion_tokens: 3,
  total_tokens: 10,
  prompt_tokens_details: { cached_tokens: 2 },
};
const opened = { conversationId: 'conv_1', citations: [] };

function setUp(request: ResponseFacts['request'] = {}) {
  let count = 0;
  const facts: ResponseFacts = { id: 'resp_1', createdAt: 5, model: 'tiny', request, conversation: null };
  return new ResponseEvents(facts, (prefix) => `${prefix}_${++count}`);
}

/** What OpenAI's own stream helper makes of the events. */
async function helped(events: ResponseStreamEvent[]) {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  return ResponseStream.fromReadableStream(new Response(lines).body!).finalResponse();
}

const types = (events: ResponseStreamEvent[]) => events.map(({ type }) => type.replace('response.', ''));

describe('the events of a response', () => {
  it('tell of text, then of calls, each begun, told and done, and the official helper agrees', async () => {
    const events = setUp();
    const all = [
      ...events.begin(opened, []),
      ...events.take({ type: 'started', fingerprint: 'fp' }, 6),
      ...events.take({ type: 'text', text: 'Let me ' }, 6),
      ...events.take({ type: 'text', text: 'look.' }, 6),
      ...events.take({ type: 'tool_call', index: 0, id: 'call_a', name: 'find' }, 6),
      ...events.take({ type: 'tool_arguments', index: 0, text: '{"x":' }, 6),
      ...events.take({ type: 'tool_arguments', index: 0, text: '1}' }, 6),
      ...events.take({ type: 'tool_call', index: 1, id: 'call_b', name: 'sum' }, 6),
      ...events.take({ type: 'tool_arguments', index: 1, text: '{}' }, 6),
      ...events.take({ type: 'finished', reason: 'tool_calls', usage }, 8),
    ];
    expect(types(all)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
    expect(all.map((event) => event.sequence_number)).toEqual(all.map((_, index) => index));
    expect(all.filter(isLast)).toEqual([all.at(-1)]);
    const final = await helped(all);
    expect(final.output_text).toBe('Let me look.');
    expect(final.output).toMatchObject([
      { type: 'message', status: 'completed' },
      { type: 'function_call', call_id: 'call_a', name: 'find', arguments: '{"x":1}', status: 'completed' },
      { type: 'function_call', call_id: 'call_b', name: 'sum', arguments: '{}' },
    ]);
    expect(final).toMatchObject({ status: 'completed', system_fingerprint: 'fp', completed_at: 8 });
    expect(final.usage).toMatchObject({ input_tokens: 7, output_tokens: 3, total_tokens: 10 });
  });

  it('have one empty message when nothing was said', async () => {
    const events = setUp();
    const all = [...events.begin(opened, []), ...events.take({ type: 'finished', reason: 'stop', usage }, 6)];
    expect((await helped(all)).output).toMatchObject([{ type: 'message', content: [{ text: '' }] }]);
  });

  it('say of a cut call that it is incomplete', async () => {
    const events = setUp();
    const all = [
      ...events.begin(opened, []),
      ...events.take({ type: 'tool_call', index: 0, id: 'call_a', name: 'find' }, 6),
      ...events.take({ type: 'tool_arguments', index: 0, text: '{"x' }, 6),
      ...events.take({ type: 'finished', reason: 'length', usage }, 6),
    ];
    const final = await helped(all);
    expect(final).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect(final.output).toMatchObject([{ type: 'function_call', status: 'incomplete', arguments: '{"x' }]);
  });

  it('carry log-probs where they were asked for', () => {
    const events = setUp();
    const logprobs: TokenLogprob[] = [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }];
    const all = [
      ...events.begin(opened, []),
      ...events.take({ type: 'text', text: 'a', logprobs }, 6),
      ...events.take({ type: 'finished', reason: 'stop', usage }, 6),
    ];
    expect(all.find(({ type }) => type === 'response.output_text.delta')).toMatchObject({ logprobs });
    expect(all.at(-1)!.response!.output).toMatchObject([{ content: [{ text: 'a', logprobs }] }]);
  });

  it('tell of a search before the answer', async () => {
    const events = setUp();
    const search = { id: 'fs_1', type: 'file_search_call' as const, queries: ['q'], status: 'completed' as const };
    const all = [
      ...events.begin(opened, [{ ...search, results: null }]),
      ...events.take({ type: 'text', text: 'Yes.' }, 6),
      ...events.take({ type: 'finished', reason: 'stop', usage }, 6),
    ];
    expect(types(all).slice(2, 7)).toEqual([
      'output_item.added',
      'file_search_call.in_progress',
      'file_search_call.searching',
      'file_search_call.completed',
      'output_item.done',
    ]);
    expect((await helped(all)).output).toMatchObject([search, { type: 'message' }]);
  });

  it('keep what was said when it breaks off, and say why', () => {
    const events = setUp();
    events.begin(opened, []);
    events.take({ type: 'text', text: 'Half' }, 6);
    const last = events.fail(new RateLimitedError('Too much.'), 6).at(-1)!;
    expect(last).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Too much.' } },
    });
    expect(last.response!.output).toMatchObject([{ status: 'incomplete', content: [{ text: 'Half' }] }]);
    expect(setUp().fail(new InvalidRequestError('No.'), 6)[0]!.response!.error!.code).toBe('invalid_prompt');
  });

  it('wait in the background, and can be cancelled there', () => {
    const events = setUp({ background: true });
    const all = [...events.queued(), ...events.begin(opened, []), ...events.cancel(6)];
    expect(types(all)).toEqual(['created', 'queued', 'in_progress', 'incomplete']);
    expect(all.map((event) => event.response?.status)).toEqual(['queued', 'queued', 'in_progress', 'cancelled']);
    expect(all.at(-1)!.response).toMatchObject({ incomplete_details: null, output: [] });
  });

  it('are enough to tell the output of an answer nobody ended', () => {
    const events = setUp();
    const told = [
      ...events.begin(opened, []),
      ...events.take({ type: 'text', text: 'One ' }, 6),
      ...events.take({ type: 'text', text: 'two' }, 6),
    ];
    expect(toldOutput(told)).toMatchObject([{ type: 'message', status: 'incomplete', content: [{ text: 'One two' }] }]);
    told.push(...events.take({ type: 'tool_call', index: 0, id: 'call_a', name: 'find' }, 6));
    told.push(...events.take({ type: 'tool_arguments', index: 0, text: '{"x' }, 6));
    expect(toldOutput(told)).toMatchObject([
      { type: 'message', status: 'completed', content: [{ text: 'One two' }] },
      { type: 'function_call', status: 'incomplete', arguments: '{"x' },
    ]);
  });
});
