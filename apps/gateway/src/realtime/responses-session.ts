import {
  responseCreateEvent,
  type ResponseCreateEvent,
  type ResponseRequest,
  type ResponseStreamEvent,
} from '@attune/contracts';
import type { ResponsePast } from '@attune/persistence';
import { RateLimitedError, type AppError } from '@attune/platform';
import { validate } from '../core/validate.js';
import { errorBody, statusOf, toAppError } from '../openai/error-body.js';
import type { SocketMemory } from '../responses/responses.service.js';
import { expectType, type Frame } from './client-message.js';
import type { SocketSession } from './socket-sessions.js';

/** Requests one socket may have waiting. */
const MOST_WAITING = 32;
/** Responses that are not stored which a socket remembers, the latest. */
const MOST_REMEMBERED = 16;

export interface ResponsesPorts {
  send(event: object): Promise<void>;
  stream(request: ResponseRequest, memory: SocketMemory): AsyncIterable<ResponseStreamEvent>;
  /** The events of a request that asks for no answer. */
  file(request: ResponseRequest, memory: SocketMemory): AsyncIterable<ResponseStreamEvent>;
  /** Throws when the caller has asked too often. */
  takeRequest(): void;
  onError(error: AppError): void;
}

/** One Responses socket: requests of one `stream_id` are answered in order, those of different ones side by side. */
export class ResponsesSession implements SocketSession {
  private readonly lanes = new Map<string, Promise<void>>();
  private readonly memory = new LatestResponses();
  private waiting = 0;

  constructor(private readonly ports: ResponsesPorts) {}

  async receive(frame: Frame): Promise<void> {
    const streamId = typeof frame.stream_id === 'string' ? frame.stream_id : undefined;
    try {
      expectType(frame.type, ['response.create']);
      const request = validate(responseCreateEvent, frame);
      this.ports.takeRequest();
      this.enqueue(request);
    } catch (thrown) {
      await this.reportError(toAppError(thrown), streamId);
    }
  }

  /** A protocol error: it belongs to no response, so the status an HTTP answer would have had goes with it. */
  async reportError(error: AppError, streamId?: string): Promise<void> {
    if (error.kind === 'internal') this.ports.onError(error);
    const event = { type: 'error', status: statusOf(error), error: errorBody(error).error };
    await this.ports.send(echo(event, streamId));
  }

  async idle(): Promise<void> {
    await Promise.all(this.lanes.values());
  }

  private enqueue(request: ResponseCreateEvent): void {
    if (this.waiting >= MOST_WAITING) {
      throw new RateLimitedError(`${this.waiting} requests of this socket are unanswered; wait for some of them.`, {
        retryAfterSeconds: 1,
      });
    }
    this.waiting += 1;
    const lane = request.stream_id ?? '';
    const turn = (this.lanes.get(lane) ?? Promise.resolve()).then(() => this.respond(request));
    this.lanes.set(lane, turn);
    void turn.then(() => {
      this.waiting -= 1;
      if (this.lanes.get(lane) === turn) this.lanes.delete(lane);
    });
  }

  private async respond(event: ResponseCreateEvent): Promise<void> {
    const { type: _, event_id: __, stream_id: streamId, generate, ...request } = event;
    const events = generate === false ? this.ports.file(request, this.memory) : this.ports.stream(request, this.memory);
    try {
      for await (const one of events) await this.ports.send(echo(one, streamId));
    } catch (thrown) {
      // A chain that broke starts anew from its beginning, not from a turn that is half known.
      if (request.previous_response_id) this.memory.forget(request.previous_response_id);
      await this.reportError(toAppError(thrown), streamId);
    }
  }
}

/** The latest responses that are not stored, for the chains of this socket alone. */
class LatestResponses implements SocketMemory {
  private readonly byId = new Map<string, ResponsePast>();

  get(id: string): ResponsePast | undefined {
    return this.byId.get(id);
  }

  put(id: string, past: ResponsePast): void {
    this.byId.set(id, past);
    if (this.byId.size > MOST_REMEMBERED) this.forget(this.byId.keys().next().value!);
  }

  forget(id: string): void {
    this.byId.delete(id);
  }
}

const echo = (event: object, streamId: string | undefined) =>
  streamId === undefined ? event : { ...event, stream_id: streamId };
