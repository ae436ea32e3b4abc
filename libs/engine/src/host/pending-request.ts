import type { Clock } from '@attune/platform';
import type { EventSink } from '../sequence.js';
import type { EngineEvent, FinishedEvent, GenerateRequest, StartedEvent, StopReason } from '../types.js';

/** Sent this often without a single new token, a request may well be what ends the process. */
const MOST_FRUITLESS_ATTEMPTS = 3;
/** And this often in all: a request that ends the process every few tokens would take everyone with it. */
const MOST_ATTEMPTS = 10;

/** A request as the host sees it: enough to send it again, to go on with it, or to end it when the engine cannot. */
export class PendingRequest {
  cancelled = false;
  private attempts = 0;
  private fruitlessAttempts = 0;
  private started: StartedEvent | undefined;
  private readonly tokens: number[] = [];
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

  get id(): string {
    return this.request.id;
  }

  get hasStarted(): boolean {
    return this.started !== undefined;
  }

  /** Whether it needs this adapter, by name or because its answer began on it. */
  uses(adapter: string): boolean {
    return this.request.adapter === adapter || this.started?.weights.adapter === adapter;
  }

  /** Whether it was there too often when a process ended. */
  get isSuspect(): boolean {
    return this.fruitlessAttempts >= MOST_FRUITLESS_ATTEMPTS || this.attempts >= MOST_ATTEMPTS;
  }

  /**
   * What to send to an engine process. An answer already begun goes on behind the tokens it has: on the same weights and
   * with the same seed, so that it comes out as if nothing had happened.
   */
  nextAttempt(): GenerateRequest {
    this.attempts += 1;
    this.fruitlessAttempts += 1;
    const { request, started } = this;
    if (!started) return request;
    const sampling = { ...request.sampling, seed: started.seed };
    return { ...request, adapter: started.weights.adapter, sampling, answered: [...this.tokens] };
  }

  deliver(event: EngineEvent): void {
    if (event.type === 'started') {
      if (this.started) return; // it goes on where another process stopped; whoever reads it need not know
      this.started = event;
      this.startedAt = this.clock.monotonicMs();
    }
    if (event.type === 'token') {
      this.tokens.push(event.token);
      this.fruitlessAttempts = 0;
      this.firstTokenAt ??= this.clock.monotonicMs();
    }
    this.sink(event.type === 'finished' && this.attempts > 1 ? this.asWhole(event) : event);
  }

  /** Ends the request in the engine's place. */
  end(reason: StopReason, error?: string): void {
    this.sink({
      type: 'finished',
      reason,
      error,
      weights: this.started?.weights,
      promptTokens: this.request.promptIds.length,
      cachedTokens: this.started?.cachedTokens ?? 0,
      completionTokens: this.tokens.length,
      timings: this.timings(),
    });
  }

  /** How an answer given by several processes ended: an engine that cannot go on with it has broken it, not refused it. */
  private asWhole(event: FinishedEvent): FinishedEvent {
    if (!this.started) return event;
    const reason = event.reason === 'rejected' ? 'failed' : event.reason;
    const { weights, cachedTokens } = this.started;
    return { ...event, reason, weights, cachedTokens, completionTokens: this.tokens.length, timings: this.timings() };
  }

  private timings(): FinishedEvent['timings'] {
    const now = this.clock.monotonicMs();
    const startedAt = this.startedAt ?? now;
    const firstTokenAt = this.firstTokenAt ?? now;
    return {
      queuedMs: startedAt - this.arrivedAt,
      prefillMs: this.started ? firstTokenAt - startedAt : 0,
      decodeMs: now - firstTokenAt,
    };
  }
}
