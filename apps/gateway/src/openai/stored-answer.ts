import type { ChatCompletion, FinishReason, OutputStructure, StoredChatMessage, ToolSettings } from '@attune/contracts';
import type { Completion } from '@attune/persistence';
import { seconds } from '../core/seconds.js';
import type { AnswerEvent } from '../chat/chat.types.js';
import { wholeAnswer } from './chat-answer.js';
import type { ChoiceEvent } from './choices.js';

/** An answer of the past as the events that made it, so that it is written by the same hand as a new one. */
export async function* eventsOf(rows: readonly Completion[]): AsyncGenerator<ChoiceEvent> {
  for (const [choice, row] of rows.entries()) for (const event of rowEvents(row)) yield { choice, event };
}

function rowEvents(row: Completion): AnswerEvent[] {
  const calls = (row.toolCalls ?? []).flatMap((call, index): AnswerEvent[] => [
    { type: 'tool_call', index, id: call.id, name: call.function.name },
    { type: 'tool_arguments', index, text: call.function.arguments },
  ]);
  return [
    {
      type: 'opened',
      id: row.id,
      created: seconds(row.openedAt),
      model: row.model,
      conversationId: row.conversationId,
      citations: row.citations,
    },
    { type: 'started', fingerprint: row.weightsDigest ?? '' },
    ...(row.answer === '' ? [] : [{ type: 'text', text: row.answer } as const]),
    ...calls,
    { type: 'finished', reason: (row.stopReason ?? 'stop') as FinishReason, usage: usageOf(row) },
  ];
}

const usageOf = (row: Completion) => ({
  prompt_tokens: row.promptTokens,
  completion_tokens: row.completionTokens,
  total_tokens: row.promptTokens + row.completionTokens,
  prompt_tokens_details: { cached_tokens: row.cachedTokens },
  completion_tokens_details: { reasoning_tokens: 0 },
});

interface StoredSettings {
  temperature: number;
  topP: number;
  presencePenalty: number;
  frequencyPenalty: number;
  tools?: ToolSettings;
  structure?: OutputStructure;
}

/** A stored completion with how it was asked for, as OpenAI's list and retrieve show it. */
export async function storedView(rows: readonly Completion[]): Promise<ChatCompletion & Record<string, unknown>> {
  const [first] = rows;
  const settings = first.sampling as StoredSettings;
  return {
    ...(await wholeAnswer(eventsOf(rows), { metadata: first.metadata, serviceTier: 'default' })),
    request_id: first.id,
    input_user: null,
    seed: first.seed,
    temperature: settings.temperature,
    top_p: settings.topP,
    presence_penalty: settings.presencePenalty,
    frequency_penalty: settings.frequencyPenalty,
    tools: settings.tools?.functions.map((one) => ({ type: 'function', function: one })) ?? null,
    tool_choice: settings.tools?.choice.mode ?? null,
    response_format: settings.structure ? { type: settings.structure.type } : null,
  };
}

/** The messages of a stored request, the operator's own left out; ids are made of the completion's. */
export function storedMessages(row: Completion): StoredChatMessage[] {
  const { leadingMessages = 0 } = row.sampling as { leadingMessages?: number };
  return row.messages.slice(leadingMessages).map((message, index) => ({
    id: `${row.id}-${index}`,
    ...message,
    content: message.tool_calls && message.content === '' ? null : message.content,
    content_parts: null,
  }));
}
