import type { RealtimeItem } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { itemMessages } from '../responses/item-messages.js';
import { RealtimeConversation } from './realtime-conversation.js';
import type { StoredItem } from './realtime-items.js';

type Message = Extract<RealtimeItem, { type: 'message' }>;
const item = (text: string, fields: Partial<Message> = {}): RealtimeItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
  ...fields,
});

describe('the items of a Realtime session', () => {
  const setUp = () => {
    let count = 0;
    return new RealtimeConversation(() => `item_${++count}`);
  };
  const texts = (items: RealtimeConversation) => itemMessages(items.said()).map(({ content }) => content);

  it('stand where they were put', () => {
    const items = setUp();
    items.add(item('b'));
    items.add(item('c'));
    expect(items.add(item('a'), 'root')).toMatchObject({ previousId: null, item: { status: 'completed' } });
    expect(items.add(item('b2', { id: 'mine' }), 'item_1').previousId).toBe('item_1');
    expect(texts(items)).toEqual(['a', 'b', 'b2', 'c']);
  });

  it('have ids of their own, and are missed by name', () => {
    const items = setUp();
    items.add(item('a', { id: 'x' }));
    expect(() => items.add(item('b', { id: 'x' }))).toThrow('`x` already');
    expect(() => items.add(item('b'), 'y')).toThrow('no item `y`');
    expect(() => items.remove('y')).toThrow('no item `y`');
  });

  it('end somewhere', () => {
    const items = setUp();
    for (let count = 0; count < 1_000; count++) items.add(item('a'));
    expect(() => items.add(item('b'))).toThrow('at most 1000 items');
    items.remove('item_1');
    items.add(item('b'));
    const long = setUp();
    long.add(item('x'.repeat(3_000_000)));
    expect(() => long.add(item('x'.repeat(1_000_001)))).toThrow('4000000 characters');
  });

  it('leave out an answer still being written, and take its end', () => {
    const items = setUp();
    items.add(item('q'));
    const { item: answer } = items.add(item('', { role: 'assistant', status: 'in_progress' }));
    expect(texts(items)).toEqual(['q']);
    items.replace({ ...answer, status: 'completed', content: [{ type: 'output_text', text: 'done' }] } as StoredItem);
    expect(texts(items)).toEqual(['q', 'done']);
    items.remove(answer.id);
    items.replace(answer);
    expect(texts(items)).toEqual(['q']);
  });

  it('lose the whole text of an answer, and no part of it', () => {
    const items = setUp();
    items.add(item('q'));
    const { item: answer } = items.add(item('a', { role: 'assistant' }));
    expect(() => items.truncate('item_1', 0, 0)).toThrow('no message of the assistant');
    expect(() => items.truncate(answer.id, 1, 0)).toThrow('no content 1');
    expect(() => items.truncate(answer.id, 0, 500)).toThrow('no milliseconds');
    items.truncate(answer.id, 0, 0);
    expect(texts(items)).toEqual(['q', '']);
  });
});
