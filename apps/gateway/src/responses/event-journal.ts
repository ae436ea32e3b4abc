import type { ResponseStreamEvent } from '@attune/contracts';
import { ResponseEventRepository, type LoggedEvent } from '@attune/persistence';
import { messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '../core/tokens.js';
import type { EventTail } from './event-tail.js';

const WRITE_EVERY_MS = 75;
const RETRY_MS = 1_000;
const MOST_IN_ONE_STATEMENT = 5_000;
/** Characters that may wait while the database is away; beyond them the oldest events are given up. */
const MOST_WAITING = 32_000_000;

type Waiting = LoggedEvent & { tail: EventTail };

/** Writes the events of all responses of this gateway, a batch at a time; nobody waits for it. */
@Injectable()
export class EventJournal {
  private waiting: Waiting[] = [];
  private characters = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly events: ResponseEventRepository,
  ) {}

  add(responseId: string, event: ResponseStreamEvent, tail: EventTail): void {
    const json = JSON.stringify(event);
    this.waiting.push({ responseId, sequence: event.sequence_number, json, tail });
    this.characters += json.length;
    if (this.characters > MOST_WAITING) this.giveUpOldest();
    this.timer ??= setTimeout(() => void this.flush(), WRITE_EVERY_MS);
  }

  /** Resolves when all that was added has been written, or could not be. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.writeAll());
    return this.writing;
  }

  /** Writes what can still be written; nothing is tried again afterwards. */
  close(): Promise<void> {
    this.closed = true;
    return this.flush();
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, MOST_IN_ONE_STATEMENT);
      try {
        await this.events.append(batch);
      } catch (error) {
        this.logger.warn({ err: error }, `events of responses not written yet: ${messageOf(error)}`);
        if (!this.closed) this.timer ??= setTimeout(() => void this.flush(), RETRY_MS);
        return;
      }
      this.drop(new Set(batch));
      for (const { tail, sequence } of batch) tail.forget(sequence);
    }
  }

  private drop(gone: ReadonlySet<Waiting>): void {
    this.waiting = this.waiting.filter((one) => !gone.has(one));
    this.characters = this.waiting.reduce((sum, one) => sum + one.json.length, 0);
  }

  private giveUpOldest(): void {
    const lost = this.waiting.slice(0, Math.ceil(this.waiting.length / 2));
    this.drop(new Set(lost));
    this.logger.error(`${lost.length} events of responses given up: the database is away; those streams cannot resume`);
  }
}
