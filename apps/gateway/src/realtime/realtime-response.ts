import type { ResponseItem, Usage } from '@attune/contracts';
import type { AppError } from '@attune/platform';
import type { AnswerEvent, OpenedEvent } from '../chat/chat.types.js';
import { errorBody } from '../openai/error-body.js';
import { OutputItems, type EventFields } from '../responses/output-items.js';
import { outputItem, type StoredItem } from './realtime-items.js';

export type ResponseEnd =
  | { status: 'completed'; usage: Usage }
  | { status: 'incomplete'; usage: Usage }
  | { status: 'cancelled' }
  | { status: 'failed'; error: AppError };

export interface RealtimeResponseFacts {
  id: string;
  conversationId: string;
  maxOutputTokens: number | 'inf';
  metadata: Record<string, string> | null;
  /** Whether the output becomes part of the conversation. */
  inConversation: boolean;
}

/** Where the output goes besides the wire. */
export interface OutputSink {
  lastId(): string | null;
  begin(item: StoredItem): void;
  replace(item: StoredItem): void;
}

/** The server events of one text response, in the order OpenAI sends them. */
export class RealtimeResponse {
  private readonly output: OutputItems;
  /** By item, because the events of arguments tell it too. */
  private readonly callIds = new Map<string, string>();
  private previousId: string | null;

  constructor(
    private readonly facts: RealtimeResponseFacts,
    newId: () => string,
    private readonly conversation: OutputSink,
  ) {
    this.output = new OutputItems(newId);
    this.previousId = conversation.lastId();
  }

  get id(): string {
    return this.facts.id;
  }

  begin(): object[] {
    return [{ type: 'response.created', response: { ...this.view('in_progress'), output: [] } }];
  }

  /** What the chat road says between the first and the last. */
  take(event: Exclude<AnswerEvent, OpenedEvent>): object[] {
    if (event.type === 'text') return this.told(this.output.text(event.text));
    if (event.type === 'tool_call') return this.told(this.output.beginCall(event.id, event.name));
    return event.type === 'tool_arguments' ? this.told(this.output.arguments(event.text)) : [];
  }

  end(end: ResponseEnd): object[] {
    const whole = end.status === 'completed' || end.status === 'incomplete';
    const closing = this.told(whole ? this.output.end(end.status) : this.output.stop());
    const done = {
      ...this.view(end.status),
      output: this.output.items.map(outputItem),
      status_details: statusDetails(end),
      usage: 'usage' in end ? usageView(end.usage) : null,
    };
    return [...closing, { type: 'response.done', response: done }];
  }

  private told(events: EventFields[]): object[] {
    return events.flatMap((event) => this.realtimeEvents(event));
  }

  /** The events of the Responses protocol under this one's names. */
  private realtimeEvents({ type, ...fields }: EventFields): object[] {
    const response_id = this.facts.id;
    if (type === 'response.output_item.added' || type === 'response.output_item.done') {
      return this.itemEvents(type, fields.item as ResponseItem, fields.output_index as number);
    }
    if (type.startsWith('response.content_part.')) {
      const { text } = fields.part as { text: string };
      return [{ type, response_id, ...fields, part: { type: 'text', text } }];
    }
    if (type.startsWith('response.output_text.annotation')) return [];
    if (type.startsWith('response.output_text.')) {
      const { logprobs: _, ...rest } = fields;
      return [{ type, response_id, ...rest }];
    }
    return [{ type, response_id, ...fields, call_id: this.callIds.get(fields.item_id as string) }];
  }

  private itemEvents(type: string, item: ResponseItem, output_index: number): object[] {
    const shown = outputItem(item);
    if (item.type === 'function_call') this.callIds.set(item.id, item.call_id);
    const told = { type, response_id: this.facts.id, output_index, item: shown };
    if (!this.facts.inConversation) return [told];
    const added = type.endsWith('added');
    const previous_item_id = this.previousId;
    if (added) this.conversation.begin(shown);
    else {
      this.conversation.replace(shown);
      this.previousId = shown.id;
    }
    return [told, { type: `conversation.item.${added ? 'added' : 'done'}`, item: shown, previous_item_id }];
  }

  private view(status: string) {
    return {
      id: this.facts.id,
      object: 'realtime.response',
      status,
      status_details: null as object | null,
      conversation_id: this.facts.conversationId,
      output_modalities: ['text'],
      max_output_tokens: this.facts.maxOutputTokens,
      metadata: this.facts.metadata,
      usage: null as object | null,
    };
  }
}

function statusDetails(end: ResponseEnd): object | null {
  if (end.status === 'completed') return null;
  if (end.status === 'cancelled') return { type: 'cancelled', reason: 'client_cancelled' };
  if (end.status === 'incomplete') return { type: 'incomplete', reason: 'max_output_tokens' };
  const { type, code, message } = errorBody(end.error).error;
  return { type: 'failed', error: { type, code, message } };
}

const usageView = (usage: Usage) => ({
  total_tokens: usage.total_tokens,
  input_tokens: usage.prompt_tokens,
  output_tokens: usage.completion_tokens,
  input_token_details: {
    text_tokens: usage.prompt_tokens,
    audio_tokens: 0,
    cached_tokens: usage.prompt_tokens_details.cached_tokens,
  },
  output_token_details: { text_tokens: usage.completion_tokens, audio_tokens: 0 },
});
