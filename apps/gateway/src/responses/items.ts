import type {
  FunctionCallItem,
  FunctionCallOutputItem,
  MessageItem,
  ResponseInputItem,
  ResponseItem,
  ResponseRequest,
} from '@attune/contracts';
import { createId, InvalidRequestError } from '@attune/platform';

type Reference = Extract<ResponseInputItem, { type: 'item_reference' }>;

/** The request's `input` as items with ids, references to earlier items still among them. */
export function inputItems(input: ResponseRequest['input']): (ResponseItem | Reference)[] {
  if (input === undefined) return [];
  if (typeof input === 'string') return [message({ type: 'message', role: 'user', content: input })];
  return input.map(storedItem);
}

/**
 * Puts the items themselves where references stand.
 * @throws InvalidRequestError naming the first reference to nothing
 */
export function resolveReferences(items: (ResponseItem | Reference)[], known: readonly ResponseItem[]): ResponseItem[] {
  const byId = new Map(known.map((item) => [item.id, item]));
  return items.map((item, index) => {
    if (item.type !== 'item_reference') return item;
    const found = byId.get(item.id);
    if (found) return found;
    throw new InvalidRequestError(`You have no item \`${item.id}\` that could be referred to; send the item itself.`, {
      param: `input.${index}.id`,
      code: 'item_not_found',
    });
  });
}

export const isReference = (item: ResponseItem | Reference): item is Reference => item.type === 'item_reference';

/** An item as it is kept; a reference stays one. */
export function storedItem(item: ResponseInputItem): ResponseItem | Reference {
  if (item.type === 'message') return message(item);
  if (item.type === 'function_call') {
    const { parsed_arguments: _, ...call } = item;
    return { ...call, ...called(item, 'fc') } satisfies FunctionCallItem;
  }
  if (item.type === 'function_call_output') return { ...item, ...called(item, 'fc') } satisfies FunctionCallOutputItem;
  return item;
}

const called = (item: { id?: string | null; status?: FunctionCallItem['status'] | null }, prefix: 'fc') => ({
  id: item.id ?? createId(prefix),
  status: item.status ?? ('completed' as const),
});

function message({ id, role, content, status }: Extract<ResponseInputItem, { type: 'message' }>): MessageItem {
  const type = role === 'assistant' ? 'output_text' : 'input_text';
  const parts = typeof content === 'string' ? [textPart(type, content)] : content.map((part) => readPart(type, part));
  return { id: id ?? createId('msg'), type: 'message', role, status: status ?? 'completed', content: parts };
}

const textPart = (type: 'input_text' | 'output_text', text: string): MessageItem['content'][number] =>
  type === 'input_text' ? { type, text } : { type, text, annotations: [], logprobs: [] };

/** What clients call `text` is one of the two; what they send back of an earlier answer stays as it is. */
function readPart(type: 'input_text' | 'output_text', part: MessageItem['content'][number]) {
  if (part.type === 'text') return textPart(type, part.text);
  if (part.type !== 'output_text') return part;
  const { parsed: _, ...said } = part as typeof part & { parsed?: unknown };
  return said;
}
