import type {
  FunctionCallItem,
  FunctionCallOutputItem,
  MessageItem,
  RealtimeItem,
  ResponseItem,
} from '@attune/contracts';

type Kept<Item> = Item & { object: 'realtime.item' };
/** An item of a session, as its protocol shows it. */
export type StoredItem =
  Kept<Omit<MessageItem, 'content'> & { content: Text[] }> | Kept<FunctionCallItem> | Kept<FunctionCallOutputItem>;

interface Text {
  type: 'input_text' | 'output_text' | 'text';
  text: string;
}

/** @param newId for the item and for a call that came without one */
export function storedItem(item: RealtimeItem, newId: (prefix: 'item' | 'call') => string): StoredItem {
  const kept = { object: 'realtime.item', id: item.id ?? newId('item'), status: item.status ?? 'completed' } as const;
  if (item.type === 'function_call') return { ...item, ...kept, call_id: item.call_id ?? newId('call') };
  return { ...item, ...kept };
}

/** What the model has produced, as this protocol shows it. */
export function outputItem(item: ResponseItem): StoredItem {
  if (item.type !== 'message') return { ...item, object: 'realtime.item' } as StoredItem;
  const content = item.content.flatMap((part) =>
    part.type === 'refusal' ? [] : [{ type: 'output_text' as const, text: part.text }],
  );
  return { ...item, object: 'realtime.item', content };
}

/** The item as the other protocols know it. */
export function responseItem(item: StoredItem): ResponseItem {
  const { object: _, ...plain } = item;
  if (plain.type !== 'message') return plain;
  const content = plain.content.map(({ text }) => ({ type: 'input_text' as const, text }));
  return { ...plain, content };
}

/** Characters the item holds. */
export function lengthOf(item: StoredItem): number {
  if (item.type === 'message') return item.content.reduce((sum, part) => sum + part.text.length, 0);
  return item.type === 'function_call' ? item.name.length + item.arguments.length : item.output.length;
}
