import type { ChatMessage, Citation } from '@attune/contracts';
import type { ChatRequest } from '../chat/chat.types.js';
import { readMetadata } from '../openai/chat-request.js';
import type { ResponsePlan } from './response-planner.js';
import { textStructure, toolSettings } from './response-tools.js';

/**
 * A planned response as the chat road takes it.
 * @param found passages of `file_search`; they take the place of those the gateway would look for itself
 * @throws InvalidRequestError for tools or metadata that cannot be used
 */
export function chatRequestOf(plan: ResponsePlan, messages: ChatMessage[], found: Citation[] | undefined): ChatRequest {
  const { request, id, model } = plan.facts;
  const tools = toolSettings(request);
  const structure = textStructure(request.text, tools);
  const wantsLogprobs = request.top_logprobs || request.include?.includes('message.output_text.logprobs');
  return {
    id,
    source: 'responses',
    // As it was asked for: it may name a checkpoint.
    model: request.model ?? model,
    messages,
    instructions: request.instructions ?? undefined,
    sampling: request,
    maxTokens: request.max_output_tokens ?? undefined,
    stop: [],
    ...readMetadata(request.metadata),
    conversationId: plan.filedUnder,
    metadata: request.metadata ?? {},
    ...(tools && { tools }),
    ...(structure && { structure, structureParam: 'text.format' }),
    ...(wantsLogprobs && { topLogprobs: request.top_logprobs ?? 0 }),
    ...((request.background || request.service_tier === 'flex') && { patient: true }),
    ...(found && { passages: found }),
  };
}
