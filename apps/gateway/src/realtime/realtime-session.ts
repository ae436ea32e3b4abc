import {
  realtimeClientEvent,
  type ChatMessage,
  type RealtimeClientEvent,
  type RealtimeResponseSettings,
  type RealtimeSessionUpdate,
  type ResponseItem,
} from '@attune/contracts';
import {
  ConflictError,
  createId,
  InvalidRequestError,
  NotFoundError,
  UnavailableError,
  type AppError,
} from '@attune/platform';
import type { RequestsLeft } from '../auth/rate-limiter.js';
import type { AnswerEvent, ChatRequest, OpenedEvent } from '../chat/chat.types.js';
import { readMetadata } from '../openai/chat-request.js';
import { errorBody, toAppError } from '../openai/error-body.js';
import { validate } from '../core/validate.js';
import type { FittingWishes } from '../responses/context-fitter.js';
import { itemMessages } from '../responses/item-messages.js';
import { inOwnWords } from '../responses/own-words.js';
import { toolSettings } from '../responses/response-tools.js';
import { expectType, type Frame } from './client-message.js';
import { RealtimeConversation } from './realtime-conversation.js';
import { responseItem, storedItem } from './realtime-items.js';
import { RealtimeResponse, type ResponseEnd } from './realtime-response.js';
import type { SocketSession } from './socket-sessions.js';

const CLIENT_EVENTS = realtimeClientEvent.options.map((option) => option.shape.type.value);

export interface RealtimePorts {
  /** One server event, `event_id` excepted. */
  send(event: object): Promise<void>;
  answer(request: ChatRequest, signal: AbortSignal): AsyncIterable<AnswerEvent>;
  /** Throws when the caller has asked too often. */
  takeRequest(): void;
  /** How many requests the caller has left. */
  requestsLeft(): RequestsLeft;
  /** Throws when there is no such model. */
  expectModel(name: string): void;
  /** Lets go of the oldest turns of what is too long. */
  fit(messages: ChatMessage[], wishes: FittingWishes): ChatMessage[];
  /** Told of errors that are nobody's fault but ours. */
  onError(error: AppError): void;
}

interface ActiveResponse {
  id: string;
  abort: AbortController;
  done: Promise<void>;
}

/** One Realtime session: settings, items, and at most one response at a time. */
export class RealtimeSession implements SocketSession {
  private readonly id = createId('sess');
  private readonly conversationId = createId('conv');
  private readonly items = new RealtimeConversation(createId);
  private settings: RealtimeSessionUpdate = {};
  private active: ActiveResponse | undefined;

  constructor(
    private readonly model: string,
    private readonly ports: RealtimePorts,
  ) {}

  async begin(): Promise<void> {
    await this.emit({ type: 'session.created', session: this.view() });
  }

  /** Never throws: what is wrong with an event is answered with an `error` event. */
  async receive(frame: Frame): Promise<void> {
    try {
      expectType(frame.type, CLIENT_EVENTS);
      await this.handle(validate(realtimeClientEvent, frame));
    } catch (thrown) {
      await this.reportError(toAppError(thrown), typeof frame.event_id === 'string' ? frame.event_id : undefined);
    }
  }

  async reportError(error: AppError, causedBy?: string): Promise<void> {
    if (error.kind === 'internal') this.ports.onError(error);
    await this.emit({ type: 'error', error: { ...errorBody(error).error, event_id: causedBy ?? null } });
  }

  /** Resolves when no response is under way. */
  async idle(): Promise<void> {
    await this.active?.done;
  }

  private handle(event: RealtimeClientEvent): Promise<void> | void {
    switch (event.type) {
      case 'session.update':
        return this.update(event.session);
      case 'conversation.item.create':
        return this.addItem(event);
      case 'conversation.item.retrieve':
        return this.emit({ type: 'conversation.item.retrieved', item: this.items.get(event.item_id) });
      case 'conversation.item.delete':
        this.items.remove(event.item_id);
        return this.emit({ type: 'conversation.item.deleted', item_id: event.item_id });
      case 'conversation.item.truncate':
        return this.truncate(event);
      case 'response.create':
        return this.startResponse(event.response ?? {}, event.event_id);
      case 'response.cancel':
        return this.cancel(event.response_id);
    }
  }

  private update(session: RealtimeSessionUpdate): Promise<void> {
    if (session.model !== undefined) this.ports.expectModel(session.model);
    this.settings = { ...this.settings, ...session };
    return this.emit({ type: 'session.updated', session: this.view() });
  }

  private truncate(event: Extract<RealtimeClientEvent, { type: 'conversation.item.truncate' }>): Promise<void> {
    const { item_id, content_index, audio_end_ms } = event;
    this.items.truncate(item_id, content_index, audio_end_ms);
    return this.emit({ type: 'conversation.item.truncated', item_id, content_index, audio_end_ms });
  }

  private async addItem(event: Extract<RealtimeClientEvent, { type: 'conversation.item.create' }>): Promise<void> {
    this.ports.takeRequest();
    const { item, previousId } = this.items.add(event.item, event.previous_item_id);
    const added = { item, previous_item_id: previousId };
    await this.emit({ type: 'conversation.item.added', ...added });
    await this.emit({ type: 'conversation.item.created', ...added });
    await this.emit({ type: 'conversation.item.done', ...added });
  }

  private cancel(id: string | undefined): void {
    if (!this.active || (id !== undefined && id !== this.active.id)) {
      throw new NotFoundError('There is no response under way that could be cancelled.', {
        param: 'response_id',
        code: 'response_cancel_not_active',
      });
    }
    this.active.abort.abort();
  }

  /** Returns when the response is under way, not when it has ended: a cancel must be able to come in. */
  private startResponse(settings: RealtimeResponseSettings, eventId: string | undefined): void {
    if (this.active) {
      throw new ConflictError(`Response \`${this.active.id}\` is under way; wait for response.done or cancel it.`, {
        code: 'conversation_already_has_active_response',
      });
    }
    this.ports.takeRequest();
    const id = createId('resp');
    const abort = new AbortController();
    const done = this.respond(this.request(id, settings), settings, abort)
      .catch((thrown: unknown) => this.reportError(toAppError(thrown), eventId))
      .finally(() => this.settle(id));
    this.active = { id, abort, done };
  }

  /** From here on the next response may start. */
  private settle(id: string): void {
    if (this.active?.id === id) this.active = undefined;
  }

  private request(id: string, settings: RealtimeResponseSettings): ChatRequest {
    const asked = { ...this.settings, ...settings };
    const { instructions, max_output_tokens: most } = asked;
    const maxTokens = typeof most === 'number' ? most : undefined;
    const said = itemMessages(settings.input ? this.inputItems(settings.input) : this.items.said());
    if (said.length === 0) {
      throw new InvalidRequestError(
        'There is nothing to answer; add an item with conversation.item.create or send `response.input`.',
        { param: 'response.input' },
      );
    }
    const tools = toolSettings(asked);
    return {
      id,
      source: 'realtime',
      model: this.model,
      messages: this.fitting(said, { instructions, maxTokens, tools }),
      instructions,
      sampling: asked,
      maxTokens,
      stop: [],
      ...(tools && { tools }),
      ...readMetadata(settings.metadata),
      conversationId: settings.metadata?.conversation_id ?? this.conversationId,
    };
  }

  private inputItems(input: NonNullable<RealtimeResponseSettings['input']>): ResponseItem[] {
    return input.map((item) =>
      responseItem(item.type === 'item_reference' ? this.items.get(item.id) : storedItem(item, createId)),
    );
  }

  private fitting(messages: ChatMessage[], wishes: FittingWishes): ChatMessage[] {
    const { truncation = 'auto' } = this.settings;
    if (truncation === 'disabled') return messages;
    return this.ports.fit(
      messages,
      truncation === 'auto' ? wishes : { ...wishes, retention: truncation.retention_ratio },
    );
  }

  private async respond(
    request: ChatRequest,
    settings: RealtimeResponseSettings,
    abort: AbortController,
  ): Promise<void> {
    let response: RealtimeResponse | undefined;
    let end: ResponseEnd = { status: 'cancelled' };
    try {
      for await (const event of this.ports.answer(request, abort.signal)) {
        if (event.type === 'opened') response = await this.open(event, settings);
        else await this.emitAll(response!.take(event));
        if (event.type === 'finished') {
          end = { status: event.reason === 'length' ? 'incomplete' : 'completed', usage: event.usage };
        }
      }
    } catch (thrown) {
      const error = toAppError(inOwnWords(thrown));
      // Before it was opened there is no response to close; the error event alone tells.
      if (!response) throw error;
      if (!abort.signal.aborted) end = { status: 'failed', error: error.kind === 'cancelled' ? stopped(error) : error };
      if (error.kind === 'internal') this.ports.onError(error);
    }
    if (response) await this.close(response, end);
  }

  private async open({ id, conversationId }: OpenedEvent, settings: RealtimeResponseSettings) {
    const facts = {
      id,
      conversationId,
      maxOutputTokens: settings.max_output_tokens ?? this.settings.max_output_tokens ?? 'inf',
      metadata: settings.metadata ?? null,
      inConversation: settings.conversation !== 'none',
    };
    const response = new RealtimeResponse(facts, () => createId('item'), this.items);
    await this.emitAll(response.begin());
    await this.emit({ type: 'rate_limits.updated', rate_limits: [rateLimit(this.ports.requestsLeft())] });
    return response;
  }

  private async close(response: RealtimeResponse, end: ResponseEnd): Promise<void> {
    const events = response.end(end);
    this.settle(response.id);
    await this.emitAll(events);
  }

  private view(): object {
    return {
      id: this.id,
      object: 'realtime.session',
      type: 'realtime',
      model: this.model,
      output_modalities: ['text'],
      instructions: this.settings.instructions ?? '',
      max_output_tokens: this.settings.max_output_tokens ?? 'inf',
      tools: this.settings.tools ?? [],
      tool_choice: this.settings.tool_choice ?? 'auto',
      truncation: this.settings.truncation ?? 'auto',
      tracing: null,
      prompt: null,
      conversation_id: this.conversationId,
    };
  }

  private async emitAll(events: object[]): Promise<void> {
    for (const event of events) await this.emit(event);
  }

  private emit(event: object): Promise<void> {
    return this.ports.send({ event_id: createId('event'), ...event });
  }
}

/** An answer that was given up, but not by its client, was given up by a server that stops. */
const stopped = (cause: AppError) =>
  new UnavailableError('The server stopped before the answer was complete; ask again.', { cause });

const rateLimit = ({ limit, remaining, resetSeconds }: RequestsLeft) => ({
  name: 'requests',
  limit,
  remaining,
  reset_seconds: resetSeconds,
});
