import type { ResponseItem, ResponseObject, ResponseStreamEvent } from '@attune/contracts';
import { ResponseRepository, type SavedResponse } from '@attune/persistence';
import { messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { OwedWrites } from '../core/owed-writes.js';
import { LOGGER } from '../core/tokens.js';
import { lastEventOf } from './response-events.js';
import type { ResponsePlan } from './response-planner.js';
import { RunningResponses } from './running-responses.js';

/** Writes responses: those that begin, so that others may follow them, and those that end. */
@Injectable()
export class ResponseFiler {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly responses: ResponseRepository,
    private readonly running: RunningResponses,
    private readonly owed: OwedWrites,
  ) {}

  /** The row of a response that others may hear of from now on. */
  async begin(caller: Caller, plan: ResponsePlan, first: ResponseStreamEvent): Promise<void> {
    await this.responses.save(row(caller, plan, first.response!));
  }

  /**
   * Writes the end of a response; a conversation gets its items then, and only when there is an answer. Never throws:
   * the reader has the answer, and its completion row is the chat road's.
   * @returns the event that stands: another one where the response was ended before this end came
   */
  async end(caller: Caller, plan: ResponsePlan, last: ResponseStreamEvent): Promise<ResponseStreamEvent> {
    const body = last.response!;
    const answered = body.status === 'completed' || body.status === 'incomplete';
    const items = answered ? [...plan.input, ...body.output] : [];
    if (!body.store) await this.withoutRow(plan, items);
    else if (!(await this.written(row(caller, plan, body), items))) return this.standing(caller, last);
    return last;
  }

  private async withoutRow({ facts, conversationId }: ResponsePlan, items: ResponseItem[]): Promise<void> {
    if (!conversationId) return;
    await this.now(facts.id, () => this.responses.fileItems(conversationId, items));
  }

  /** False only when it is known that somebody else has ended the response. */
  private async written(response: SavedResponse, items: ResponseItem[]): Promise<boolean> {
    return (await this.now(response.id, () => this.responses.save(response, items))) ?? true;
  }

  /** The result, or undefined when it could not be written yet: it is tried again. */
  private async now<Result>(id: string, write: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await write();
    } catch (error) {
      this.logger.error({ response: id, err: error }, `response not filed yet: ${messageOf(error)}`);
      void this.later(id, write);
      return undefined;
    }
  }

  private async later(id: string, write: () => Promise<unknown>): Promise<void> {
    // Until it is filed it is not lost: nobody else is to end it.
    this.running.unfiled.add(id);
    await this.owed.keep(`the end of response ${id}`, write);
    this.running.unfiled.delete(id);
  }

  private async standing(caller: Caller, last: ResponseStreamEvent): Promise<ResponseStreamEvent> {
    const { id } = last.response!;
    this.logger.warn({ response: id }, 'a response was ended by another gateway, which took this one for gone');
    // One that was deleted meanwhile has no other end.
    const stored = await this.responses.get(id, caller.userId).catch(() => undefined);
    return stored ? lastEventOf(stored.body, last.sequence_number) : last;
  }
}

const row = (caller: Caller, plan: ResponsePlan, body: ResponseObject): SavedResponse => ({
  id: plan.facts.id,
  userId: caller.userId,
  previousResponseId: plan.facts.request.previous_response_id ?? null,
  conversationId: plan.conversationId,
  conversationUntil: plan.conversationUntil,
  input: plan.input,
  body,
});
