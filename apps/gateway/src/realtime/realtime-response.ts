import type { Usage } from '@attune/contracts';
import type { AppError } from '@attune/platform';
import { errorBody } from '../openai/error-body.js';
import type { StoredItem } from './realtime-conversation.js';

export type ResponseEnd =
  | { status: 'completed'; usage: Usage }
  | { status: 'incomplete'; usage: Usage }
  | { status: 'cancelled' }
  | { status: 'failed'; error: AppError };

interface ResponseFacts {
  id: string;
  conversationId: string;
  maxOutputTokens: number | 'inf';
  metadata: Record<string, string> | null;
}

const OUTPUT = { output_index: 0, content_index: 0 };

/** The server events of one text response, in the order OpenAI sends them. Pure: text in, events out. */
export class RealtimeResponse {
  private text = '';

  constructor(
    private readonly facts: ResponseFacts,
    private readonly itemId: string,
    private readonly previousItemId: string | null,
  ) {}

  get id(): string {
    return this.facts.id;
  }

  begin(): object[] {
    const item = this.item('in_progress');
    const added = { item, previous_item_id: this.previousItemId };
    return [
      { type: 'response.created', response: { ...this.view('in_progress'), output: [] } },
      { type: 'response.output_item.added', response_id: this.facts.id, output_index: 0, item },
      { type: 'conversation.item.added', ...added },
      { type: 'response.content_part.added', ...this.place(), part: { type: 'text', text: '' } },
    ];
  }

  delta(text: string): object[] {
    this.text += text;
    return [{ type: 'response.output_text.delta', ...this.place(), delta: text }];
  }

  end(end: ResponseEnd): object[] {
    const item = this.item(end.status === 'completed' ? 'completed' : 'incomplete');
    return [
      { type: 'response.output_text.done', ...this.place(), text: this.text },
      { type: 'response.content_part.done', ...this.place(), part: { type: 'text', text: this.text } },
      { type: 'response.output_item.done', response_id: this.facts.id, output_index: 0, item },
      { type: 'conversation.item.done', item, previous_item_id: this.previousItemId },
      {
        type: 'response.done',
        response: {
          ...this.view(end.status),
          output: [item],
          status_details: statusDetails(end),
          usage: 'usage' in end ? usageView(end.usage) : null,
        },
      },
    ];
  }

  item(status: StoredItem['status']): StoredItem {
    const content = status === 'in_progress' ? [] : [{ type: 'output_text' as const, text: this.text }];
    return { id: this.itemId, object: 'realtime.item', type: 'message', role: 'assistant', status, content };
  }

  private place() {
    return { response_id: this.facts.id, item_id: this.itemId, ...OUTPUT };
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
