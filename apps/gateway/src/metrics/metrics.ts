import type { CompletionOutcome } from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every number the gateway tells Prometheus; docs say what each means by its `help`. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly requests = this.counter('attune_http_requests_total', 'HTTP requests answered', ['route', 'status']);
  private readonly completions = this.counter('attune_completions_total', 'Answers ended, by reason', ['stop_reason']);
  private readonly tokens = this.counter('attune_tokens_total', 'Tokens read, reused and written', ['kind']);
  private readonly ttft = this.histogram('attune_time_to_first_token_seconds', 'From request to first text');
  private readonly interToken = this.histogram('attune_inter_token_seconds', 'Mean time between tokens of an answer');
  private readonly queue = this.histogram('attune_queue_seconds', 'Time a request waited for a slot');

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  request(route: string, status: number): void {
    this.requests.inc({ route, status: String(status) });
  }

  /** `read` is asked whenever the page is. */
  gauge(name: string, help: string, read: () => number): void {
    this.registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  }

  completion(outcome: CompletionOutcome): void {
    this.completions.inc({ stop_reason: outcome.stopReason ?? 'none' });
    this.tokens.inc({ kind: 'prompt' }, outcome.promptTokens);
    this.tokens.inc({ kind: 'cached' }, outcome.cachedTokens);
    this.tokens.inc({ kind: 'completion' }, outcome.completionTokens);
    if (outcome.queueMs !== null) this.queue.observe(outcome.queueMs / 1000);
    if (outcome.ttftMs === null || outcome.totalMs === null) return;
    this.ttft.observe(outcome.ttftMs / 1000);
    const gaps = outcome.completionTokens - 1;
    if (gaps > 0) this.interToken.observe((outcome.totalMs - outcome.ttftMs) / 1000 / gaps);
  }

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: SECONDS, registers: [this.registry] });
  }
}
