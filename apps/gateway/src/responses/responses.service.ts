import type { ResponseObject, ResponseRequest, ResponseStreamEvent } from '@attune/contracts';
import { ResponseRepository, type ResponsePast, type StoredResponse } from '@attune/persistence';
import { InternalError, InvalidRequestError, type AppError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { keyInUse, type Idempotency } from '../openai/idempotency.js';
import { IdempotentRequests, type Claim, type Claimed } from '../openai/idempotent-requests.js';
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
    private readonly keyed: IdempotentRequests,
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
    const claim = await this.claim(caller, idempotency);
    if (claim.kind === 'known') {
      if (claim.stored.endedAt === null && !request.background) throw keyInUse();
      return claim.stored.body;
    }
    return this.claimed(claim, async () => {
      const plan = await this.plan(caller, request);
      return request.background ? this.queued(caller, plan) : this.whole(caller, plan, signal);
    });
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
    const claim = await this.claim(caller, idempotency);
    if (claim.kind === 'known') return yield* this.reader.follow(claim.stored.id, caller.userId, -1, signal);
    try {
      const plan = await this.plan(caller, request, memory);
      if (request.store === false) return yield* remembering(plan, this.runner.attached(caller, plan, signal), memory);
      const response = await this.runner.detached(caller, plan);
      await claim.settle([response.id]);
      yield* this.reader.followHere(response, -1, signal);
    } finally {
      await claim.release();
    }
  }

  /** Files a request that asks for no answer; later ones may continue from it. */
  async *file(caller: Caller, request: ResponseRequest, memory: SocketMemory): AsyncGenerator<ResponseStreamEvent> {
    const plan = await this.plan(caller, request, memory);
    const events = await this.runner.filed(caller, plan);
    if (request.store === false) remember(plan, events.at(-1)!, memory);
    yield* events;
  }

  private claim(caller: Caller, idempotency: Idempotency | undefined): Promise<Claimed<StoredResponse>> {
    return this.keyed.claim(caller, idempotency, async ([id]) => {
      const response = await this.stored.find(id, caller.userId);
      return response?.status === 'failed' || response?.status === 'cancelled' ? null : response;
    });
  }

  /** Only a response that is stored can be told again. */
  private async claimed(claim: Claim, answer: () => Promise<ResponseObject>): Promise<ResponseObject> {
    try {
      const response = await answer();
      if (response.store) await claim.settle([response.id]);
      return response;
    } finally {
      await claim.release();
    }
  }

  private async whole(caller: Caller, plan: ResponsePlan, signal: AbortSignal): Promise<ResponseObject> {
    let failure: AppError | undefined;
    let last: ResponseStreamEvent | undefined;
    for await (const event of this.runner.attached(caller, plan, signal, (error) => (failure = error))) last = event;
    // Without a stream the status line is still to be written, and says more than a field would.
    if (failure) throw failure;
    if (!last?.response) throw new InternalError('The response ended without saying how.');
    return last.response;
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
