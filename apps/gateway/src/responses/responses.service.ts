import { responseMessages, type ChatMessage, type ResponseRequest } from '@attune/contracts';
import { CompletionRepository } from '@attune/persistence';
import { createId, InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ChatService } from '../chat/chat.service.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { toAppError } from '../openai/error-body.js';
import { readMetadata } from '../openai/chat-request.js';
import { ServedModel } from '../inference/served-model.js';
import { ResponseEvents } from './response-events.js';

interface Past {
  conversationId: string;
  messages: ChatMessage[];
}

/** Responses, whatever transport carries their events. */
@Injectable()
export class ResponsesService {
  constructor(
    private readonly chat: ChatService,
    private readonly completions: CompletionRepository,
    private readonly model: ServedModel,
  ) {}

  /**
   * The events of one response, `response.created` to `response.completed`, `.incomplete` or `.failed`.
   * @throws AppError before the first event only; `previous_response_not_found` among them
   */
  async *stream(caller: Caller, wire: ResponseRequest, signal: AbortSignal): AsyncGenerator<object> {
    const request = await this.chatRequest(caller, wire);
    let events: ResponseEvents | undefined;
    try {
      for await (const event of this.chat.answer(caller, request, signal)) {
        if (event.type === 'opened') {
          events = new ResponseEvents(wire, event, createId('msg'));
          yield* events.begin();
        } else if (event.type === 'started') events!.started(event.fingerprint);
        else if (event.type === 'text') yield* events!.delta(event.text);
        else yield* events!.end({ reason: event.reason, usage: event.usage });
      }
    } catch (thrown) {
      if (!events) throw thrown;
      yield* events.end({ error: toAppError(thrown) });
    }
  }

  private async chatRequest(caller: Caller, wire: ResponseRequest): Promise<ChatRequest> {
    const past = wire.previous_response_id ? await this.past(caller, wire.previous_response_id) : undefined;
    const instructions: ChatMessage[] = wire.instructions ? [{ role: 'system', content: wire.instructions }] : [];
    const metadata = readMetadata(wire.metadata);
    return {
      id: createId('resp'),
      source: 'responses',
      model: wire.model ?? this.model.id,
      messages: [...instructions, ...(past?.messages ?? []), ...responseMessages(wire.input)],
      sampling: wire,
      maxTokens: wire.max_output_tokens ?? undefined,
      stop: [],
      ...metadata,
      conversationId: metadata.conversationId ?? past?.conversationId,
    };
  }

  /** What was said up to a response; instructions are not carried over, as OpenAI has it. */
  private async past(caller: Caller, id: string): Promise<Past> {
    const completion = await this.completions.get(id).catch(() => undefined);
    if (!completion || completion.userId !== caller.userId || completion.status !== 'done') {
      throw new InvalidRequestError(
        `You have no finished response \`${id}\`; start anew without \`previous_response_id\`.`,
        {
          param: 'previous_response_id',
          code: 'previous_response_not_found',
        },
      );
    }
    const [first, ...rest] = completion.messages;
    const messages = first.role === 'system' ? rest : completion.messages;
    return {
      conversationId: completion.conversationId,
      messages: [...messages, { role: 'assistant', content: completion.answer }],
    };
  }
}
