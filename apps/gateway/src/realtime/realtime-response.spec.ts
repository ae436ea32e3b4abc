import type { Usage } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { RealtimeConversation } from './realtime-conversation.js';
import { RealtimeResponse } from './realtime-response.js';

const usage: Usage = {
  prompt_tokens: 7,
  completion_tokens: 3,
  total_tokens: 10,
  prompt_tokens_details: { cached_tokens: 2 },
};

function setUp(inConversation: boolean) {
  let count = 0;
  const newId = (prefix = 'item') => `${prefix}_${++count}`;
  const conversation = new RealtimeConversation(newId);
  const facts = { id: 'resp_1', conversationId: 'conv_1', maxOutputTokens: 'inf' as const, metadata: null };
  const response = new RealtimeResponse({ ...facts, inConversation }, () => newId(), conversation);
  return { conversation, response };
}

describe('a Realtime response', () => {
  it('calls functions, and its calls become part of the conversation', () => {
    const { conversation, response } = setUp(true);
    const events = [
      ...response.begin(),
      ...response.take({ type: 'text', text: 'Hm.' }),
      ...response.take({ type: 'tool_call', index: 0, id: 'call_a', name: 'find' }),
      ...response.take({ type: 'tool_arguments', index: 0, text: '{}' }),
      ...response.end({ status: 'completed', usage }),
    ] as ({ type: string } & Record<string, unknown>)[];
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.output_item.added',
      'conversation.item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.done',
    ]);
    const done = events.find(({ type }) => type === 'response.function_call_arguments.done');
    expect(done).toMatchObject({ call_id: 'call_a', name: 'find', arguments: '{}', response_id: 'resp_1' });
    expect(events[10]).toMatchObject({ previous_item_id: 'item_1', item: { object: 'realtime.item', id: 'item_2' } });
    expect(conversation.said()).toMatchObject([
      { type: 'message', role: 'assistant', status: 'completed' },
      { type: 'function_call', call_id: 'call_a', status: 'completed' },
    ]);
  });

  it('leaves the conversation alone when it is asked to', () => {
    const { conversation, response } = setUp(false);
    const events = [...response.take({ type: 'text', text: 'Hm.' }), ...response.end({ status: 'completed', usage })];
    expect(events.some((event) => (event as { type: string }).type.startsWith('conversation.'))).toBe(false);
    expect(conversation.said()).toEqual([]);
  });

  it('keeps half an answer that was cancelled', () => {
    const { conversation, response } = setUp(true);
    response.take({ type: 'text', text: 'Half' });
    expect(response.end({ status: 'cancelled' }).at(-1)).toMatchObject({
      response: { status: 'cancelled', output: [{ status: 'incomplete', content: [{ text: 'Half' }] }] },
    });
    expect(conversation.said()).toMatchObject([{ status: 'incomplete' }]);
  });
});
