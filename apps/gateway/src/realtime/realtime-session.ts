import {
  realtimeClientEvent,
  type ChatMessage,
  type RealtimeClientEvent,
  type RealtimeResponseSettings,
  type RealtimeSessionUpdate,
} from '@attune/contracts';
import { ConflictError, createId, InvalidRequestError, NotFoundError, type AppError } from '@attune/platform';
import type { AnswerEvent, ChatRequest } from '../chat/chat.types.js';
import { readMetadata } from '../openai/chat-request.js';
import { errorBody, toAppError } from '../openai/error-body.js';
import { notSupported } from '../openai/unsupported.js';
import { validate } from '../core/validate.js';
import { expectType, type Frame } from './client-message.js';
import { itemMessage, RealtimeConversation } from './realtime-conversation.js';
import { RealtimeResponse, type ResponseEnd } from './realtime-response.js';
import type { SocketSession } from './socket-sessions.js';

const CLIENT_EVENTS = realtimeClientEvent.options.map((option) => option.shape.type.value);

export interface RealtimePorts {
  /** One server event, `event_id` excepted. */
  send(event: object): Promise<void>;
  answer(request: ChatRequest, signal: AbortSignal): AsyncIterable<AnswerEvent>;
  /** Throws when the caller has asked too often. */
  takeRequest(): void;
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
  private readonly items = new RealtimeConversation(() => createId('item'));
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
      refuseUnsupported(frame);
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
        this.settings = { ...this.settings, ...event.session };
        return this.emit({ type: 'session.updated', session: this.view() });
      case 'conversation.item.create':
        return this.addItem(event);
      case 'conversation.item.retrieve':
        return this.emit({ type: 'conversation.item.retrieved', item: this.items.get(event.item_id) });
      case 'conversation.item.delete':
        this.items.remove(event.item_id);
        return this.emit({ type: 'conversation.item.deleted', item_id: event.item_id });
      case 'response.create':
        return this.startResponse(event.response ?? {}, event.event_id);
      case 'response.cancel':
        return this.cancel(event.response_id);
    }
  }

  private async addItem(event: Extract<RealtimeClientEvent, { type: 'conversation.item.create' }>): Promise<void> {
    this.ports.takeRequest();
    const { item, previousId } = this.items.add(event.item, event.previous_item_id);
    await this.emit({ type: 'conversation.item.added', item, previous_item_id: previousId });
    await this.emit({ type: 'conversation.item.done', item, previous_item_id: previousId });
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
    const { instructions, max_output_tokens: most, ...sampling } = { ...this.settings, ...settings };
    const said = settings.input?.map(itemMessage) ?? this.items.messages();
    const messages: ChatMessage[] = instructions ? [{ role: 'system', content: instructions }, ...said] : said;
    if (messages.length === 0) {
      throw new InvalidRequestError(
        'There is nothing to answer; add an item with conversation.item.create or send `response.input`.',
        { param: 'response.input' },
      );
    }
    return {
      id,
      source: 'realtime',
      model: this.model,
      messages,
      sampling,
      maxTokens: typeof most === 'number' ? most : undefined,
      stop: [],
      ...readMetadata(settings.metadata),
      conversationId: settings.metadata?.conversation_id ?? this.conversationId,
    };
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
        if (event.type === 'opened') response = await this.open(event.id, event.conversationId, settings);
        else if (event.type === 'text') await this.emitAll(response!.delta(event.text));
        else if (event.type === 'finished') {
          end = { status: event.reason === 'length' ? 'incomplete' : 'completed', usage: event.usage };
        }
      }
    } catch (thrown) {
      const error = toAppError(thrown);
      // Before it was opened there is no response to close; the error event alone tells.
      if (!response) throw error;
      if (error.kind !== 'cancelled') end = { status: 'failed', error };
      if (error.kind === 'internal') this.ports.onError(error);
    }
    if (response) await this.close(response, end, settings);
  }

  private async open(
    id: string,
    conversationId: string,
    settings: RealtimeResponseSettings,
  ): Promise<RealtimeResponse> {
    const most = settings.max_output_tokens ?? this.settings.max_output_tokens ?? 'inf';
    const facts = { id, conversationId, maxOutputTokens: most, metadata: settings.metadata ?? null };
    const response = new RealtimeResponse(facts, createId('item'), this.items.lastId());
    if (settings.conversation !== 'none') this.items.add(response.item('in_progress'));
    await this.emitAll(response.begin());
    return response;
  }

  private async close(response: RealtimeResponse, end: ResponseEnd, settings: RealtimeResponseSettings): Promise<void> {
    const item = response.item(end.status === 'completed' ? 'completed' : 'incomplete');
    if (settings.conversation !== 'none') this.items.replace(item);
    this.settle(response.id);
    await this.emitAll(response.end(end));
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
      tools: [],
      tool_choice: 'none',
      truncation: 'disabled',
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

/** Audio, tools and images are refused by name, which no schema error would do. */
function refuseUnsupported(frame: Record<string, unknown>): void {
  const settings = (frame.session ?? frame.response ?? {}) as Record<string, unknown>;
  const where = frame.session ? 'session' : 'response';
  const modalities = settings.output_modalities;
  if (modalities !== undefined && JSON.stringify(modalities) !== '["text"]') {
    throw notSupported(`${where}.output_modalities`, 'output other than `["text"]`');
  }
  if (Array.isArray(settings.tools) && settings.tools.length > 0) throw notSupported(`${where}.tools`);
  const item = frame.item as { type?: unknown; content?: { type?: unknown }[] } | undefined;
  if (typeof item?.type === 'string' && item.type !== 'message') {
    throw notSupported('item.type', `items of type \`${item.type}\``);
  }
  const part = Array.isArray(item?.content)
    ? item.content.find(({ type }) => /audio|image/.test(String(type)))
    : undefined;
  if (part) throw notSupported('item.content', `content of type \`${String(part.type)}\``);
}
