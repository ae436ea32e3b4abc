import type { EngineSetupWire } from '@attune/contracts';
import { type Clock, systemClock, UnavailableError } from '@attune/platform';
import { EventQueue } from '../event-queue.js';
import type {
  EngineEvent,
  EngineStats,
  GenerateOptions,
  GenerateRequest,
  OutputStructure,
  StructureCheck,
  TokenEngine,
  WeightsId,
} from '../types.js';
import { PendingRequest } from './pending-request.js';
import { ServingProcess } from './serving-process.js';

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

/**
 * An engine in a process of its own, so that a native crash takes down no answer: the process is replaced, and answers
 * under way go on. Another model is taken in by a second process beside the first, which finishes what it began.
 */
export class EngineHost implements TokenEngine {
  private readonly clock: Clock;
  /** Processes of earlier models that still answer what they began. */
  private readonly leaving = new Set<ServingProcess>();
  /** Model changes take turns. */
  private swapping: Promise<unknown> = Promise.resolve();
  private restartsOfOthers = 0;
  private closed = false;

  private constructor(
    private readonly options: EngineHostOptions,
    private current: ServingProcess,
  ) {
    this.clock = options.clock ?? systemClock;
  }

  /** Starts the process and waits until its model is loaded. @throws AppError why it cannot be */
  static async start(options: EngineHostOptions): Promise<EngineHost> {
    return new EngineHost(options, await startProcess(options, options.model));
  }

  /** Whether a request sent now would start without waiting for a process. */
  get ready(): boolean {
    return this.current.ready;
  }

  /** Times a process had to be replaced. */
  get restarts(): number {
    return [this.current, ...this.leaving].reduce((all, { restarts }) => all + restarts, this.restartsOfOthers);
  }

  /** The engine process that takes new requests, for supervision and tests. */
  get pid(): number | undefined {
    return this.current.pid;
  }

  generate(request: GenerateRequest, options: GenerateOptions = {}): AsyncIterable<EngineEvent> {
    if (this.closed) throw new UnavailableError('the engine is closed');
    const cancel = () => this.cancel(request.id);
    const queue = new EventQueue(cancel);
    const pending = new PendingRequest(request, this.clock, (event) => {
      if (event.type === 'finished') options.signal?.removeEventListener('abort', cancel);
      queue.push(event);
    });
    if (this.processes().some((process) => process.has(request.id))) {
      pending.end('failed', `a request with the id ${request.id} is already under way`);
      return queue;
    }
    this.current.take(pending);
    if (options.signal?.aborted) cancel();
    else options.signal?.addEventListener('abort', cancel, { once: true });
    return queue;
  }

  cancel(id: string): void {
    for (const process of this.processes()) process.cancel(id);
  }

  /** @param folder an adapter in PEFT layout, which must stay there: a replaced process reads it again */
  loadAdapter(folder: string): Promise<WeightsId> {
    return this.current.loadAdapter(folder);
  }

  setLive(adapterDigest: string | null): Promise<void> {
    return this.current.setLive(adapterDigest);
  }

  unloadAdapter(digest: string): Promise<void> {
    return this.current.unloadAdapter(digest);
  }

  checkStructure(structure: OutputStructure): Promise<StructureCheck> {
    return this.current.checkStructure(structure);
  }

  embed(texts: readonly (readonly number[])[]): Promise<number[][]> {
    return this.current.embed(texts);
  }

  stats(): Promise<EngineStats> {
    return this.current.stats();
  }

  /**
   * Serves another model: a second process loads it beside the first, then takes every request that has not begun; the
   * first finishes its answers and ends. For that while both are in memory.
   * @param folder a model of the same tokenizer in Hugging Face layout, which must stay there
   * @param adapterFolder an adapter of that model to be live from its first request on
   * @returns the weights that are live now
   * @throws AppError why the model cannot be served; the one before goes on
   */
  swapModel(folder: string, adapterFolder?: string): Promise<WeightsId> {
    const turn = this.swapping.then(() => this.takeModel(folder, adapterFolder));
    this.swapping = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await Promise.all(this.processes().map((process) => process.close()));
  }

  private async takeModel(folder: string, adapterFolder?: string): Promise<WeightsId> {
    const next = await startProcess(this.options, folder);
    try {
      if (this.closed) throw new UnavailableError('the engine is closed');
      if (adapterFolder) await next.setLive((await next.loadAdapter(adapterFolder)).adapter);
      const { live } = await next.stats();
      this.replaceCurrent(next);
      return live;
    } catch (error) {
      await next.close();
      throw error;
    }
  }

  private replaceCurrent(next: ServingProcess): void {
    const old = this.current;
    this.current = next;
    this.leaving.add(old);
    for (const pending of old.handOver()) next.take(pending);
    void old
      .drain()
      .then(() => old.close())
      .then(() => {
        this.leaving.delete(old);
        this.restartsOfOthers += old.restarts;
      });
  }

  private processes(): ServingProcess[] {
    return [this.current, ...this.leaving];
  }
}

function startProcess(options: EngineHostOptions, model: string): Promise<ServingProcess> {
  return ServingProcess.start({
    setup: { ...options, model },
    heartbeatTimeoutMs: options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
    onCrash: (reason) => options.onCrash?.(reason),
    onRestarted: () => options.onRestarted?.(),
  });
}
