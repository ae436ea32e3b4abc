import type { ChatMessage, RealtimeResponseSettings, RealtimeSessionUpdate, ResponseItem } from '@attune/contracts';
import { createId, InvalidRequestError } from '@attune/platform';
import type { ChatRequest } from '../chat/chat.types.js';
import { readMetadata } from '../openai/chat-request.js';
import type { FittingWishes } from '../responses/context-fitter.js';
import { itemMessages } from '../responses/item-messages.js';
import { toolSettings } from '../responses/response-tools.js';
import type { RealtimeConversation } from './realtime-conversation.js';
import { responseItem, storedItem } from './realtime-items.js';

/** Lets go of the oldest turns of what is too long. */
export type Fit = (messages: ChatMessage[], wishes: FittingWishes) => ChatMessage[];

/** What a Realtime session was told about its answers, and the requests that come of it. */
export class RealtimeSettings {
  readonly conversationId = createId('conv');
  private readonly id = createId('sess');
  private told: RealtimeSessionUpdate = {};

  /** @param model as the client named it */
  constructor(private readonly model: string) {}

  update(session: RealtimeSessionUpdate): void {
    this.told = { ...this.told, ...session };
  }

  /** `inf`: what the context leaves. */
  maxOutputTokens(response: RealtimeResponseSettings): number | 'inf' {
    return response.max_output_tokens ?? this.told.max_output_tokens ?? 'inf';
  }

  /** The session as clients are told it. */
  view(): object {
    return {
      id: this.id,
      object: 'realtime.session',
      type: 'realtime',
      model: this.told.model ?? this.model,
      output_modalities: ['text'],
      instructions: this.told.instructions ?? '',
      max_output_tokens: this.told.max_output_tokens ?? 'inf',
      tools: this.told.tools ?? [],
      tool_choice: this.told.tool_choice ?? 'auto',
      truncation: this.told.truncation ?? 'auto',
      tracing: null,
      prompt: null,
      conversation_id: this.conversationId,
    };
  }

  /**
   * One response's settings over the session's.
   * @throws InvalidRequestError when there is nothing to answer, or for tools and metadata that cannot be used
   * @throws NotFoundError for a reference to an item there is none of
   */
  request(id: string, response: RealtimeResponseSettings, items: RealtimeConversation, fit: Fit): ChatRequest {
    const asked = { ...this.told, ...response };
    const { instructions, max_output_tokens: most } = asked;
    const maxTokens = typeof most === 'number' ? most : undefined;
    const said = itemMessages(response.input ? inputItems(response.input, items) : items.said());
    if (said.length === 0) throw nothingToAnswer();
    const tools = toolSettings(asked);
    return {
      id,
      source: 'realtime',
      model: this.told.model ?? this.model,
      messages: this.fitting(said, { instructions, maxTokens, tools }, fit),
      instructions,
      sampling: asked,
      maxTokens,
      stop: [],
      ...(tools && { tools }),
      ...readMetadata(response.metadata),
      conversationId: response.metadata?.conversation_id ?? this.conversationId,
    };
  }

  private fitting(messages: ChatMessage[], wishes: FittingWishes, fit: Fit): ChatMessage[] {
    const { truncation = 'auto' } = this.told;
    if (truncation === 'disabled') return messages;
    return fit(messages, truncation === 'auto' ? wishes : { ...wishes, retention: truncation.retention_ratio });
  }
}

function inputItems(
  input: NonNullable<RealtimeResponseSettings['input']>,
  items: RealtimeConversation,
): ResponseItem[] {
  return input.map((item) =>
    responseItem(item.type === 'item_reference' ? items.get(item.id) : storedItem(item, createId)),
  );
}

const nothingToAnswer = () =>
  new InvalidRequestError(
    'There is nothing to answer; add an item with conversation.item.create or send `response.input`.',
    { param: 'response.input' },
  );
