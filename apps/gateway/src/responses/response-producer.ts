import type { ChatMessage, FileSearchCallItem, ResponseStreamEvent } from '@attune/contracts';
import { CancelledError, UnavailableError, type AppError, type Clock, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../auth/caller.js';
import { ChatService } from '../chat/chat.service.js';
import type { AnswerEvent, ChatRequest } from '../chat/chat.types.js';
import { retrievalQuery } from '../chat/prompt.js';
import { seconds } from '../core/seconds.js';
import { CLOCK, LOGGER } from '../core/tokens.js';
import { toAppError } from '../openai/error-body.js';
import { chatRequestOf } from './chat-request-of.js';
import { ContextFitter } from './context-fitter.js';
import { FileSearchTools, searchCitations, shownSearch } from './file-search.js';
import { itemMessages } from './item-messages.js';
import { ResponseEvents } from './response-events.js';
import type { ResponsePlan } from './response-planner.js';
import { inOwnWords } from './own-words.js';
import { fileSearches, toolSettings } from './response-tools.js';

/** How long a response in the background waits for a place. */
const WAITS_FOR_MS = 600_000;

/** Turns planned responses into their events. */
@Injectable()
export class ResponseProducer {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly chat: ChatService,
    private readonly fitter: ContextFitter,
    private readonly searches: FileSearchTools,
  ) {}

  /**
   * The events of one response, `response.created` to the last. A response in the background has its first events
   * before it is looked at; every other throws what is wrong with it before its first.
   * @param signal ends the answer; the reason `cancelled` or `left` makes it cancelled, any other one failed
   * @param onFailure told what made a response fail after its first event
   */
  async *produce(
    caller: Caller,
    plan: ResponsePlan,
    signal: AbortSignal,
    onFailure: (error: AppError) => void,
  ): AsyncGenerator<ResponseStreamEvent> {
    const events = new ResponseEvents(plan.facts);
    let begun = plan.facts.request.background === true;
    if (begun) yield* events.queued();
    try {
      for await (const batch of this.answer(caller, plan, signal, events)) {
        begun = true;
        yield* batch;
      }
    } catch (thrown) {
      if (!begun) throw inOwnWords(thrown);
      if (signal.aborted) return yield* events.cancel(this.now());
      const error = this.failure(inOwnWords(thrown));
      onFailure(error);
      yield* events.fail(error, this.now());
    }
  }

  /** The events of a response that is only filed. */
  filed(plan: ResponsePlan): ResponseStreamEvent[] {
    return new ResponseEvents(plan.facts).filed(this.now());
  }

  private async *answer(caller: Caller, plan: ResponsePlan, signal: AbortSignal, events: ResponseEvents) {
    const { request } = plan.facts;
    const all = itemMessages([...plan.history, ...plan.input]);
    const tools = fileSearches(request);
    const searched = await this.searches.run(caller, tools, retrievalQuery(all));
    const found = tools.length > 0 ? searchCitations(searched) : undefined;
    const chatRequest = chatRequestOf(plan, this.fitting(plan, all), found);
    const answer = request.background
      ? this.patiently(caller, chatRequest, signal)
      : this.chat.answer(caller, chatRequest, signal);
    for await (const event of answer) {
      if (event.type === 'opened') yield events.begin(event, shown(searched, request.include ?? []));
      else yield events.take(event, this.now());
    }
  }

  /** What is in the background may wait until there is room for it. */
  private async *patiently(caller: Caller, request: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const until = this.clock.monotonicMs() + WAITS_FOR_MS;
    for (;;) {
      try {
        return yield* this.chat.answer(caller, request, signal);
      } catch (thrown) {
        const error = toAppError(thrown);
        const leftMs = until - this.clock.monotonicMs();
        // Only what is refused before it has a row is refused for want of room; a day's quota does not come back in time.
        if (error.kind !== 'rate_limited' || error.code === 'insufficient_quota' || leftMs <= 0) throw error;
        await this.pause(Math.min((error.retryAfterSeconds ?? 1) * 1_000, leftMs), signal);
      }
    }
  }

  /** @throws CancelledError when the response is cancelled or the service stops: no room is needed, or comes, any more */
  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    const { stopping } = this.chat;
    const woken = AbortSignal.any([signal, stopping]);
    await sleep(ms, undefined, { signal: woken, ref: false }).catch(() => undefined);
    if (woken.aborted) throw new CancelledError('The wait for room ended before there was any.');
  }

  private fitting(plan: ResponsePlan, messages: ChatMessage[]): ChatMessage[] {
    const { truncation, instructions, max_output_tokens: maxTokens } = plan.facts.request;
    if (truncation !== 'auto') return messages;
    return this.fitter.fit(messages, {
      instructions: instructions ?? undefined,
      maxTokens: maxTokens ?? undefined,
      tools: toolSettings(plan.facts.request),
    });
  }

  private failure(thrown: unknown): AppError {
    const error = toAppError(thrown);
    if (error.kind === 'internal') this.logger.error({ err: error.cause ?? error }, `mid-response: ${error.message}`);
    if (error.kind !== 'cancelled') return error;
    return new UnavailableError('The server stopped before the answer was complete; ask again.', { cause: error });
  }

  private now(): number {
    return seconds(this.clock.now());
  }
}

const shown = (searched: FileSearchCallItem[], include: readonly string[]) =>
  searched.map((item) => shownSearch(item, include.includes('file_search_call.results')));
