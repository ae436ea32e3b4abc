import { type EngineRequestWire, type EngineSetupWire, engineSetupWire } from '@attune/contracts';
import type { EngineEvent, EngineStats, OutputStructure, StructureCheck, WeightsId } from '../types.js';
import { messageOf, UnavailableError } from '@attune/platform';
import { EngineChild } from './child.js';
import { expectDigest } from './expect-digest.js';
import type { PendingRequest } from './pending-request.js';

export interface ServingProcessOptions {
  readonly setup: EngineSetupWire;
  readonly heartbeatTimeoutMs: number;
  readonly onCrash: (reason: string) => void;
  readonly onRestarted: () => void;
}

const CLOSE_GRACE_MS = 5_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
const MOST_FAILED_STARTS = 3;

/**
 * One model in a process that is replaced when it ends unasked: adapters and the live choice are restored, requests that
 * waited are sent again, answers under way go on behind the tokens they have.
 */
export class ServingProcess {
  private readonly pending = new Map<string, PendingRequest>();
  private readonly adapterFolders = new Map<string, string>();
  /** Adapters to unload once no request needs them. */
  private readonly leaving = new Set<string>();
  private live: string | null = null;
  /** Digest of the model as the first process read it: no successor serves another. */
  private base: string | undefined;
  private child: EngineChild;
  private isReady = false;
  private closed = false;
  private numRestarts = 0;
  private failedStarts = 0;
  private numLoading = 0;
  /** Calls that came while the process was being replaced. */
  private readonly waiters: (() => void)[] = [];
  private drained: (() => void) | undefined;

  /** The process begins at once; `started` says when it is ready. */
  constructor(private readonly options: ServingProcessOptions) {
    this.child = this.spawn();
  }

  /** Waits until the model is loaded. @returns its digest @throws AppError why it cannot be; then no process is left */
  async started(): Promise<string> {
    try {
      const { live } = await this.child.ready;
      this.base = live.base;
    } catch (error) {
      await this.close();
      throw error;
    }
    this.isReady = true;
    return this.base;
  }

  get ready(): boolean {
    return this.isReady && !this.closed;
  }

  get restarts(): number {
    return this.numRestarts;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  has(id: string): boolean {
    return this.pending.has(id);
  }

  take(request: PendingRequest): void {
    this.pending.set(request.id, request);
    if (this.isReady) this.submit(request);
  }

  /** Gives up the requests that have not begun and do not name weights of this model, for another process to take. */
  handOver(): PendingRequest[] {
    const waiting = [...this.pending.values()].filter(
      ({ hasStarted, cancelled, request }) => !hasStarted && !cancelled && request.adapter === undefined,
    );
    for (const { id } of waiting) {
      this.forget(id);
      if (this.isReady) this.child.send({ type: 'cancel', id });
    }
    return waiting;
  }

  cancel(id: string): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    pending.cancelled = true;
    if (this.isReady) this.child.send({ type: 'cancel', id });
    else this.end((other) => other === pending, 'cancelled');
  }

  async loadAdapter(folder: string): Promise<WeightsId> {
    this.numLoading += 1;
    try {
      const id = (await this.call({ type: 'loadAdapter', folder })) as WeightsId;
      this.adapterFolders.set(id.adapter!, folder);
      this.leaving.delete(id.adapter!);
      return id;
    } finally {
      this.numLoading -= 1;
      this.unloadUnneeded();
    }
  }

  async setLive(adapterDigest: string | null): Promise<void> {
    await this.call({ type: 'setLive', digest: adapterDigest });
    this.live = adapterDigest;
  }

  /** At once, or when the last request that needs it is over. */
  async unloadAdapter(digest: string): Promise<void> {
    const isNeeded = digest !== this.live && [...this.pending.values()].some((pending) => pending.uses(digest));
    if (isNeeded && this.adapterFolders.has(digest)) return void this.leaving.add(digest);
    await this.call({ type: 'unloadAdapter', digest });
    this.adapterFolders.delete(digest);
    this.leaving.delete(digest);
  }

  async embed(texts: readonly (readonly number[])[]): Promise<number[][]> {
    // Asked once: texts that end a process would end its successor as well, and everyone's answers would wait for both.
    const child = await this.whenReady();
    return (await child.call({ type: 'embed', texts: texts.map((tokens) => [...tokens]) })) as number[][];
  }

  async checkStructure(structure: OutputStructure): Promise<StructureCheck> {
    return (await this.call({ type: 'checkStructure', structure })) as StructureCheck;
  }

  async stats(): Promise<EngineStats> {
    const stats = (await this.call({ type: 'stats' })) as EngineStats;
    // What left after the process had counted is not there any more either.
    const isThere = (digest: string) => this.adapterFolders.has(digest) && !this.leaving.has(digest);
    return { ...stats, adapters: stats.adapters.filter(isThere) };
  }

  /** Resolves when no request is left. */
  async drain(): Promise<void> {
    if (this.pending.size > 0) await new Promise<void>((resolve) => (this.drained = resolve));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.wakeWaiters();
    // One that is still loading hears nothing until it has, and has nothing to end in peace.
    await this.child.close(this.isReady ? CLOSE_GRACE_MS : 0);
    this.end(() => true, 'cancelled');
  }

  /**
   * What the process did not live to answer is asked of its successor, once: no such call does more when it is made twice.
   * @throws UnavailableError when the process cannot be replaced, or its successor ends as well
   */
  private async call(command: Parameters<EngineChild['call']>[0]): Promise<unknown> {
    const child = await this.whenReady();
    try {
      return await child.call(command);
    } catch (error) {
      if (child.alive || this.closed) throw error;
      return (await this.whenReady()).call(command);
    }
  }

  /** Waits for a process that is being replaced. */
  private async whenReady(): Promise<EngineChild> {
    if (!this.isReady && !this.closed && this.failedStarts < MOST_FAILED_STARTS) {
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
    if (!this.isReady) throw new UnavailableError('the engine process is not running; try again shortly');
    return this.child;
  }

  private wakeWaiters(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private spawn(): EngineChild {
    const { setup } = this.options;
    // A driver may be what ended the process: `auto` does not try its luck twice.
    const device = setup.device === 'auto' && this.numRestarts > 0 ? 'cpu' : setup.device;
    return new EngineChild({
      setup: engineSetupWire.parse({ ...setup, device }), // and nothing but the set-up: callbacks do not travel
      heartbeatTimeoutMs: this.options.heartbeatTimeoutMs,
      onEvents: (events) => events.forEach(([id, event]) => this.deliver(id, event as EngineEvent)),
      onExit: (reason) => this.crashed(reason),
    });
  }

  private submit(pending: PendingRequest): void {
    this.child.send({ type: 'generate', request: pending.nextAttempt() as EngineRequestWire });
  }

  private deliver(id: string, event: EngineEvent): void {
    const pending = this.pending.get(id);
    if (event.type === 'finished') this.forget(id);
    pending?.deliver(event);
  }

  private crashed(reason: string): void {
    const wasReady = this.isReady;
    this.isReady = false;
    if (this.closed || (!wasReady && this.numRestarts === 0)) return; // the first start reports its own failure
    this.options.onCrash(reason);
    this.end(({ cancelled }) => cancelled, 'cancelled');
    this.end(({ isSuspect }) => isSuspect, 'failed', `${reason} while it answered; ask again`);
    this.failedStarts = wasReady ? 0 : this.failedStarts + 1;
    // A model that no longer loads would keep everyone waiting for ever.
    if (this.failedStarts >= MOST_FAILED_STARTS) {
      this.end(() => true, 'failed', `${reason} and cannot be started again`);
      this.wakeWaiters();
    }
    const delay = Math.min(FIRST_BACKOFF_MS * 2 ** this.failedStarts, LONGEST_BACKOFF_MS);
    this.numRestarts += 1;
    setTimeout(() => void this.restart(), delay);
  }

  private async restart(): Promise<void> {
    if (this.closed) return;
    const child = (this.child = this.spawn());
    try {
      await this.restore(child);
    } catch (error) {
      return child.kill(`it could not be restored: ${messageOf(error)}`); // its exit schedules the next attempt
    }
    this.isReady = true;
    this.wakeWaiters();
    this.options.onRestarted();
    for (const pending of this.pending.values()) this.submit(pending);
  }

  /** Makes a new process what the one before was. @throws AppError why it is not */
  private async restore(child: EngineChild): Promise<void> {
    const { live } = await child.ready;
    this.expectBase(live.base);
    for (const [digest, folder] of this.adapterFolders) {
      // Only the live one is worth staying away for; if the process ended, the call after these says so.
      const loading = child.call({ type: 'loadAdapter', folder });
      await (digest === this.live ? loading : loading.catch(() => child.alive && this.adapterFolders.delete(digest)));
    }
    await child.call({ type: 'setLive', digest: this.live });
  }

  /** Answers under way would go on from tokens of other weights, under their old name: nothing waits for that to pass. */
  private expectBase(found: string): void {
    try {
      expectDigest(`The model in ${this.options.setup.model}`, found, this.base!);
    } catch (error) {
      this.failedStarts = MOST_FAILED_STARTS;
      throw error;
    }
  }

  private end(which: (pending: PendingRequest) => boolean, reason: 'failed' | 'cancelled', error?: string) {
    for (const pending of [...this.pending.values()].filter(which)) {
      this.forget(pending.id);
      pending.end(reason, error);
    }
  }

  private forget(id: string): void {
    this.pending.delete(id);
    this.unloadUnneeded();
    if (this.pending.size === 0) this.drained?.();
  }

  /** Not while an adapter is being loaded: it may be one of these, wanted again. */
  private unloadUnneeded(): void {
    if (this.numLoading > 0) return;
    for (const digest of this.leaving) {
      if ([...this.pending.values()].some((pending) => pending.uses(digest))) continue;
      this.leaving.delete(digest);
      // A process that has just ended does not know it any more, and its successor must not learn it.
      this.adapterFolders.delete(digest);
      this.child.call({ type: 'unloadAdapter', digest }).catch(() => {});
    }
  }
}
