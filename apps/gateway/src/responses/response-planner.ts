import type { ResponseItem, ResponseRequest } from '@attune/contracts';
import { ConversationItemRepository, ResponseRepository, type ResponsePast } from '@attune/persistence';
import { createId, InvalidRequestError, NotFoundError, type Clock, type Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { seconds } from '../core/seconds.js';
import { CLOCK, CONFIG } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';
import { inputItems, isReference, resolveReferences } from './items.js';
import type { ResponseFacts } from './response-view.js';

const SECONDS_A_DAY = 86_400;

/** A request with everything looked up. */
export interface ResponsePlan {
  facts: ResponseFacts;
  /** What was said before, oldest first. */
  history: ResponseItem[];
  /** The items of this request alone. */
  input: ResponseItem[];
  /** The conversation the answer's items are added to, and the last of its items in `history`. */
  conversationId: string | null;
  conversationUntil: number | null;
  /** The conversation the completion is filed under; undefined: a new one. */
  filedUnder: string | undefined;
}

/** Responses that are not stored, as long as the socket they were asked over remembers them. */
export interface ResponseMemory {
  get(id: string): ResponsePast | undefined;
}

/** Finds what a request refers to. */
@Injectable()
export class ResponsePlanner {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly model: ServedModel,
    private readonly responses: ResponseRepository,
    private readonly conversations: ConversationItemRepository,
  ) {}

  /** @throws InvalidRequestError, `previous_response_not_found` among them; NotFoundError for model or conversation */
  async plan(caller: Caller, request: ResponseRequest, memory?: ResponseMemory): Promise<ResponsePlan> {
    expectOnePast(request);
    const model = request.model ?? this.model.id;
    this.model.expect(model);
    const conversation = conversationOf(request);
    const past = request.previous_response_id
      ? await this.past(caller, request.previous_response_id, memory)
      : undefined;
    const said = conversation === null ? undefined : await this.said(caller, conversation);
    const history = past?.items ?? said?.items ?? [];
    const input = await this.input(caller, request, history);
    if (input.length + history.length === 0) {
      throw new InvalidRequestError('`input` is empty; send a text or at least one item.', { param: 'input' });
    }
    return {
      facts: {
        id: createId('resp'),
        createdAt: seconds(this.clock.now()),
        model: this.model.id,
        request,
        conversation,
      },
      history,
      input,
      conversationId: conversation,
      conversationUntil: said?.until ?? null,
      filedUnder: conversation ?? request.metadata?.conversation_id ?? past?.last.conversation_id ?? undefined,
    };
  }

  private async input(caller: Caller, request: ResponseRequest, history: ResponseItem[]): Promise<ResponseItem[]> {
    const items = inputItems(request.input);
    const known = new Set(history.map((item) => item.id));
    const elsewhere = items.filter((item) => isReference(item) && !known.has(item.id)).map(({ id }) => id);
    const found = elsewhere.length === 0 ? [] : await this.responses.findItems(elsewhere, caller.userId);
    return resolveReferences(items, [...history, ...found]);
  }

  /** What was said up to a response; instructions are not carried over, as OpenAI has it. */
  private async past(caller: Caller, id: string, memory: ResponseMemory | undefined): Promise<ResponsePast> {
    const past = memory?.get(id) ?? (await this.responses.past(id, caller.userId).catch(noneIfNotFound));
    const ended = past && (past.last.status === 'completed' || past.last.status === 'incomplete');
    if (ended && !this.goesSoon(past)) return past;
    throw new InvalidRequestError(
      `You have no finished response \`${id}\`; start anew without \`previous_response_id\`.`,
      { param: 'previous_response_id', code: 'previous_response_not_found' },
    );
  }

  /** Whether it is kept no longer than it takes those who go on from it already. */
  private goesSoon({ last }: ResponsePast): boolean {
    const days = this.config.retention.retentionResponsesDays;
    return days > 0 && (last.completed_at ?? last.created_at) < seconds(this.clock.now()) - days * SECONDS_A_DAY;
  }

  private async said(caller: Caller, id: string) {
    await this.conversations.get(id, caller.userId);
    return this.conversations.all(id);
  }
}

const conversationOf = ({ conversation }: ResponseRequest): string | null =>
  typeof conversation === 'object' ? (conversation?.id ?? null) : (conversation ?? null);

function expectOnePast(request: ResponseRequest): void {
  if (!request.previous_response_id || !request.conversation) return;
  throw new InvalidRequestError('Send either `conversation` or `previous_response_id`; both say what went before.', {
    param: 'previous_response_id',
  });
}

function noneIfNotFound(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
