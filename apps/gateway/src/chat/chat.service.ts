import {
  resolveSampling,
  groundMessages,
  type ChatMessage,
  type Citation,
  type SamplingParams,
} from '@attune/contracts';
import { CompletionRepository, ConversationRepository } from '@attune/persistence';
import {
  CancelledError,
  createId,
  InvalidRequestError,
  messageOf,
  NotFoundError,
  type Clock,
  type Config,
} from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import type { Caller } from '../auth/caller.js';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import { CLOCK, CONFIG } from '../core/tokens.js';
import { PassageSearch } from '../documents/passage-search.js';
import { InferenceService } from '../inference/inference.service.js';
import { ServedModel } from '../inference/served-model.js';
import type { AnswerEvent, ChatRequest } from './chat.types.js';
import { CompletionCloser } from './completion-closer.js';
import { CompletionRecord } from './completion-record.js';
import { answerRoom, conversationTitle, passageBudget, retrievalQuery, withSystemPrompt } from './prompt.js';

/** A request with every decision taken. */
interface Plan {
  id: string;
  messages: ChatMessage[];
  citations: Citation[];
  promptIds: number[];
  maxTokens: number;
  sampling: SamplingParams;
}

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
    private readonly conversations: ConversationRepository,
    private readonly completions: CompletionRepository,
    private readonly closer: CompletionCloser,
    private readonly places: ConcurrencyLimiter,
  ) {}

  /**
   * Answers one request: plan, open the row, generate, close the row. Nothing happens before the first `next()`, and
   * leaving the loop, aborting `signal` or an error closes the row too.
   * @throws AppError of any kind; CancelledError when `signal` ended the answer
   */
  async *answer(caller: Caller, request: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const requestedAt = this.clock.monotonicMs();
    const release = this.places.acquire(caller.keyId);
    try {
      const plan = await this.plan(request);
      const record = new CompletionRecord(this.clock, plan.promptIds.length, requestedAt);
      const conversationId = await this.open(caller, request, plan);
      yield {
        type: 'opened',
        id: plan.id,
        created: Math.floor(this.clock.now().getTime() / 1000),
        model: this.model.id,
        conversationId,
        citations: plan.citations,
      };
      yield* this.generate(caller, request, plan, record, signal);
    } finally {
      release();
    }
  }

  /** Ends every answer under way: their rows are closed as cancelled. */
  stop(): void {
    this.stopping.abort();
  }

  private async plan(request: ChatRequest): Promise<Plan> {
    this.model.expect(request.model);
    const messages = withSystemPrompt(request.messages, this.config.model.systemPrompt);
    const citations = await this.cite(messages, request);
    const promptIds = this.inference.encodePrompt(
      groundMessages(
        messages,
        citations.map((citation) => citation.quote),
      ),
    );
    return {
      id: request.id ?? createId('chatcmpl'),
      messages,
      citations,
      promptIds,
      maxTokens: answerRoom(this.model.id, this.model.context, promptIds.length, request.maxTokens),
      sampling: resolveSampling(request.sampling, randomInt(2 ** 32)),
    };
  }

  /** The passages the answer is to stand on, best first, as many as the context has room for. */
  private async cite(messages: ChatMessage[], request: ChatRequest): Promise<Citation[]> {
    const query = retrievalQuery(messages);
    if (!request.retrieval || this.config.retrieval.retrieval === 'off' || query === undefined) return [];
    const messageTokens = this.inference.encodePrompt(messages).length;
    const budget = passageBudget(this.model.context, messageTokens, request.maxTokens);
    return this.passages.cite(query, budget, (text) => this.inference.countTokens(text));
  }

  /** Commits the completion row; from here on feedback can refer to the answer. Returns the conversation's id. */
  private async open(caller: Caller, request: ChatRequest, plan: Plan): Promise<string> {
    const original = await this.original(caller, request.regenerateOf);
    const asked = request.conversationId ?? caller.conversationId ?? original?.conversationId;
    if (original && asked !== original.conversationId) {
      throw new InvalidRequestError(
        `\`metadata.regenerate_of\` names a completion of conversation \`${original.conversationId}\`, not of \`${asked}\`; leave \`conversation_id\` out.`,
        { param: 'metadata.regenerate_of' },
      );
    }
    const title = conversationTitle(plan.messages);
    const conversation = await this.conversations.findOrCreate(asked, caller.userId, title);
    await this.completions.open({
      id: plan.id,
      conversationId: conversation.id,
      userId: caller.userId,
      apiKeyId: caller.keyId,
      regenerateOf: request.regenerateOf ?? null,
      source: request.source,
      model: this.model.id,
      messages: plan.messages,
      promptTokenIds: plan.promptIds,
      sampling: { ...plan.sampling, maxTokens: plan.maxTokens, stop: request.stop },
      seed: plan.sampling.seed,
      promptTokens: plan.promptIds.length,
      citations: plan.citations,
    });
    return conversation.id;
  }

  private async original(caller: Caller, id: string | undefined) {
    if (id === undefined) return undefined;
    const completion = await this.completions.get(id);
    if (completion.userId !== caller.userId) {
      throw new NotFoundError(`You have no completion \`${id}\`.`, { param: 'metadata.regenerate_of' });
    }
    return completion;
  }

  private async *generate(
    caller: Caller,
    request: ChatRequest,
    plan: Plan,
    record: CompletionRecord,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerEvent> {
    const { id, promptIds, maxTokens, sampling } = plan;
    const run = { id, promptIds, maxTokens, sampling, stop: request.stop, user: caller.userId };
    let reason: 'stop' | 'length' | 'cancelled' = 'cancelled';
    try {
      for await (const event of this.inference.generate(run, AbortSignal.any([signal, this.stopping.signal]))) {
        record.note(event);
        if (event.type === 'started') yield { type: 'started', fingerprint: event.fingerprint };
        else if (event.type === 'finished') reason = event.reason;
        else if (event.text !== '') yield { type: 'text', text: event.text };
      }
    } catch (error) {
      record.fail(messageOf(error));
      throw error;
    } finally {
      await this.closer.close(id, record);
    }
    if (reason === 'cancelled') throw new CancelledError('The request was cancelled before its answer was complete.');
    yield { type: 'finished', reason, usage: record.usage };
  }
}
