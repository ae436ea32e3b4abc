import { describe, expect, it } from 'vitest';
import { chatMessage, toChatMessages, type WireChatMessage } from './chat-message.js';

const read = (...messages: unknown[]) =>
  toChatMessages(messages.map((message) => chatMessage.parse(message)) as WireChatMessage[], (index) => {
    throw new Error(`orphan ${index}`);
  });
const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };

describe('messages as clients send them', () => {
  it('become plain text, developers speak as the system', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(read({ role: 'developer', content: parts }, { role: 'user', content: 'c', name: 'Ada' })).toEqual([
      { role: 'system', content: 'ab' },
      { role: 'user', content: 'c', name: 'Ada' },
    ]);
  });

  it('tie results to their calls, and tell of one that has none', () => {
    const asked = { role: 'assistant', content: null, tool_calls: [call] };
    expect(read(asked, { role: 'tool', tool_call_id: 'call_1', content: 'x' })[1]).toEqual({
      role: 'tool',
      content: 'x',
      tool_call_id: 'call_1',
      name: 'f',
    });
    expect(() => read(asked, { role: 'tool', tool_call_id: 'call_2', content: 'x' })).toThrow('orphan 1');
    expect(() =>
      read(asked, { role: 'user', content: 'no' }, { role: 'tool', tool_call_id: 'call_1', content: '' }),
    ).toThrow('orphan 2');
  });

  it('of the older form are calls and results too', () => {
    const [asked, told] = read(
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: 'x' },
    );
    expect(asked.tool_calls).toEqual([{ ...call, id: 'call_f' }]);
    expect(told).toMatchObject({ role: 'tool', tool_call_id: 'call_f', name: 'f' });
  });

  it('say something', () => {
    expect(chatMessage.safeParse({ role: 'assistant' }).success).toBe(false);
    expect(chatMessage.safeParse({ role: 'assistant', refusal: 'No.' }).success).toBe(true);
    expect(chatMessage.safeParse({ role: 'user', content: [] }).success).toBe(false);
    expect(chatMessage.safeParse({ role: 'user', content: 'x', mood: 'good' }).success).toBe(false);
  });
});
