import type { FinishReason } from '@attune/contracts';
import { CancelledError, createId, messageOf, NotFoundError, type Clock } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import { KeyQuotas } from '../auth/key-quotas.js';
import { CLOCK } from '../core/tokens.js';
import type { InferenceStream } from '../inference/inference-stream.js';
import { CheckpointAccess } from '../inference/checkpoint-access.js';
import { InferenceService } from '../inference/inference.service.js';
import { ServedModel } from '../inference/served-model.js';
import { ServedWeights } from '../inference/served-weights.js';
import { callMarks } from '../tools/call-marks.js';
import { callable } from '../tools/tool-settings.js';
import { AnswerReader } from './answer-reader.js';
import { ChatPlanner } from './chat-planner.js';
import type { AnswerEvent, ChatRequest, OpenedEvent, Plan } from './chat.types.js';
import { CompletionCloser } from './completion-closer.js';
import { CompletionOpener } from './completion-opener.js';
import { CompletionRecord } from './completion-record.js';

/** The one road of every question, whichever door it came in by. */
@Injectable()
export class ChatService {
  private readonly running = new Set<InferenceStream>();
  private readonly stopper = new AbortController();

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly model: ServedModel,
    private readonly planner: ChatPlanner,
    private readonly inference: InferenceService,
    private readonly access: CheckpointAccess,
    private readonly weights: ServedWeights,
    private readonly opener: CompletionOpener,
    private readonly closer: CompletionCloser,
    private readonly places: ConcurrencyLimiter,
    private readonly quotas: KeyQuotas,
  ) {}

  /**
   * Answers one request: look whose it is, plan, open the row, generate, close the row. Nothing happens before the first
   * `next()`, and leaving the loop, aborting `left` or an error closes the row too.
   * @throws AppError of any kind; CancelledError when `left` ended the answer, or its caller wants it no more
   */
  async *answer(caller: Caller, request: ChatRequest, left: AbortSignal): AsyncGenerator<AnswerEvent> {
    const signal = caller.unwanted ? AbortSignal.any([left, caller.unwanted]) : left;
    const requestedAt = this.clock.monotonicMs();
    const { maxConcurrent } = await this.quotas.take(caller.keyId);
    const held: Held = [this.places.acquire(caller.keyId, maxConcurrent)];
    try {
      if (signal.aborted) throw cancelled();
      const { plan, opened, events, first, record } = await this.begin(caller, request, signal, held, requestedAt);
      const reader = this.reader(request);
      let reason: FinishReason | 'cancelled' = 'cancelled';
      try {
        yield opened;
        for (let next = await first; !next.done; next = await events.next()) {
          record.note(next.value);
          for (const said of reader.read(next.value)) {
            record.say(said);
            yield said;
          }
          if (next.value.type === 'finished' && next.value.reason !== 'cancelled') {
            reason = reader.reason(next.value.reason);
            record.end(reason);
          }
        }
      } catch (error) {
        record.fail(messageOf(error));
        throw error;
      } finally {
        await events.return();
        await this.closer.close(plan.id, record);
      }
      if (reason === 'cancelled') throw cancelled();
      yield { type: 'finished', reason, usage: record.usage };
    } finally {
      for (const giveBack of held) giveBack();
    }
  }

  /** Aborts when every answer is to end. */
  get stopping(): AbortSignal {
    return this.stopper.signal;
  }

  /** Ends every answer under way: their rows are closed as cancelled. */
  stop(): void {
    this.stopper.abort();
    for (const events of this.running) events.cancel();
  }

  /** Plans the answer, starts the engine on it and opens its row. @param held takes what is to be given back at the end */
  private async begin(
    caller: Caller,
    request: ChatRequest,
    signal: AbortSignal,
    held: Held,
    requestedAt: number,
  ): Promise<Turn> {
    const leaveQueue = this.inference.reserve();
    held.push(leaveQueue);
    const place = await this.opener.place(caller, request);
    const plan = await this.planner.plan(request);
    await this.access.expect(caller, request.model);
    const chosen = await this.weights.choose(request.model);
    held.push(chosen.release);
    const events = this.generate(caller, request, plan, chosen.adapter, signal);
    held.push(() => this.running.delete(events));
    // The engine reads the prompt while the row is being committed; but nothing is sent before it is.
    const first = events.next();
    first.then(leaveQueue, leaveQueue);
    const record = new CompletionRecord(this.clock, plan.promptIds.length, requestedAt);
    try {
      const conversationId = await this.opener.open(caller, request, plan, place);
      return { plan, events, first, record, opened: this.opened(plan, conversationId) };
    } catch (error) {
      void events.return();
      record.fail(messageOf(error));
      if (!(error instanceof NotFoundError)) void this.closer.closeIfOpen(plan.id, record);
      throw error;
    }
  }

  private generate(
    caller: Caller,
    request: ChatRequest,
    plan: Plan,
    adapter: string | null | undefined,
    signal: AbortSignal,
  ): InferenceStream {
    const { stop, topLogprobs, ignoreEos } = request;
    const patient = request.patient || caller.patient;
    const format = this.callFormat(request);
    const keepTokens = format && callMarks[format].specialTokens;
    const events = this.inference.generate(
      { ...plan, adapter, stop, topLogprobs, ignoreEos, patient, keepTokens, user: caller.keyId },
      signal,
    );
    this.running.add(events);
    if (this.stopping.aborted) events.cancel();
    return events;
  }

  private reader(request: ChatRequest): AnswerReader {
    return new AnswerReader(this.callFormat(request), () => createId('call'));
  }

  private callFormat(request: ChatRequest) {
    return callable(request.tools).length > 0 ? this.inference.toolCallFormat : undefined;
  }

  private opened({ id, citations }: Plan, conversationId: string): OpenedEvent {
    const created = Math.floor(this.clock.now().getTime() / 1000);
    return { type: 'opened', id, created, model: this.model.id, conversationId, citations };
  }
}

/** What an answer has taken and gives back when it is over. */
type Held = (() => void)[];

/** An answer whose row is open and on which the engine works. */
interface Turn {
  plan: Plan;
  opened: OpenedEvent;
  events: InferenceStream;
  first: ReturnType<InferenceStream['next']>;
  record: CompletionRecord;
}

const cancelled = () => new CancelledError('The request was cancelled before its answer was complete.');
