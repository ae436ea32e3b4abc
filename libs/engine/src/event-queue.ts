import type { EngineEvent } from './types.js';

type Result = IteratorResult<EngineEvent, undefined>;

const END: Result = { done: true, value: undefined };

/**
 * Events pushed by the engine and read by whoever asked for them, in order; `finished` is the last. An iterator by hand:
 * every token of every answer passes here, and a generator would take three turns for each.
 */
export class EventQueue implements AsyncIterableIterator<EngineEvent> {
  private readonly events: EngineEvent[] = [];
  /** Who waits for the next event, in order; usually one at most. */
  private readonly readers: ((result: Result) => void)[] = [];
  private ended = false;

  /** @param onLeave called when the reader stops before the end */
  constructor(private readonly onLeave: () => void) {}

  push(event: EngineEvent): void {
    if (this.ended) return;
    const reader = this.readers.shift();
    if (!reader) return void this.events.push(event);
    reader(this.handOut(event));
    if (this.ended) this.sendReadersHome();
  }

  next(): Promise<Result> {
    if (this.ended) return Promise.resolve(END);
    const event = this.events.shift();
    if (event) return Promise.resolve(this.handOut(event));
    return new Promise((resolve) => this.readers.push(resolve));
  }

  /** The reader leaves, also while it waits. */
  return(): Promise<Result> {
    if (!this.ended) this.onLeave();
    this.ended = true;
    this.sendReadersHome();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private sendReadersHome(): void {
    for (const reader of this.readers.splice(0)) reader(END);
  }

  private handOut(event: EngineEvent): Result {
    this.ended = event.type === 'finished';
    return { done: false, value: event };
  }
}
