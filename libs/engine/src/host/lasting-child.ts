import { type EngineSetupWire, engineSetupWire } from '@attune/contracts';
import { messageOf, UnavailableError } from '@attune/platform';
import { type ChildOptions, EngineChild } from './child.js';
import { expectDigest } from './expect-digest.js';

export interface LastingChildOptions extends Omit<ChildOptions, 'onExit'> {
  /** Makes a new process what the one before was. @throws AppError why it is not; another is tried then */
  restore(child: EngineChild): Promise<void>;
  /** Told each time the process ends unasked, before it is replaced; `isLast`: it cannot be. */
  onCrash(reason: string, isLast: boolean): void;
  /** Told when a replacement is up. */
  onRestarted(): void;
}

const CLOSE_GRACE_MS = 5_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
const MOST_FAILED_STARTS = 3;

/** One model in a process that is replaced when it ends unasked, by one that serves the same weights. */
export class LastingChild {
  /** Digest of the model as the first process read it: no successor serves another. */
  private base: string | undefined;
  private child: EngineChild;
  private isReady = false;
  private closing: Promise<void> | undefined;
  private numRestarts = 0;
  private failedStarts = 0;
  /** Calls that came while the process was being replaced. */
  private readonly waiters: (() => void)[] = [];

  /** The process begins at once; `started` says when it is ready. */
  constructor(private readonly options: LastingChildOptions) {
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
    return this.isReady && !this.closing;
  }

  get restarts(): number {
    return this.numRestarts;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Tells the process; one that is being replaced is not told. @returns whether it was */
  tell(command: Parameters<EngineChild['send']>[0]): boolean {
    if (this.isReady) this.child.send(command);
    return this.isReady;
  }

  /**
   * What the process did not live to answer is asked of its successor, once: no such call does more when it is made twice.
   * @throws UnavailableError when the process cannot be replaced, or its successor ends as well
   */
  async call(command: Parameters<EngineChild['call']>[0]): Promise<unknown> {
    const child = await this.whenReady();
    try {
      return await child.call(command);
    } catch (error) {
      if (child.alive || this.closing) throw error;
      return (await this.whenReady()).call(command);
    }
  }

  /** As `call`, but of this process only, and not of its successor. */
  async callOnce(command: Parameters<EngineChild['call']>[0]): Promise<unknown> {
    return (await this.whenReady()).call(command);
  }

  /** As `callOnce`, at once: a process that is being replaced is not waited for. */
  callNow(command: Parameters<EngineChild['call']>[0]): Promise<unknown> {
    return this.child.call(command);
  }

  close(): Promise<void> {
    if (this.closing) return this.closing;
    // One that is still loading hears nothing until it has, and has nothing to end in peace.
    this.closing = this.child.close(this.isReady ? CLOSE_GRACE_MS : 0);
    this.wakeWaiters();
    return this.closing;
  }

  /** Waits for a process that is being replaced. */
  private async whenReady(): Promise<EngineChild> {
    if (!this.isReady && !this.closing && this.failedStarts < MOST_FAILED_STARTS)
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    if (!this.isReady) throw new UnavailableError('the engine process is not running; try again shortly');
    return this.child;
  }

  private wakeWaiters(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private spawn(): EngineChild {
    return new EngineChild({
      setup: setupOf(this.options.setup, this.numRestarts),
      heartbeatTimeoutMs: this.options.heartbeatTimeoutMs,
      onEvents: (events) => this.options.onEvents(events),
      onExit: (reason) => this.crashed(reason),
    });
  }

  private crashed(reason: string): void {
    const wasReady = this.isReady;
    this.isReady = false;
    if (this.closing || (!wasReady && this.numRestarts === 0)) return; // the first start reports its own failure
    this.failedStarts = wasReady ? 0 : this.failedStarts + 1;
    // A model that no longer loads would keep everyone waiting for ever.
    const isLast = this.failedStarts >= MOST_FAILED_STARTS;
    this.options.onCrash(reason, isLast);
    if (isLast) this.wakeWaiters();
    const delay = Math.min(FIRST_BACKOFF_MS * 2 ** this.failedStarts, LONGEST_BACKOFF_MS);
    this.numRestarts += 1;
    setTimeout(() => void this.restart(), delay);
  }

  private async restart(): Promise<void> {
    if (this.closing) return;
    const child = (this.child = this.spawn());
    try {
      const { live } = await child.ready;
      this.expectBase(live.base);
      await this.options.restore(child);
    } catch (error) {
      return child.kill(`it could not be restored: ${messageOf(error)}`); // its exit schedules the next attempt
    }
    this.isReady = true;
    this.wakeWaiters();
    this.options.onRestarted();
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
}

/** Nothing but the set-up, for callbacks do not travel; a driver may be what ended the process: `auto` does not try its luck twice. */
function setupOf(setup: EngineSetupWire, numRestarts: number): EngineSetupWire {
  const device = setup.device === 'auto' && numRestarts > 0 ? 'cpu' : setup.device;
  return engineSetupWire.parse({ ...setup, device });
}
