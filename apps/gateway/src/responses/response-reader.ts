import type { ResponseStreamEvent } from '@attune/contracts';
import { ResponseEventRepository, ResponseRepository, RunningResponseRepository } from '@attune/persistence';
import { NotFoundError, UnavailableError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLast } from './response-events.js';
import { RunningResponses, type RunningResponse } from './running-responses.js';

const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 2_000;
const PAGE = 500;
/** A stream whose response ended this long ago and still lacks its last event will not get it. */
const LAST_EVENT_WITHIN_MS = 5_000;

/**
 * The stream of a stored response from any place on: from memory where this gateway answers it, from the database
 * where another one does or where the reader has fallen behind.
 */
@Injectable()
export class ResponseReader {
  constructor(
    private readonly running: RunningResponses,
    private readonly responses: ResponseRepository,
    private readonly shared: RunningResponseRepository,
    private readonly events: ResponseEventRepository,
  ) {}

  /**
   * The events after `after` (-1: all of them), up to the last.
   * @throws NotFoundError when they are not kept, or not any more
   */
  async *follow(id: string, userId: string, after: number, signal: AbortSignal): AsyncGenerator<ResponseStreamEvent> {
    const here = this.running.get(id);
    if (here) return yield* this.followHere(here, after, signal);
    yield* this.followThere(id, userId, after, signal);
  }

  /** As {@link follow}, of a response this gateway is answering. */
  async *followHere(
    response: RunningResponse,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseStreamEvent> {
    const leave = response.join();
    let last = after;
    try {
      while (!signal.aborted) {
        const next = response.tail.after(last);
        if (next === 'over') return;
        if (next === undefined) await response.tail.changed(signal);
        else {
          const events = next === 'behind' ? await this.events.after(response.id, last, PAGE) : [next];
          if (events.length === 0) throw notKept(response.id);
          for (const event of events) {
            yield event;
            last = event.sequence_number;
            if (isLast(event)) return;
          }
        }
      }
    } finally {
      leave();
    }
  }

  private async *followThere(id: string, userId: string, after: number, signal: AbortSignal) {
    let last = after;
    let toldAt = 0;
    while (!signal.aborted) {
      const page = await this.events.after(id, last, PAGE);
      for (const event of page) {
        yield event;
        last = event.sequence_number;
        if (isLast(event)) return;
      }
      if (page.length > 0) continue;
      if (await this.isOver(id, userId, last)) return;
      if (Date.now() - toldAt > TELL_EVERY_MS) {
        toldAt = Date.now();
        await this.shared.touchRead(id);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether there is nothing to wait for. @throws NotFoundError, UnavailableError when events are missing */
  private async isOver(id: string, userId: string, last: number): Promise<boolean> {
    const { endedAt } = await this.responses.get(id, userId);
    if (endedAt === null) return false;
    const final = await this.events.last(id);
    if (final && isLast(final)) return final.sequence_number <= last;
    if (Date.now() - endedAt.getTime() < LAST_EVENT_WITHIN_MS) return false;
    if (!final) throw notKept(id);
    throw new UnavailableError(`The rest of the stream of \`${id}\` was lost; retrieve it without \`stream\`.`);
  }
}

const notKept = (id: string) =>
  new NotFoundError(
    `The stream of \`${id}\` is not kept: it was not streamed or run in the background, or ended a while ago; retrieve it without \`stream\`.`,
    { param: 'stream', code: 'stream_not_kept' },
  );
