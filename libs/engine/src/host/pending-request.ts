import type { Clock } from '@attune/platform';
import type { EventSink } from '../sequence.js';
import type { EngineEvent, FinishedEvent, GenerateRequest, StartedEvent } from '../types.js';

/** A request as the host sees it: enough to send it again, or to end it properly when the engine cannot. */
export class PendingRequest {
  cancelled = false;
  /** Times the request was sent to an engine process. */
  attempts = 0;
  private started: StartedEvent | undefined;
  private numTokens = 0;
  private readonly arrivedAt: number;
  private startedAt: number | undefined;
  private firstTokenAt: number | undefined;

  constructor(
    readonly request: GenerateRequest,
    private readonly clock: Clock,
    private readonly sink: EventSink,
  ) {
    this.arrivedAt = clock.monotonicMs();
  }

  /** Whether tokens may already have been seen, so that running it again could contradict them. */
  get hasStarted(): boolean {
    return this.started !== undefined;
  }

  deliver(event: EngineEvent): void {
    if (event.type === 'started') {
      this.started = event;
      this.startedAt = this.clock.monotonicMs();
    }
    if (event.type === 'token') {
      this.numTokens += 1;
      this.firstTokenAt ??= this.clock.monotonicMs();
    }
    this.sink(event);
  }

  /** Ends the request in the engine's place. */
  end(reason: 'failed' | 'cancelled', error?: string): void {
    const now = this.clock.monotonicMs();
    const startedAt = this.startedAt ?? now;
    const firstTokenAt = this.firstTokenAt ?? now;
    const finished: FinishedEvent = {
      type: 'finished',
      reason,
      error,
      weights: this.started?.weights,
      promptTokens: this.request.promptIds.length,
      cachedTokens: this.started?.cachedTokens ?? 0,
      completionTokens: this.numTokens,
      timings: {
        queuedMs: startedAt - this.arrivedAt,
        prefillMs: this.started ? firstTokenAt - startedAt : 0,
        decodeMs: now - firstTokenAt,
      },
    };
    this.sink(finished);
  }
}
