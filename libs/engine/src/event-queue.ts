import type { EngineEvent } from './types.js';

/** Events pushed by the engine and read by whoever asked for them, in order; `finished` is the last. */
export class EventQueue implements AsyncIterable<EngineEvent> {
  private readonly events: EngineEvent[] = [];
  private wake: (() => void) | undefined;
  private ended = false;

  /** @param onLeave called when the reader stops before the end */
  constructor(private readonly onLeave: () => void) {}

  push(event: EngineEvent): void {
    this.events.push(event);
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent> {
    try {
      while (!this.ended) {
        const event = this.events.shift();
        if (!event) await new Promise<void>((wake) => (this.wake = wake));
        else {
          this.ended = event.type === 'finished';
          yield event;
        }
      }
    } finally {
      if (!this.ended) this.onLeave();
      this.ended = true;
    }
  }
}
