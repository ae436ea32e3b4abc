import type {
  Citation,
  FileCitation,
  FileSearchCallItem,
  FunctionCallItem,
  MessageItem,
  OutputTextPart,
  ResponseOutputItem,
  TokenLogprob,
} from '@attune/contracts';

/** An event's fields, its number excepted. */
export type EventFields = { type: string } & Record<string, unknown>;
type OpenMessage = { item: MessageItem; text: string; logprobs: TokenLogprob[] };

/**
 * The output of one response and the events that tell of it, in the order OpenAI sends them: openai's own stream helper
 * refuses a stream in which a `…done` event is missing. At most one item is being written at a time. Pure.
 */
export class OutputItems {
  private readonly done: ResponseOutputItem[] = [];
  private message: OpenMessage | undefined;
  private call: FunctionCallItem | undefined;

  constructor(
    private readonly newId: (prefix: 'msg' | 'fc') => string,
    /** What the answer stands on; told at the end of each message. */
    private citations: readonly Citation[] = [],
  ) {}

  cite(citations: readonly Citation[]): void {
    this.citations = citations;
  }

  /** The items as they stand, the one being written among them. */
  get items(): ResponseOutputItem[] {
    const open = this.message ? this.messageItem(this.message, 'incomplete') : this.call;
    return open ? [...this.done, open] : [...this.done];
  }

  text(text: string, logprobs: TokenLogprob[] = []): EventFields[] {
    const opening = this.message ? [] : [...this.close('completed'), ...this.openMessage()];
    const message = this.message!;
    message.text += text;
    message.logprobs.push(...logprobs);
    return [...opening, { type: 'response.output_text.delta', ...this.place(message.item), delta: text, logprobs }];
  }

  beginCall(callId: string, name: string): EventFields[] {
    const closing = this.close('completed');
    const id = this.newId('fc');
    this.call = { id, type: 'function_call', call_id: callId, name, arguments: '', status: 'in_progress' };
    return [...closing, { type: 'response.output_item.added', output_index: this.index, item: { ...this.call } }];
  }

  arguments(text: string): EventFields[] {
    if (!this.call) return [];
    this.call.arguments += text;
    const place = { item_id: this.call.id, output_index: this.index };
    return [{ type: 'response.function_call_arguments.delta', ...place, delta: text }];
  }

  /** A search that is over, as if it had been followed. */
  search(item: FileSearchCallItem): EventFields[] {
    const closing = this.close('completed');
    const place = { item_id: item.id, output_index: this.index };
    this.done.push(item);
    const begun = { ...item, status: 'in_progress', results: null };
    return [
      ...closing,
      { type: 'response.output_item.added', output_index: place.output_index, item: begun },
      { type: 'response.file_search_call.in_progress', ...place },
      { type: 'response.file_search_call.searching', ...place },
      { type: 'response.file_search_call.completed', ...place },
      { type: 'response.output_item.done', output_index: place.output_index, item },
    ];
  }

  /** Ends what is being written; an answer of nothing at all still has its one empty message. */
  end(status: 'completed' | 'incomplete'): EventFields[] {
    const said = this.done.some((item) => item.type !== 'file_search_call');
    const opening = said || this.message || this.call ? [] : this.openMessage();
    return [...opening, ...this.close(status)];
  }

  /** Ends what is being written because nothing more will come. */
  stop(): EventFields[] {
    return this.close('incomplete');
  }

  private get index(): number {
    return this.done.length;
  }

  private openMessage(): EventFields[] {
    const item: MessageItem = {
      id: this.newId('msg'),
      type: 'message',
      role: 'assistant',
      status: 'in_progress',
      content: [],
    };
    this.message = { item, text: '', logprobs: [] };
    return [
      { type: 'response.output_item.added', output_index: this.index, item },
      { type: 'response.content_part.added', ...this.place(item), part: textPart('', [], []) },
    ];
  }

  private close(status: 'completed' | 'incomplete'): EventFields[] {
    return [...this.closeMessage(status), ...this.closeCall(status)];
  }

  private closeMessage(status: 'completed' | 'incomplete'): EventFields[] {
    if (!this.message) return [];
    const { text, logprobs } = this.message;
    const item = this.messageItem(this.message, status);
    const place = this.place(item);
    const part = item.content[0] as OutputTextPart;
    const annotations = part.annotations.map((annotation, annotation_index) => ({
      type: 'response.output_text.annotation.added',
      ...place,
      annotation,
      annotation_index,
    }));
    this.message = undefined;
    this.done.push(item);
    return [
      ...annotations,
      { type: 'response.output_text.done', ...place, text, logprobs },
      { type: 'response.content_part.done', ...place, part },
      { type: 'response.output_item.done', output_index: place.output_index, item },
    ];
  }

  private closeCall(status: 'completed' | 'incomplete'): EventFields[] {
    if (!this.call) return [];
    const item: FunctionCallItem = { ...this.call, status };
    const place = { item_id: item.id, output_index: this.index };
    this.call = undefined;
    this.done.push(item);
    return [
      { type: 'response.function_call_arguments.done', ...place, name: item.name, arguments: item.arguments },
      { type: 'response.output_item.done', output_index: place.output_index, item },
    ];
  }

  private messageItem({ item, text, logprobs }: OpenMessage, status: MessageItem['status']): MessageItem {
    return { ...item, status, content: [textPart(text, this.citations.map(annotationOf), logprobs)] };
  }

  private place(item: MessageItem) {
    return { item_id: item.id, output_index: this.index, content_index: 0 };
  }
}

const textPart = (text: string, annotations: FileCitation[], logprobs: TokenLogprob[]): OutputTextPart => ({
  type: 'output_text',
  text,
  annotations,
  logprobs,
});

/** OpenAI's shape of a grounded answer's source; the passage itself is Attune's addition. */
const annotationOf = (citation: Citation): FileCitation => ({
  type: 'file_citation',
  file_id: citation.document_id,
  filename: citation.filename,
  index: citation.index,
  quote: citation.quote,
});
