import type { Citation, FinishReason, ResponseRequest, Usage } from '@attune/contracts';
import type { AppError } from '@attune/platform';
import type { OpenedEvent } from '../chat/chat.types.js';
import { errorBody } from '../openai/error-body.js';

export type ResponseEnd = { reason: FinishReason; usage: Usage } | { error: AppError };

/**
 * The stream events of one text response, numbered, in the order OpenAI sends them: openai's own stream helper refuses
 * a stream in which a `…done` event is missing. Pure: text in, events out.
 */
export class ResponseEvents {
  private sequence = 0;
  private text = '';
  private fingerprint: string | undefined;

  constructor(
    private readonly request: ResponseRequest,
    private readonly opened: OpenedEvent,
    private readonly messageId: string,
  ) {}

  begin(): object[] {
    return [
      this.event('response.created', { response: this.response('in_progress') }),
      this.event('response.in_progress', { response: this.response('in_progress') }),
      this.event('response.output_item.added', { output_index: 0, item: this.message('in_progress') }),
      this.event('response.content_part.added', { ...this.place(), part: this.part('', []) }),
    ];
  }

  started(fingerprint: string): void {
    this.fingerprint = fingerprint;
  }

  delta(text: string): object[] {
    this.text += text;
    return [this.event('response.output_text.delta', { ...this.place(), delta: text, logprobs: [] })];
  }

  end(end: ResponseEnd): object[] {
    if ('error' in end) return [this.event('response.failed', { response: this.response('failed', end) })];
    const whole = end.reason !== 'length';
    const part = this.part(this.text, this.opened.citations);
    const annotations = part.annotations.map((annotation, annotation_index) =>
      this.event('response.output_text.annotation.added', { ...this.place(), annotation, annotation_index }),
    );
    return [
      ...annotations,
      this.event('response.output_text.done', { ...this.place(), text: this.text, logprobs: [] }),
      this.event('response.content_part.done', { ...this.place(), part }),
      this.event('response.output_item.done', {
        output_index: 0,
        item: this.message(whole ? 'completed' : 'incomplete'),
      }),
      whole
        ? this.event('response.completed', { response: this.response('completed', end) })
        : this.event('response.incomplete', { response: this.response('incomplete', end) }),
    ];
  }

  private event(type: string, fields: object): object {
    return { type, sequence_number: this.sequence++, ...fields };
  }

  private place() {
    return { item_id: this.messageId, output_index: 0, content_index: 0 };
  }

  private part(text: string, citations: readonly Citation[]) {
    return { type: 'output_text', text, annotations: citations.map(annotationOf), logprobs: [] };
  }

  private message(status: 'in_progress' | 'completed' | 'incomplete'): object {
    const content = status === 'in_progress' ? [] : [this.part(this.text, this.opened.citations)];
    return { id: this.messageId, type: 'message', role: 'assistant', status, content };
  }

  private response(status: 'in_progress' | 'completed' | 'incomplete' | 'failed', end?: ResponseEnd): object {
    const { request, opened } = this;
    const ended = status === 'completed' || status === 'incomplete';
    return {
      id: opened.id,
      object: 'response',
      created_at: opened.created,
      status,
      error: end && 'error' in end ? { code: 'server_error', message: errorBody(end.error).error.message } : null,
      incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      instructions: request.instructions ?? null,
      max_output_tokens: request.max_output_tokens ?? null,
      metadata: request.metadata ?? {},
      model: opened.model,
      output: ended ? [this.message(status)] : [],
      parallel_tool_calls: false,
      previous_response_id: request.previous_response_id ?? null,
      reasoning: { effort: null, summary: null },
      store: true,
      temperature: request.temperature ?? 1,
      text: { format: { type: 'text' } },
      tool_choice: 'none',
      tools: [],
      top_p: request.top_p ?? 1,
      truncation: 'disabled',
      usage: end && 'usage' in end ? usageView(end.usage) : null,
      conversation_id: opened.conversationId,
      ...(this.fingerprint !== undefined && { system_fingerprint: this.fingerprint }),
    };
  }
}

/** OpenAI's shape of a grounded answer's source; the passage itself is Attune's addition. */
const annotationOf = (citation: Citation) => ({
  type: 'file_citation',
  file_id: citation.document_id,
  filename: citation.filename,
  index: citation.index,
  quote: citation.quote,
});

const usageView = (usage: Usage) => ({
  input_tokens: usage.prompt_tokens,
  input_tokens_details: { cached_tokens: usage.prompt_tokens_details.cached_tokens, cache_write_tokens: 0 },
  output_tokens: usage.completion_tokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usage.total_tokens,
});
