import { responseCreateEvent, type ResponseCreateEvent } from '@attune/contracts';
import { RateLimitedError, type AppError } from '@attune/platform';
import { validate } from '../core/validate.js';
import { errorBody, statusOf, toAppError } from '../openai/error-body.js';
import { refuseUnsupportedResponse } from '../openai/unsupported.js';
import { expectType } from './client-message.js';

/** Requests one socket may have waiting. */
const MOST_WAITING = 32;

export interface ResponsesPorts {
  send(event: object): Promise<void>;
  stream(request: ResponseCreateEvent): AsyncIterable<object>;
  /** Throws when the caller has asked too often. */
  takeRequest(): void;
  onError(error: AppError): void;
}

/** One Responses socket: requests of one `stream_id` are answered in order, those of different ones side by side. */
export class ResponsesSession {
  private readonly lanes = new Map<string, Promise<void>>();
  private waiting = 0;

  constructor(private readonly ports: ResponsesPorts) {}

  /** Never throws: what is wrong with an event is answered with an `error` event. */
  async receive(frame: { type: string } & Record<string, unknown>): Promise<void> {
    const streamId = typeof frame.stream_id === 'string' ? frame.stream_id : undefined;
    try {
      expectType(frame.type, ['response.create']);
      refuseUnsupportedResponse(frame);
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

  /** Resolves when nothing is under way any more. */
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

  private async respond(request: ResponseCreateEvent): Promise<void> {
    try {
      for await (const event of this.ports.stream(request)) await this.ports.send(echo(event, request.stream_id));
    } catch (thrown) {
      await this.reportError(toAppError(thrown), request.stream_id);
    }
  }
}

const echo = (event: object, streamId: string | undefined) =>
  streamId === undefined ? event : { ...event, stream_id: streamId };
