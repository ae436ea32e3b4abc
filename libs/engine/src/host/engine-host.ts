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
import { expectDigest } from './expect-digest.js';
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

/** A model to take in, by where it lies and what it must be. */
export interface ModelToServe {
  /** A model of the same tokenizer in Hugging Face layout, which must stay there. */
  readonly folder: string;
  /** Of the model alone: `WeightsId.base`. */
  readonly digest: string;
  /** An adapter of that model to be live from its first request on. */
  readonly adapter?: { readonly folder: string; readonly digest: string };
}

type EmbeddingModel = NonNullable<EngineSetupWire['embeddings']>;

const HEARTBEAT_TIMEOUT_MS = 30_000;

/**
 * An engine in a process of its own, so that a native crash takes down no answer: the process is replaced, and answers
 * under way go on. Another model is taken in by a second process beside the first, which finishes what it began.
 */
export class EngineHost implements TokenEngine {
  private readonly clock: Clock;
  /** The process of a model that is being taken in. */
  private arriving: ServingProcess | null = null;
  /** Processes of earlier models that still answer what they began. */
  private readonly leaving = new Set<ServingProcess>();
  /** Model changes take turns. */
  private swapping: Promise<unknown> = Promise.resolve();
  private restartsOfOthers = 0;
  private closed = false;

  private constructor(
    private readonly options: EngineHostOptions,
    private current: ServingProcess,
    /** What makes vectors, whichever model answers. */
    private readonly embeddings: EmbeddingModel,
  ) {
    this.clock = options.clock ?? systemClock;
  }

  /** Starts the process and waits until its model is loaded. @throws AppError why it cannot be */
  static async start(options: EngineHostOptions): Promise<EngineHost> {
    const first = makeProcess(options, options.model);
    const digest = await first.started();
    return new EngineHost(options, first, { folder: options.model, digest });
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
    this.expectOpen();
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
   * first finishes its answers and ends. For that while both are in memory. Vectors go on coming from the model that
   * the host was started with.
   * @returns the weights that are live now
   * @throws AppError why the model cannot be served, ConflictError when its files have changed; the one before goes on
   */
  swapModel(model: ModelToServe): Promise<WeightsId> {
    const turn = this.swapping.then(() => this.takeModel(model));
    this.swapping = turn.catch(() => {});
    return turn;
  }

  /** Leaves no process behind, not even one that is only being started. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await Promise.all(this.processes().map((process) => process.close()));
    await this.swapping;
  }

  private async takeModel(model: ModelToServe): Promise<WeightsId> {
    this.expectOpen();
    const next = (this.arriving = makeProcess(this.options, model.folder, this.embeddings));
    try {
      expectDigest(`The model in ${model.folder}`, await next.started(), model.digest);
      const live = await this.takeWeights(next, model);
      this.expectOpen();
      this.replaceCurrent(next);
      return live;
    } catch (error) {
      await next.close();
      throw error;
    } finally {
      this.arriving = null;
    }
  }

  /** Nothing goes live that is not what was asked for. */
  private async takeWeights(next: ServingProcess, { adapter }: ModelToServe): Promise<WeightsId> {
    if (!adapter) return (await next.stats()).live;
    const loaded = await next.loadAdapter(adapter.folder);
    expectDigest(`The adapter in ${adapter.folder}`, loaded.adapter, adapter.digest);
    await next.setLive(loaded.adapter);
    return loaded;
  }

  private expectOpen(): void {
    if (this.closed) throw new UnavailableError('the engine is closed');
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
    return [this.current, ...this.leaving, ...(this.arriving ? [this.arriving] : [])];
  }
}

function makeProcess(options: EngineHostOptions, model: string, embeddings?: EmbeddingModel): ServingProcess {
  return new ServingProcess({
    setup: { ...options, model, embeddings },
    heartbeatTimeoutMs: options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
    onCrash: (reason) => options.onCrash?.(reason),
    onRestarted: () => options.onRestarted?.(),
  });
}
