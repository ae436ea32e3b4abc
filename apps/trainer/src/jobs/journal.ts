import type { NewEvent, NewMetric } from '@attune/persistence';
import type { Clock, Logger } from '@attune/platform';

/** Where a job's diary ends up; the tuning repository is one. */
export interface JournalStore {
  appendEvents(jobId: string, events: NewEvent[]): Promise<void>;
  appendMetrics(jobId: string, metrics: NewMetric[]): Promise<void>;
  progress(jobId: string, workerId: string, progress: StageProgress): Promise<void>;
}

export interface StageProgress {
  stage: string;
  step: number;
  numSteps: number;
  etaSeconds: number | null;
  /** Of the stage so far; null where steps count no tokens. */
  tokensPerSecond?: number | null;
  loss?: number | null;
}

/** How often the log hears of a job's progress. */
const TELL_EVERY_MS = 10_000;

export interface JournalOwner {
  readonly jobId: string;
  readonly workerId: string;
}

/**
 * A job's diary: sentences, numbers of steps, and how far it is. Written down in batches, so that a step of some
 * milliseconds never waits for the database. What could not be written stays in the batch; the last flush of a job
 * throws, so nothing is lost without a word.
 */
export class Journal {
  private events: NewEvent[] = [];
  private metrics: NewMetric[] = [];
  private latest: StageProgress | null = null;
  private stage: { name: string; startedMs: number; firstStep: number; tokens: number } | null = null;
  private loss: number | null = null;
  private toldMs = -Infinity;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: JournalStore,
    private readonly owner: JournalOwner,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  info(message: string, data?: object): void {
    this.event({ level: 'info', message, data });
  }

  warn(message: string, data?: object): void {
    this.event({ level: 'warn', message, data });
  }

  error(message: string, data?: object): void {
    this.event({ level: 'error', message, data });
  }

  /** The numbers of one step; those that are not finite are left out (JSON has no word for them). */
  step(stage: string, step: number, values: Readonly<Record<string, number>>): void {
    const finite = Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
    this.metrics = [...this.metrics, { stage, step, values: finite }];
    this.loss = finite['loss'] ?? this.loss;
    if (this.stage?.name === stage) this.stage.tokens += finite['tokens'] ?? 0;
    this.logger.debug({ jobId: this.owner.jobId, stage, step, ...finite }, 'training step');
  }

  /** @param done Steps of the stage that are done. */
  progress(stage: string, done: number, numSteps: number): void {
    const nowMs = this.clock.monotonicMs();
    if (this.stage?.name !== stage) {
      this.stage = { name: stage, startedMs: nowMs, firstStep: done, tokens: 0 };
      this.loss = null;
    }
    const stepsHere = done - this.stage.firstStep;
    const seconds = (nowMs - this.stage.startedMs) / 1000;
    const etaSeconds = stepsHere > 0 ? Math.round((seconds / stepsHere) * (numSteps - done)) : null;
    const tokensPerSecond = this.stage.tokens > 0 && seconds > 0 ? Math.round(this.stage.tokens / seconds) : null;
    this.latest = { stage, step: done, numSteps, etaSeconds, tokensPerSecond, loss: this.loss };
    this.tell(this.latest, nowMs);
  }

  /**
   * Writes down what has gathered; flushes never overlap.
   * @throws what the store throws; the unwritten part is kept for the next flush
   */
  flush(): Promise<void> {
    const turn = this.writing.catch(() => undefined).then(() => this.write());
    this.writing = turn;
    return turn;
  }

  private async write(): Promise<void> {
    const { jobId, workerId } = this.owner;
    const events = this.events;
    await this.store.appendEvents(jobId, events);
    this.events = this.events.slice(events.length);
    const metrics = this.metrics;
    await this.store.appendMetrics(jobId, metrics);
    this.metrics = this.metrics.slice(metrics.length);
    const progress = this.latest;
    if (progress) await this.store.progress(jobId, workerId, progress);
    if (this.latest === progress) this.latest = null;
  }

  /** A line of log now and then, so that whoever watches the log sees where the job is. */
  private tell(progress: StageProgress, nowMs: number): void {
    if (nowMs - this.toldMs < TELL_EVERY_MS) return;
    this.toldMs = nowMs;
    this.logger.info({ jobId: this.owner.jobId, ...progress }, 'training');
  }

  private event(event: NewEvent): void {
    // A copy, so that a write under way never sees its batch grow.
    this.events = [...this.events, event];
    this.logger[event.level]({ jobId: this.owner.jobId, ...event.data }, event.message);
  }
}
