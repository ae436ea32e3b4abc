import { CompletionRepository, type Completion } from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ChatService } from '../chat/chat.service.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { answerChoices, type ChoiceEvent } from './choices.js';
import { keyInUse, keyReused, readIdempotency } from './idempotency.js';
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
    const { idempotencyKey: key } = options;
    const idempotency = readIdempotency(key, options.body);
    const known = idempotency ? await this.completions.findByIdempotencyKey(caller.userId, idempotency.key) : [];
    if (idempotency && known.length > 0) return replay(known, idempotency.requestHash);
    const answer = (one: ChatRequest, signal: AbortSignal) => this.chat.answer(caller, one, signal);
    const keyed = requests.map((request) => ({ ...request, idempotency }));
    return { events: answerChoices(keyed, answer, options.signal), replayed: false };
  }
}

function replay(known: Completion[], requestHash: string): Answered {
  if (known.some((row) => row.requestHash !== requestHash)) throw keyReused();
  if (known.some((row) => row.status === 'open')) throw keyInUse();
  return { events: eventsOf(known), replayed: true };
}
