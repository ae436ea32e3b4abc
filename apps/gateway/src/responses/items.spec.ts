import type { ChatMessage } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { fittingMessages, itemMessages } from './item-messages.js';
import { pageOfItems } from './item-page.js';
import { inputItems, resolveReferences } from './items.js';

const stored = (input: Parameters<typeof inputItems>[0]) => resolveReferences(inputItems(input), []);

describe('items', () => {
  it('have ids and parts, whatever form they were sent in', () => {
    const [question, answer] = stored([
      { type: 'message', role: 'user', content: 'Hello' },
      { type: 'message', role: 'assistant', content: 'Hi' },
    ]);
    expect(stored('Hello')).toMatchObject([{ role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }]);
    expect(question).toMatchObject({ id: expect.stringMatching(/^msg_/), content: [{ type: 'input_text' }] });
    expect(answer).toMatchObject({ content: [{ type: 'output_text', text: 'Hi', annotations: [] }] });
  });

  it('are taken back as the official clients have parsed them', () => {
    const items = stored([
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: '{}', annotations: [], parsed: {} }],
      },
      { type: 'function_call', call_id: 'a', name: 'find', arguments: '{}', parsed_arguments: {} },
    ]);
    expect(JSON.stringify(items)).not.toContain('parsed');
  });

  it('stand where they are referred to', () => {
    const known = stored('Hello');
    const [item] = resolveReferences([{ type: 'item_reference', id: known[0]!.id }], known);
    expect(item).toBe(known[0]);
    expect(() => stored([{ type: 'item_reference', id: 'msg_x' }])).toThrow('`msg_x`');
  });

  it('become messages with calls where they were made and results under their names', () => {
    const items = stored([
      { type: 'message', role: 'developer', content: 'Be brief.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'Wea' },
          { type: 'input_text', text: 'ther?' },
        ],
      },
      { type: 'message', role: 'assistant', content: 'Let me see.' },
      { type: 'function_call', call_id: 'a', name: 'find', arguments: '{}' },
      { type: 'function_call', call_id: 'b', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'b', output: 'rain' },
      { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'sun' }] },
    ]);
    const call = (id: string, name: string) => ({ id, type: 'function', function: { name, arguments: '{}' } });
    expect(itemMessages(items)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: 'Let me see.', tool_calls: [call('a', 'find'), call('b', 'look')] },
      { role: 'tool', content: 'rain', tool_call_id: 'b', name: 'look' },
      { role: 'tool', content: 'sun', tool_call_id: 'a', name: 'find' },
    ]);
    expect(() => itemMessages(items.slice(-1))).toThrow('`a`');
  });

  it('are paged from either end', () => {
    const items = stored(Array.from({ length: 5 }, (_, n) => ({ type: 'message', role: 'user', content: `${n}` })));
    const ids = items.map(({ id }) => id);
    const page = (fields: object) => pageOfItems(items, { limit: 2, order: 'asc', ...fields } as never);
    expect(page({}).data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(page({})).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[1] });
    expect(page({ after: ids[3] })).toMatchObject({ has_more: false, data: [{ id: ids[4] }] });
    expect(page({ order: 'desc', after: ids[4] }).data.map(({ id }) => id)).toEqual([ids[3], ids[2]]);
    expect(page({ before: ids[1] }).data.map(({ id }) => id)).toEqual([ids[0]]);
    expect(() => page({ after: 'x' })).toThrow('`x`');
  });
});

describe('a conversation that has grown too long', () => {
  const turn = (n: number): ChatMessage[] => [
    { role: 'user', content: `question ${n}` },
    { role: 'assistant', content: `answer ${n}` },
  ];
  const messages: ChatMessage[] = [
    { role: 'system', content: 'Be kind.' },
    ...turn(0),
    ...turn(1),
    ...turn(2),
    { role: 'user', content: 'now' },
  ];

  it('loses its oldest turns and no more than must go', () => {
    for (let most = 2; most <= messages.length; most++) {
      const rest = fittingMessages(messages, (some) => some.length <= most)!;
      const more = rest.length + 2;
      expect(rest.length).toBeLessThanOrEqual(most);
      expect(more > most || more > messages.length).toBe(true);
      expect(rest[0]).toEqual(messages[0]);
      expect(rest.at(-1)).toEqual(messages.at(-1));
      expect(rest[1]!.role).toBe('user');
    }
    expect(fittingMessages(messages, (some) => some.length < 2)).toBeUndefined();
  });

  it('never keeps the result of a call without the call', () => {
    const call = { id: 'a', type: 'function' as const, function: { name: 'f', arguments: '{}' } };
    const tooled: ChatMessage[] = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', content: 'r', tool_call_id: 'a' },
      { role: 'user', content: 'now' },
    ];
    expect(fittingMessages(tooled, (some) => some.length <= 3)).toEqual(tooled.slice(3));
  });
});
