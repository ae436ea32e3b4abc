import {
  groundMessages,
  resolveSampling,
  type ChatMessage,
  type Citation,
  type FinishReason,
  type OutputStructure,
} from '@attune/contracts';
import { CancelledError, createId, messageOf, type Clock, type Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import type { Caller } from '../auth/caller.js';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import { KeyQuotas } from '../auth/key-quotas.js';
import { CLOCK, CONFIG } from '../core/tokens.js';
import { PassageSearch } from '../documents/passage-search.js';
import { InferenceService } from '../inference/inference.service.js';
import { ServedModel } from '../inference/served-model.js';
import { ServedWeights } from '../inference/served-weights.js';
import { callMarks } from '../tools/call-marks.js';
import { callable, declarations, toolStructure } from '../tools/tool-settings.js';
import { AnswerReader } from './answer-reader.js';
import type { AnswerEvent, ChatRequest, OpenedEvent, Plan } from './chat.types.js';
import { CompletionCloser } from './completion-closer.js';
import { CompletionOpener } from './completion-opener.js';
import { CompletionRecord } from './completion-record.js';
import {
  answerRoom,
  expectFits,
  expectKnownTokens,
  passageBudget,
  retrievalQuery,
  withInstructions,
  withSystemPrompt,
} from './prompt.js';

/** The one road of every question, whichever door it came in by. */
@Injectable()
export class ChatService {
  private readonly stopping = new AbortController();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly model: ServedModel,
    private readonly passages: PassageSearch,
    private readonly inference: InferenceService,
    private readonly weights: ServedWeights,
    private readonly opener: CompletionOpener,
    private readonly closer: CompletionCloser,
    private readonly places: ConcurrencyLimiter,
    private readonly quotas: KeyQuotas,
  ) {}

  /**
   * Answers one request: look whose it is, plan, open the row, generate, close the row. Nothing happens before the first
   * `next()`, and leaving the loop, aborting `signal` or an error closes the row too.
   * @throws AppError of any kind; CancelledError when `signal` ended the answer
   */
  async *answer(caller: Caller, request: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const requestedAt = this.clock.monotonicMs();
    const { maxConcurrent } = await this.quotas.take(caller.keyId);
    const release = this.places.acquire(caller.keyId, maxConcurrent);
    let leaveQueue = () => {};
    let releaseWeights = () => {};
    try {
      if (signal.aborted) throw cancelled();
      leaveQueue = this.inference.reserve();
      const place = await this.opener.place(caller, request);
      const plan = await this.plan(request);
      const chosen = await this.weights.choose(request.model);
      releaseWeights = chosen.release;
      const record = new CompletionRecord(this.clock, plan.promptIds.length, requestedAt);
      yield* this.run({ caller, request, plan, place, record, leaveQueue, adapter: chosen.adapter }, signal);
    } finally {
      leaveQueue();
      releaseWeights();
      release();
    }
  }

  /** Ends every answer under way: their rows are closed as cancelled. */
  stop(): void {
    this.stopping.abort();
  }

  private async plan(request: ChatRequest): Promise<Plan> {
    this.model.expect(request.model);
    const sampling = resolveSampling(request.sampling, randomInt(2 ** 32));
    if (sampling.logitBias) {
      expectKnownTokens(Object.keys(sampling.logitBias), this.model.tokenizer.vocabSize, 'logit_bias');
    }
    const structure = await this.structure(request);
    const { messages, citations, promptIds } = await this.prompt(request);
    const maxTokens = answerRoom(
      this.model.id,
      this.model.context,
      promptIds.length,
      request.maxTokens,
      request.prompt ? 'prompt' : 'messages',
    );
    return { id: request.id ?? createId('chatcmpl'), messages, citations, promptIds, maxTokens, sampling, structure };
  }

  /** A call's arguments must follow their schema, and the text what was asked of it; calls that must come go first. */
  private async structure(request: ChatRequest): Promise<OutputStructure | undefined> {
    const calls = toolStructure(request.tools, this.inference.toolCallFormat);
    const structure = calls ?? request.structure;
    if (structure)
      await this.inference.expectStructure(structure, calls ? 'tools' : (request.structureParam ?? 'response_format'));
    return structure;
  }

  private async prompt(request: ChatRequest): Promise<Prompt> {
    const { id: model, context, longestToken } = this.model;
    if (request.prompt) return { messages: request.messages, citations: [], promptIds: request.prompt.ids };
    const asked = withInstructions(request.messages, request.instructions);
    const messages = withSystemPrompt(asked, this.config.model.systemPrompt);
    expectFits(model, context, messages, longestToken, declarations(request.tools));
    const plainIds = this.inference.encodePrompt(messages, declarations(request.tools));
    answerRoom(model, context, plainIds.length, request.maxTokens);
    return { messages, ...(await this.ground(messages, plainIds, request)) };
  }

  /** The prompt with the passages the answer is to stand on, the best ones, as many as the context has room for. */
  private async ground(messages: ChatMessage[], plainIds: number[], request: ChatRequest): Promise<Grounded> {
    const citations = await this.cite(messages, plainIds.length, request);
    for (; citations.length > 0; citations.pop()) {
      const quotes = citations.map((citation) => citation.quote);
      const promptIds = this.inference.encodePrompt(groundMessages(messages, quotes), declarations(request.tools));
      // The budget knows the passages, but not the words around them.
      if (promptIds.length + (request.maxTokens ?? 1) <= this.model.context) return { citations, promptIds };
    }
    return { citations, promptIds: plainIds };
  }

  private async cite(messages: ChatMessage[], messageTokens: number, request: ChatRequest): Promise<Citation[]> {
    if (request.passages) return [...request.passages];
    const query = retrievalQuery(messages);
    if (!request.retrieval || this.config.retrieval.retrieval === 'off' || query === undefined) return [];
    const budget = passageBudget(this.model.context, messageTokens, request.maxTokens);
    return this.passages.cite(query, budget, (text) => this.inference.countTokens(text));
  }

  private async *run(turn: Turn, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const { caller, request, plan, place, record, leaveQueue, adapter } = turn;
    const ended = new AbortController();
    const format = callable(request.tools).length > 0 ? this.inference.toolCallFormat : undefined;
    const reader = new AnswerReader(format, () => createId('call'));
    const { stop, topLogprobs, ignoreEos } = request;
    const patient = request.patient || caller.patient;
    const keepTokens = format && callMarks[format].specialTokens;
    const events = this.inference.generate(
      { ...plan, adapter, stop, topLogprobs, ignoreEos, patient, keepTokens, user: caller.keyId },
      AbortSignal.any([signal, this.stopping.signal, ended.signal]),
    );
    const end = async () => {
      // The iterator alone would return only when the prompt has been read.
      ended.abort();
      await events.return(undefined).catch(() => undefined);
    };
    // The engine reads the prompt while the row is being committed; but nothing is sent before it is.
    const first = events.next();
    first.then(leaveQueue, leaveQueue);
    const conversationId = await this.opener.open(caller, request, plan, place).catch((error: unknown) => {
      void end();
      throw error;
    });
    let reason: FinishReason | 'cancelled' = 'cancelled';
    try {
      yield this.opened(plan, conversationId);
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
      await end();
      await this.closer.close(plan.id, record);
    }
    if (reason === 'cancelled') throw cancelled();
    yield { type: 'finished', reason, usage: record.usage };
  }

  private opened({ id, citations }: Plan, conversationId: string): OpenedEvent {
    const created = Math.floor(this.clock.now().getTime() / 1000);
    return { type: 'opened', id, created, model: this.model.id, conversationId, citations };
  }
}

type Grounded = Pick<Plan, 'citations' | 'promptIds'>;
type Prompt = Pick<Plan, 'messages' | 'citations' | 'promptIds'>;

/** A planned request of a caller, and what becomes of it. */
interface Turn {
  caller: Caller;
  request: ChatRequest;
  plan: Plan;
  place: string | undefined;
  record: CompletionRecord;
  leaveQueue: () => void;
  /** See `ChosenWeights`. */
  adapter: string | null | undefined;
}

const cancelled = () => new CancelledError('The request was cancelled before its answer was complete.');
