import type { ResponseOutputItem, ResponseStreamEvent } from '@attune/contracts';

/** What a stream that broke off has told of its output: finished items, and what was there of the one being written. */
export function toldOutput(events: readonly ResponseStreamEvent[]): ResponseOutputItem[] {
  const items = new Map<number, ResponseOutputItem>();
  for (const event of events) {
    const index = event.output_index as number;
    if (/^response\.output_item\.(added|done)$/.test(event.type)) items.set(index, event.item as ResponseOutputItem);
    const open = items.get(index);
    if (open) items.set(index, withDelta(open, event));
  }
  return [...items.values()];
}

function withDelta(item: ResponseOutputItem, { type, delta }: ResponseStreamEvent): ResponseOutputItem {
  if (type === 'response.output_text.delta' && item.type === 'message') {
    const [part] = item.content;
    const text = (part?.type === 'output_text' ? part.text : '') + String(delta);
    const content = [{ type: 'output_text' as const, text, annotations: [], logprobs: [] }];
    return { ...item, status: 'incomplete', content };
  }
  if (type === 'response.function_call_arguments.delta' && item.type === 'function_call') {
    return { ...item, status: 'incomplete', arguments: item.arguments + String(delta) };
  }
  return item;
}
