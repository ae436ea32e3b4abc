import type {
  ResponseObject,
  ResponseOutputItem,
  ResponseRequest,
  ResponseStatus,
  ResponseUsage,
  Usage,
} from '@attune/contracts';
import type { AppError } from '@attune/platform';
import { errorBody } from '../openai/error-body.js';

/** What is known of a response before it is answered. */
export interface ResponseFacts {
  id: string;
  /** Unix seconds. */
  createdAt: number;
  /** As the gateway calls it, whatever the request did. */
  model: string;
  request: ResponseRequest;
  /** The conversation of the request, by id. */
  conversation: string | null;
}

/** How far it has come. */
export interface ResponseState {
  status: ResponseStatus;
  output: ResponseOutputItem[];
  /** The conversation the answer was filed under. */
  filedUnder: string | null;
  fingerprint: string | null;
  usage: Usage | null;
  error: ResponseObject['error'];
  completedAt: number | null;
}

/** https://platform.openai.com/docs/api-reference/responses/object, every field of it that text answers have. */
export function responseView(facts: ResponseFacts, state: ResponseState): ResponseObject {
  const { request } = facts;
  return {
    id: facts.id,
    object: 'response',
    created_at: facts.createdAt,
    completed_at: state.completedAt,
    status: state.status,
    background: request.background ?? false,
    error: state.error,
    incomplete_details: state.status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    model: facts.model,
    output: state.output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    conversation: facts.conversation === null ? null : { id: facts.conversation },
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: request.service_tier === 'flex' ? 'flex' : 'default',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: request.text?.format ?? { type: 'text' }, verbosity: request.text?.verbosity ?? 'medium' },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: state.usage && usageView(state.usage),
    user: request.user ?? null,
    conversation_id: state.filedUnder,
    system_fingerprint: state.fingerprint,
  };
}

/** `server_error` hides nothing: its message is the sentence an HTTP answer would have had. */
export function responseError(error: AppError): NonNullable<ResponseObject['error']> {
  const codes = { rate_limited: 'rate_limit_exceeded', invalid_request: 'invalid_prompt' } as const;
  const code = error.kind in codes ? codes[error.kind as keyof typeof codes] : 'server_error';
  return { code, message: errorBody(error).error.message };
}

const usageView = (usage: Usage): ResponseUsage => ({
  input_tokens: usage.prompt_tokens,
  input_tokens_details: { cached_tokens: usage.prompt_tokens_details.cached_tokens, cache_write_tokens: 0 },
  output_tokens: usage.completion_tokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usage.total_tokens,
});
