import type { ResponseStreamEvent } from '@attune/contracts';

/** Events kept in memory after they have been written to the database; who reads more slowly reads them there. */
const KEPT = 256;

/** The latest events of one response that is being answered, for the readers of this process. */
export class EventTail {
  private readonly events: ResponseStreamEvent[] = [];
  private over = false;
  private waiting: (() => void)[] = [];

  push(event: ResponseStreamEvent): void {
    this.events.push(event);
    this.wake();
  }

  /** Nothing follows. */
  end(): void {
    this.over = true;
    this.wake();
  }

  /** Lets go of old events up to this one, which can be read elsewhere. */
  forget(sequence: number): void {
    const first = this.events[0]?.sequence_number ?? 0;
    const most = this.events.length - KEPT;
    const count = Math.min(most, sequence + 1 - first);
    if (count > 0) this.events.splice(0, count);
  }

  /** The event after `sequence`: `behind` when it is no longer here, `over` when there will be none, or nothing yet. */
  after(sequence: number): ResponseStreamEvent | 'behind' | 'over' | undefined {
    const first = this.events[0]?.sequence_number;
    if (first !== undefined && sequence + 1 < first) return 'behind';
    const event = first === undefined ? undefined : this.events[sequence + 1 - first];
    return event ?? (this.over ? 'over' : undefined);
  }

  /** Resolves at the next event or the end, or when `signal` is aborted. */
  async changed(signal: AbortSignal): Promise<void> {
    if (this.over || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiting.push(done);
      signal.addEventListener('abort', done);
    });
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
