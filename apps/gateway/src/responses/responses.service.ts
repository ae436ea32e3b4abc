import { responseMessages, type ChatMessage, type ResponseRequest } from '@attune/contracts';
import { CompletionRepository } from '@attune/persistence';
import { createId, InvalidRequestError, type AppError, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ChatService } from '../chat/chat.service.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { LOGGER } from '../core/tokens.js';
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
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly chat: ChatService,
    private readonly completions: CompletionRepository,
    private readonly model: ServedModel,
  ) {}

  /**
   * The events of one response, `response.created` to `response.completed`, `.incomplete` or `.failed`.
   * @param onFailure told what made a response fail after its first event
   * @throws AppError before the first event only; `previous_response_not_found` among them
   */
  async *stream(
    caller: Caller,
    wire: ResponseRequest,
    signal: AbortSignal,
    onFailure: (error: AppError) => void = () => undefined,
  ): AsyncGenerator<object> {
    const request = await this.chatRequest(caller, wire);
    let events: ResponseEvents | undefined;
    try {
      for await (const event of this.chat.answer(caller, request, signal)) {
        if (event.type === 'opened') {
          events = new ResponseEvents(wire, event, createId('msg'));
          yield* events.begin();
        } else if (event.type === 'started') events!.started(event.fingerprint);
        else if (event.type === 'text') yield* events!.delta(event.text);
        else if (event.type === 'finished') yield* events!.end({ reason: event.reason, usage: event.usage });
      }
    } catch (thrown) {
      if (!events) throw thrown;
      const error = toAppError(thrown);
      if (error.kind === 'internal') this.logger.error({ err: error.cause ?? error }, `mid-response: ${error.message}`);
      onFailure(error);
      yield* events.end({ error });
    }
  }

  private async chatRequest(caller: Caller, wire: ResponseRequest): Promise<ChatRequest> {
    if (wire.input.length === 0) {
      throw new InvalidRequestError('`input` is empty; send a text or at least one message.', { param: 'input' });
    }
    const past = wire.previous_response_id ? await this.past(caller, wire.previous_response_id) : undefined;
    const metadata = readMetadata(wire.metadata);
    return {
      id: createId('resp'),
      source: 'responses',
      model: wire.model ?? this.model.id,
      messages: [...(past?.messages ?? []), ...responseMessages(wire.input)],
      instructions: wire.instructions ?? undefined,
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
    const { leadingMessages = 0 } = completion.sampling as { leadingMessages?: number };
    const messages = completion.messages.slice(leadingMessages);
    return {
      conversationId: completion.conversationId,
      messages: [...messages, { role: 'assistant', content: completion.answer }],
    };
  }
}
