import { CompletionRepository, type Completion } from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ChatService } from '../chat/chat.service.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { answerChoices, type ChoiceEvent } from './choices.js';
import { IdempotentRequests, type Claim } from './idempotent-requests.js';
import { keyInUse, readIdempotency } from './idempotency.js';
import { eventsOf } from './stored-answer.js';

/** Where a request's answer comes from: made now, or remembered under its idempotency key. */
export interface Answered {
  events: AsyncIterable<ChoiceEvent>;
  replayed: boolean;
}

/** Answers of one or several choices, given once to each idempotency key. */
@Injectable()
export class ChatCompletionsService {
  constructor(
    private readonly chat: ChatService,
    private readonly completions: CompletionRepository,
    private readonly keyed: IdempotentRequests,
  ) {}

  /**
   * @param body of the request: the same key with another body is a mistake
   * @throws ConflictError while the first request with this key is being answered
   */
  async answer(
    caller: Caller,
    requests: readonly ChatRequest[],
    options: { signal: AbortSignal; body: unknown; idempotencyKey?: string },
  ): Promise<Answered> {
    const idempotency = readIdempotency(options.idempotencyKey, options.body);
    const claim = await this.keyed.claim(caller, idempotency, (ids) => this.remembered(caller, ids));
    if (claim.kind === 'known') return { events: eventsOf(claim.stored), replayed: true };
    const answer = (one: ChatRequest, signal: AbortSignal) => this.chat.answer(caller, one, signal);
    return { events: settling(claim, answerChoices(requests, answer, options.signal)), replayed: false };
  }

  /** All choices, or null when one of them is gone. */
  private async remembered({ userId }: Caller, ids: string[]): Promise<Completion[] | null> {
    const rows = await this.completions.answers(userId, ids);
    // The end of an answer whose row the database has not taken yet.
    if (rows.some((row) => row.status === 'open')) throw keyInUse();
    return rows.length === ids.length && rows.every((row) => row.status === 'done') ? rows : null;
  }
}

/** The key stands for the answers once all of them are complete; until then nothing can be told again. */
async function* settling(claim: Claim, events: AsyncIterable<ChoiceEvent>): AsyncGenerator<ChoiceEvent> {
  const ids: string[] = [];
  try {
    for await (const one of events) {
      if (one.event.type === 'opened') ids[one.choice] = one.event.id;
      yield one;
    }
    await claim.settle(ids);
  } finally {
    await claim.release();
  }
}
