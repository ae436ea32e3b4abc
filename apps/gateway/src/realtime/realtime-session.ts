import {
  realtimeClientEvent,
  type RealtimeClientEvent,
  type RealtimeResponseSettings,
  type RealtimeSessionUpdate,
} from '@attune/contracts';
import { ConflictError, createId, NotFoundError, type AppError } from '@attune/platform';
import type { RequestsLeft } from '../auth/rate-limiter.js';
import type { AnswerEvent, ChatRequest } from '../chat/chat.types.js';
import { validate } from '../core/validate.js';
import { errorBody, toAppError } from '../openai/error-body.js';
import { expectType, type Frame } from './client-message.js';
import { sendAnswer } from './realtime-answer.js';
import { RealtimeConversation } from './realtime-conversation.js';
import { RealtimeSettings, type Fit } from './realtime-settings.js';
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
  /** Throws for what can be no model's name; whether the caller may ask for it, each answer says. */
  expectModel(name: string): void;
  fit: Fit;
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
  private readonly items = new RealtimeConversation(createId);
  private readonly settings: RealtimeSettings;
  private active: ActiveResponse | undefined;

  /** @param model as the client named it */
  constructor(
    private readonly model: string,
    private readonly ports: RealtimePorts,
  ) {
    this.settings = new RealtimeSettings(model);
  }

  /** @throws NotFoundError when there is no such model */
  async begin(): Promise<void> {
    this.ports.expectModel(this.model);
    await this.emit({ type: 'session.created', session: this.settings.view() });
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
    this.settings.update(session);
    return this.emit({ type: 'session.updated', session: this.settings.view() });
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
    const request = this.settings.request(id, settings, this.items, this.ports.fit);
    const done = this.send(request, settings, abort.signal)
      .catch((thrown: unknown) => this.reportError(toAppError(thrown), eventId))
      .finally(() => this.settle(id));
    this.active = { id, abort, done };
  }

  private send(request: ChatRequest, settings: RealtimeResponseSettings, signal: AbortSignal): Promise<void> {
    return sendAnswer({
      events: this.ports.answer(request, signal),
      signal,
      facts: {
        maxOutputTokens: this.settings.maxOutputTokens(settings),
        metadata: settings.metadata ?? null,
        inConversation: settings.conversation !== 'none',
      },
      items: this.items,
      requestsLeft: () => this.ports.requestsLeft(),
      emit: async (events) => {
        for (const event of events) await this.emit(event);
      },
      settle: (response) => this.settle(response),
      onError: (error) => this.ports.onError(error),
    });
  }

  /** From here on the next response may start. */
  private settle(id: string): void {
    if (this.active?.id === id) this.active = undefined;
  }

  private emit(event: object): Promise<void> {
    return this.ports.send({ event_id: createId('event'), ...event });
  }
}
