import type { EngineRequestWire, EngineSetupWire } from '@attune/contracts';
import type { EngineEvent, EngineStats, OutputStructure, StructureCheck, WeightsId } from '../types.js';
import { HeldAdapters } from './held-adapters.js';
import { LastingChild } from './lasting-child.js';
import type { PendingRequest } from './pending-request.js';

export interface ServingProcessOptions {
  readonly setup: EngineSetupWire;
  readonly heartbeatTimeoutMs: number;
  readonly onCrash: (reason: string) => void;
  readonly onRestarted: () => void;
}

/**
 * One model and those it answers, in a process that is replaced when it ends unasked: adapters and the live choice are
 * restored, requests that waited are sent again, answers under way go on behind the tokens they have.
 */
export class ServingProcess {
  private readonly pending = new Map<string, PendingRequest>();
  private readonly child: LastingChild;
  private readonly adapters: HeldAdapters;
  private drained: (() => void) | undefined;

  /** The process begins at once; `started` says when it is ready. */
  constructor(private readonly options: ServingProcessOptions) {
    this.child = new LastingChild({
      setup: options.setup,
      heartbeatTimeoutMs: options.heartbeatTimeoutMs,
      onEvents: (events) => events.forEach(([id, event]) => this.deliver(id, event as EngineEvent)),
      onCrash: (reason, isLast) => this.crashed(reason, isLast),
      restore: (child) => this.adapters.restore(child),
      onRestarted: () => this.restarted(),
    });
    const isNeeded = (digest: string) => [...this.pending.values()].some((pending) => pending.uses(digest));
    this.adapters = new HeldAdapters(this.child, isNeeded);
  }

  /** Waits until the model is loaded. @returns its digest @throws AppError why it cannot be; then no process is left */
  started(): Promise<string> {
    return this.child.started();
  }

  get ready(): boolean {
    return this.child.ready;
  }

  get restarts(): number {
    return this.child.restarts;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  has(id: string): boolean {
    return this.pending.has(id);
  }

  take(request: PendingRequest): void {
    this.pending.set(request.id, request);
    if (this.ready) this.submit(request);
  }

  /** Gives up the requests that have not begun and do not name weights of this model, for another process to take. */
  handOver(): PendingRequest[] {
    const waiting = [...this.pending.values()].filter(
      ({ hasStarted, cancelled, request }) => !hasStarted && !cancelled && request.adapter === undefined,
    );
    for (const { id } of waiting) {
      this.forget(id);
      this.child.tell({ type: 'cancel', id });
    }
    return waiting;
  }

  cancel(id: string): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    pending.cancelled = true;
    if (!this.child.tell({ type: 'cancel', id })) this.end((other) => other === pending, 'cancelled');
  }

  loadAdapter(folder: string): Promise<WeightsId> {
    return this.adapters.load(folder);
  }

  setLive(adapterDigest: string | null): Promise<void> {
    return this.adapters.setLive(adapterDigest);
  }

  /** At once, or when the last request that needs it is over. */
  unloadAdapter(digest: string): Promise<void> {
    return this.adapters.unload(digest);
  }

  async embed(texts: readonly (readonly number[])[]): Promise<number[][]> {
    // Asked once: texts that end a process would end its successor as well, and everyone's answers would wait for both.
    return (await this.child.callOnce({ type: 'embed', texts: texts.map((tokens) => [...tokens]) })) as number[][];
  }

  async checkStructure(structure: OutputStructure): Promise<StructureCheck> {
    return (await this.child.call({ type: 'checkStructure', structure })) as StructureCheck;
  }

  async stats(): Promise<EngineStats> {
    const stats = (await this.child.call({ type: 'stats' })) as EngineStats;
    // What left after the process had counted is not there any more either.
    return { ...stats, adapters: stats.adapters.filter((digest) => this.adapters.has(digest)) };
  }

  /** Resolves when no request is left. */
  async drain(): Promise<void> {
    if (this.pending.size > 0) await new Promise<void>((resolve) => (this.drained = resolve));
  }

  async close(): Promise<void> {
    await this.child.close();
    this.end(() => true, 'cancelled');
  }

  private submit(pending: PendingRequest): void {
    this.child.tell({ type: 'generate', request: pending.nextAttempt() as EngineRequestWire });
  }

  private deliver(id: string, event: EngineEvent): void {
    const pending = this.pending.get(id);
    if (event.type === 'finished') this.forget(id);
    pending?.deliver(event);
  }

  private crashed(reason: string, isLast: boolean): void {
    this.options.onCrash(reason);
    this.end(({ cancelled }) => cancelled, 'cancelled');
    this.end(({ isSuspect }) => isSuspect, 'failed', `${reason} while it answered; ask again`);
    if (isLast) this.end(() => true, 'failed', `${reason} and cannot be started again`);
  }

  private restarted(): void {
    this.options.onRestarted();
    for (const pending of this.pending.values()) this.submit(pending);
  }

  private end(which: (pending: PendingRequest) => boolean, reason: 'failed' | 'cancelled', error?: string): void {
    for (const pending of [...this.pending.values()].filter(which)) {
      this.forget(pending.id);
      pending.end(reason, error);
    }
  }

  private forget(id: string): void {
    this.pending.delete(id);
    this.adapters.unloadUnneeded();
    if (this.pending.size === 0) this.drained?.();
  }
}
