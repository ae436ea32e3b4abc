import type {
  ListItemsQuery,
  ResponseDeleted,
  ResponseItem,
  ResponseObject,
  ResponseStreamEvent,
} from '@attune/contracts';
import { ResponseRepository, RunningResponseRepository } from '@attune/persistence';
import type { CursorPage } from '@attune/contracts';
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../auth/caller.js';
import { pageOfItems } from './item-page.js';
import { ResponseReader } from './response-reader.js';
import { RunningResponses } from './running-responses.js';

/** How long a cancellation waits for the gateway that is answering. */
const CANCEL_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 100;

/** What can be done with a response that is stored; a user has only their own. Every method throws NotFoundError. */
@Injectable()
export class StoredResponsesService {
  constructor(
    private readonly responses: ResponseRepository,
    private readonly shared: RunningResponseRepository,
    private readonly running: RunningResponses,
    private readonly reader: ResponseReader,
  ) {}

  async get(caller: Caller, id: string): Promise<ResponseObject> {
    return (await this.responses.get(id, caller.userId)).body;
  }

  /** The stream after event `after` (-1: from the start), whichever gateway is answering. */
  async *stream(caller: Caller, id: string, after: number, signal: AbortSignal): AsyncGenerator<ResponseStreamEvent> {
    await this.responses.get(id, caller.userId);
    yield* this.reader.follow(id, caller.userId, after, signal);
  }

  /** Everything the model was shown, the response's own input last. */
  async inputItems(caller: Caller, id: string, query: ListItemsQuery): Promise<CursorPage<ResponseItem>> {
    await this.responses.get(id, caller.userId);
    return pageOfItems(await this.responses.context(id, caller.userId), query);
  }

  /** Ends the answer; one that has ended already stays as it is. */
  async cancel(caller: Caller, id: string): Promise<ResponseObject> {
    const { endedAt, body } = await this.responses.get(id, caller.userId);
    if (endedAt !== null) return body;
    await this.stop(caller, id);
    return this.get(caller, id);
  }

  async remove(caller: Caller, id: string): Promise<ResponseDeleted> {
    const { endedAt } = await this.responses.get(id, caller.userId);
    if (endedAt === null) await this.stop(caller, id);
    await this.responses.softDelete(id, caller.userId);
    return { id, object: 'response', deleted: true };
  }

  private async stop(caller: Caller, id: string): Promise<void> {
    const here = this.running.get(id);
    if (here) {
      here.stop('cancelled');
      return here.done;
    }
    await this.shared.requestCancel(id);
    for (let waitedMs = 0; waitedMs < CANCEL_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
      if ((await this.responses.get(id, caller.userId)).endedAt !== null) return;
      await sleep(LOOK_EVERY_MS);
    }
  }
}
