import type { EngineEvent } from './types.js';

type Result = IteratorResult<EngineEvent, undefined>;

const END: Result = { done: true, value: undefined };

/**
 * Events pushed by the engine and read by whoever asked for them, in order; `finished` is the last. An iterator by hand:
 * every token of every answer passes here, and a generator would take three turns for each.
 */
export class EventQueue implements AsyncIterableIterator<EngineEvent> {
  private readonly events: EngineEvent[] = [];
  /** The reader, while it waits. */
  private reader: ((result: Result) => void) | undefined;
  private ended = false;

  /** @param onLeave called when the reader stops before the end */
  constructor(private readonly onLeave: () => void) {}

  push(event: EngineEvent): void {
    if (this.ended) return;
    const { reader } = this;
    if (!reader) return void this.events.push(event);
    this.reader = undefined;
    reader(this.handOut(event));
  }

  next(): Promise<Result> {
    if (this.ended) return Promise.resolve(END);
    const event = this.events.shift();
    if (event) return Promise.resolve(this.handOut(event));
    return new Promise((resolve) => (this.reader = resolve));
  }

  /** The reader leaves, also while it waits. */
  return(): Promise<Result> {
    if (!this.ended) this.onLeave();
    this.ended = true;
    this.reader?.(END);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private handOut(event: EngineEvent): Result {
    this.ended = event.type === 'finished';
    return { done: false, value: event };
  }
}
