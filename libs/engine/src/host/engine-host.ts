import { type EngineRequestWire, type EngineSetupWire, engineSetupWire } from '@attune/contracts';
import { type Clock, systemClock, UnavailableError } from '@attune/platform';
import { EventQueue } from '../event-queue.js';
import type { EngineEvent, EngineStats, GenerateOptions, GenerateRequest, TokenEngine, WeightsId } from '../types.js';
import { EngineChild } from './child.js';
import { PendingRequest } from './pending-request.js';

export interface EngineHostOptions extends EngineSetupWire {
  /** A process that says nothing for this long is replaced. Default 30 s. */
  readonly heartbeatTimeoutMs?: number;
  /** Told each time the process ends unasked, before it is replaced. */
  readonly onCrash?: (reason: string) => void;
  /** Told when a replacement is up. */
  readonly onRestarted?: () => void;
  readonly clock?: Clock;
}

const HEARTBEAT_TIMEOUT_MS = 30_000;
const CLOSE_GRACE_MS = 5_000;
const FIRST_BACKOFF_MS = 100;
/** A request that was there at this many crashes may well be their cause. */
const MOST_ATTEMPTS = 3;
const LONGEST_BACKOFF_MS = 10_000;

/**
 * An engine in a process of its own, so that a native crash takes down no more than the answers under way. When the
 * process ends it is replaced: answers already begun end as 'failed', requests that had not started are sent again, and
 * adapters and the live choice are restored.
 */
export class EngineHost implements TokenEngine {
  private readonly pending = new Map<string, PendingRequest>();
  private readonly adapterFolders = new Map<string, string>();
  private readonly clock: Clock;
  private live: string | null = null;
  private child: EngineChild;
  private isReady = false;
  private closed = false;
  private numRestarts = 0;
  private failedStarts = 0;

  private constructor(private readonly options: EngineHostOptions) {
    this.clock = options.clock ?? systemClock;
    this.child = this.spawn();
  }

  /** Starts the process and waits until its model is loaded. @throws AppError why it cannot be */
  static async start(options: EngineHostOptions): Promise<EngineHost> {
    const host = new EngineHost(options);
    try {
      await host.child.ready;
    } catch (error) {
      await host.close();
      throw error;
    }
    host.isReady = true;
    return host;
  }

  /** Whether a request sent now would start without waiting for a process. */
  get ready(): boolean {
    return this.isReady && !this.closed;
  }

  /** Times the process had to be replaced. */
  get restarts(): number {
    return this.numRestarts;
  }

  /** The engine process, for supervision and tests. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  generate(request: GenerateRequest, options: GenerateOptions = {}): AsyncIterable<EngineEvent> {
    if (this.closed) throw new UnavailableError('the engine is closed');
    const cancel = () => this.cancel(request.id);
    const queue = new EventQueue(cancel);
    const pending = new PendingRequest(request, this.clock, (event) => {
      if (event.type === 'finished') options.signal?.removeEventListener('abort', cancel);
      queue.push(event);
    });
    if (this.pending.has(request.id)) {
      pending.end('failed', `a request with the id ${request.id} is already under way`);
      return queue;
    }
    this.pending.set(request.id, pending);
    if (this.isReady) this.submit(pending);
    if (options.signal?.aborted) cancel();
    else options.signal?.addEventListener('abort', cancel, { once: true });
    return queue;
  }

  cancel(id: string): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    pending.cancelled = true;
    if (this.isReady) this.child.send({ type: 'cancel', id });
    else this.endPending((other) => other === pending, 'cancelled');
  }

  /** @param folder an adapter in PEFT layout, which must stay there: a replaced process reads it again */
  async loadAdapter(folder: string): Promise<WeightsId> {
    const id = (await this.child.call({ type: 'loadAdapter', folder })) as WeightsId;
    this.adapterFolders.set(id.adapter!, folder);
    return id;
  }

  async setLive(adapterDigest: string | null): Promise<void> {
    await this.child.call({ type: 'setLive', digest: adapterDigest });
    this.live = adapterDigest;
  }

  async unloadAdapter(digest: string): Promise<void> {
    await this.child.call({ type: 'unloadAdapter', digest });
    this.adapterFolders.delete(digest);
  }

  async stats(): Promise<EngineStats> {
    return (await this.child.call({ type: 'stats' })) as EngineStats;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.child.close(CLOSE_GRACE_MS);
    this.endPending(() => true, 'cancelled');
  }

  private spawn(): EngineChild {
    return new EngineChild({
      setup: engineSetupWire.parse(this.options), // and nothing but the set-up: callbacks do not travel
      heartbeatTimeoutMs: this.options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
      onEvents: (events) => events.forEach(([id, event]) => this.deliver(id, event as EngineEvent)),
      onExit: (reason) => this.crashed(reason),
    });
  }

  private submit(pending: PendingRequest): void {
    pending.attempts += 1;
    this.child.send({ type: 'generate', request: pending.request as EngineRequestWire });
  }

  private deliver(id: string, event: EngineEvent): void {
    const pending = this.pending.get(id);
    if (event.type === 'finished') this.pending.delete(id);
    pending?.deliver(event);
  }

  private crashed(reason: string): void {
    const wasReady = this.isReady;
    this.isReady = false;
    if (this.closed || (!wasReady && this.numRestarts === 0)) return; // the first start reports its own failure
    this.options.onCrash?.(reason);
    this.endPending(({ cancelled }) => cancelled, 'cancelled');
    const lost = ({ hasStarted, attempts }: PendingRequest) => hasStarted || attempts >= MOST_ATTEMPTS;
    this.endPending(lost, 'failed', `${reason} while it answered; ask again`);
    this.failedStarts = wasReady ? 0 : this.failedStarts + 1;
    // A model that no longer loads would keep everyone waiting for ever.
    if (this.failedStarts > 0) this.endPending(() => true, 'failed', `${reason} and cannot be started again`);
    const delay = Math.min(FIRST_BACKOFF_MS * 2 ** this.failedStarts, LONGEST_BACKOFF_MS);
    this.numRestarts += 1;
    setTimeout(() => void this.restart(), delay);
  }

  private async restart(): Promise<void> {
    if (this.closed) return;
    const child = (this.child = this.spawn());
    try {
      await child.ready;
      for (const folder of this.adapterFolders.values()) await child.call({ type: 'loadAdapter', folder });
      await child.call({ type: 'setLive', digest: this.live });
    } catch {
      return child.kill('it could not be restored'); // its exit schedules the next attempt
    }
    this.isReady = true;
    this.options.onRestarted?.();
    for (const pending of this.pending.values()) this.submit(pending);
  }

  private endPending(which: (pending: PendingRequest) => boolean, reason: 'failed' | 'cancelled', error?: string) {
    for (const [id, pending] of this.pending) {
      if (!which(pending)) continue;
      this.pending.delete(id);
      pending.end(reason, error);
    }
  }
}
