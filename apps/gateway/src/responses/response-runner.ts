import type { ResponseStreamEvent } from '@attune/contracts';
import { RunningResponseRepository } from '@attune/persistence';
import { messageOf, type AppError, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { LOGGER } from '../core/tokens.js';
import { EventJournal } from './event-journal.js';
import { isLast } from './response-events.js';
import { ResponseFiler } from './response-filer.js';
import type { ResponsePlan } from './response-planner.js';
import { ResponseProducer } from './response-producer.js';
import { ENDED_ELSEWHERE, RunningResponse, RunningResponses } from './running-responses.js';

/** How long a streamed answer goes on when its reader is gone, so that a connection that was cut can be resumed. */
const RESUME_WITHIN_MS = 10_000;
/** A reader on another gateway says every two seconds that it is there. */
const READ_LATELY_MS = 5_000;

/** Answers responses, and files those that are stored. */
@Injectable()
export class ResponseRunner {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly producer: ResponseProducer,
    private readonly filer: ResponseFiler,
    private readonly responses: RunningResponseRepository,
    private readonly running: RunningResponses,
    private readonly journal: EventJournal,
  ) {}

  /**
   * The events as they come; who leaves ends the answer. A stored response is filed when it has ended.
   * @param onFailure told what made it fail after its first event
   */
  async *attached(
    caller: Caller,
    plan: ResponsePlan,
    signal: AbortSignal,
    onFailure: (error: AppError) => void = () => undefined,
  ): AsyncGenerator<ResponseStreamEvent> {
    for await (const event of this.producer.produce(caller, plan, signal, onFailure)) {
      yield isLast(event) ? await this.filer.end(caller, plan, event) : event;
    }
  }

  /** Files a request that asks for no answer. */
  async filed(caller: Caller, plan: ResponsePlan): Promise<ResponseStreamEvent[]> {
    const events = this.producer.filed(plan);
    return [...events.slice(0, -1), await this.filer.end(caller, plan, events.at(-1)!)];
  }

  /**
   * A stored response that goes on without its reader: in the background to its end, otherwise for
   * {@link RESUME_WITHIN_MS}. Resolves when its row is there and its first event can be read.
   * @throws AppError what is wrong with the request, before there was a first event
   */
  async detached(caller: Caller, plan: ResponsePlan): Promise<RunningResponse> {
    const response = new RunningResponse(plan.facts.id, caller.userId);
    if (!plan.facts.request.background) response.whenLeft(() => void this.stopUnlessResumed(response));
    const begun = new Promise<void>((resolve, reject) => {
      response.done = this.pump(caller, plan, response, resolve).catch((error: unknown) => {
        this.logger.debug({ response: response.id }, `response not begun or not filed: ${messageOf(error)}`);
        reject(error);
      });
    });
    await begun;
    return response;
  }

  private async pump(caller: Caller, plan: ResponsePlan, response: RunningResponse, begun: () => void): Promise<void> {
    const note = (error: AppError) => (response.failure = error);
    this.running.add(response);
    try {
      for await (const said of this.producer.produce(caller, plan, response.stopping.signal, note)) {
        if (isFirst(said, plan)) await this.filer.begin(caller, plan, said);
        const event = isLast(said) ? await this.filer.end(caller, plan, said) : said;
        // The stream that others read has its end.
        if (response.stopping.signal.reason !== ENDED_ELSEWHERE) this.journal.add(response.id, event, response.tail);
        response.tail.push(event);
        begun();
      }
    } finally {
      response.tail.end();
      this.running.remove(response.id);
    }
  }

  private async stopUnlessResumed(response: RunningResponse): Promise<void> {
    for (let waitMs = RESUME_WITHIN_MS; ; waitMs = READ_LATELY_MS) {
      await Promise.race([sleep(waitMs), response.done]);
      if (response.isRead || this.running.get(response.id) !== response) return;
      const read = await this.responses.wasRead(response.id, READ_LATELY_MS).catch(() => false);
      if (!read) return response.stop('left');
    }
  }
}

/** Keeps no process alive. */
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());

/** The events whose state the row must show before anybody is told. */
const isFirst = ({ type }: ResponseStreamEvent, plan: ResponsePlan) =>
  type === 'response.created' || (type === 'response.in_progress' && plan.facts.request.background === true);
