import type { ResponseObject, ResponseRequest, ResponseStreamEvent } from '@attune/contracts';
import { ResponseRepository, type ResponsePast, type StoredResponse } from '@attune/persistence';
import { InternalError, InvalidRequestError, type AppError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { keyInUse, keyReused, type Idempotency } from '../openai/idempotency.js';
import { isLast } from './response-events.js';
import { ResponsePlanner, type ResponseMemory, type ResponsePlan } from './response-planner.js';
import { ResponseReader } from './response-reader.js';
import { ResponseRunner } from './response-runner.js';

/** What a socket remembers of the responses that are not stored. */
export interface SocketMemory extends ResponseMemory {
  put(id: string, past: ResponsePast): void;
}

/** Responses, whatever transport carries their events. */
@Injectable()
export class ResponsesService {
  constructor(
    private readonly planner: ResponsePlanner,
    private readonly runner: ResponseRunner,
    private readonly reader: ResponseReader,
    private readonly stored: ResponseRepository,
  ) {}

  /**
   * The whole response; in the background: as it is queued.
   * @throws AppError; of a response that failed, what made it fail
   */
  async create(
    caller: Caller,
    request: ResponseRequest,
    signal: AbortSignal,
    idempotency?: Idempotency,
  ): Promise<ResponseObject> {
    const known = await this.known(caller, idempotency);
    if (known && known.endedAt === null && !request.background) throw keyInUse();
    if (known) return known.body;
    const plan = { ...(await this.plan(caller, request)), idempotency };
    if (request.background) return this.queued(caller, plan);
    let failure: AppError | undefined;
    let last: ResponseStreamEvent | undefined;
    for await (const event of this.runner.attached(caller, plan, signal, (error) => (failure = error))) last = event;
    // Without a stream the status line is still to be written, and says more than a field would.
    if (failure) throw failure;
    if (!last?.response) throw new InternalError('The response ended without saying how.');
    return last.response;
  }

  /**
   * The events of one response, `response.created` to the last.
   * @throws AppError before the first event only; `previous_response_not_found` among them
   */
  async *stream(
    caller: Caller,
    request: ResponseRequest,
    signal: AbortSignal,
    { memory, idempotency }: { memory?: SocketMemory; idempotency?: Idempotency } = {},
  ): AsyncGenerator<ResponseStreamEvent> {
    const known = await this.known(caller, idempotency);
    if (known) return yield* this.reader.follow(known.id, caller.userId, -1, signal);
    const plan = { ...(await this.plan(caller, request, memory)), idempotency };
    if (request.store === false) return yield* remembering(plan, this.runner.attached(caller, plan, signal), memory);
    const response = await this.runner.detached(caller, plan);
    yield* this.reader.followHere(response, -1, signal);
  }

  /** Files a request that asks for no answer; later ones may continue from it. */
  async *file(caller: Caller, request: ResponseRequest, memory: SocketMemory): AsyncGenerator<ResponseStreamEvent> {
    const plan = await this.plan(caller, request, memory);
    const events = await this.runner.filed(caller, plan);
    if (request.store === false) remember(plan, events.at(-1)!, memory);
    yield* events;
  }

  /**
   * What an earlier request with this key has made.
   * @throws InvalidRequestError when it was another request
   */
  private async known(caller: Caller, idempotency: Idempotency | undefined): Promise<StoredResponse | null> {
    if (!idempotency) return null;
    const known = await this.stored.findByIdempotencyKey(caller.userId, idempotency.key);
    if (known && known.requestHash !== idempotency.requestHash) throw keyReused();
    return known;
  }

  private async queued(caller: Caller, plan: ResponsePlan): Promise<ResponseObject> {
    const { tail } = await this.runner.detached(caller, plan);
    const first = tail.after(-1);
    if (typeof first !== 'object' || !first.response) throw new InternalError('The response was not queued.');
    return first.response;
  }

  private plan(caller: Caller, request: ResponseRequest, memory?: SocketMemory): Promise<ResponsePlan> {
    if (request.background && request.store === false) {
      throw new InvalidRequestError('What runs in the background has to be stored; leave `store` out.', {
        param: 'store',
      });
    }
    return this.planner.plan(caller, request, memory);
  }
}

async function* remembering(
  plan: ResponsePlan,
  events: AsyncIterable<ResponseStreamEvent>,
  memory: SocketMemory | undefined,
): AsyncGenerator<ResponseStreamEvent> {
  for await (const event of events) {
    if (isLast(event)) remember(plan, event, memory);
    yield event;
  }
}

function remember(plan: ResponsePlan, { response }: ResponseStreamEvent, memory: SocketMemory | undefined): void {
  if (!response) return;
  memory?.put(response.id, { items: [...plan.history, ...plan.input, ...response.output], last: response });
}
