import { randomInt } from 'node:crypto';
import { type Clock, messageOf, systemClock, UnavailableError } from '@attune/platform';
import { Adapters } from './adapters.js';
import { layOut } from './adapters-prepared.js';
import { Batch } from './batch/batch.js';
import { type StructureCheck, StructureCompiler, type Vocabulary } from '@attune/structured';
import { whyNot } from './check-request.js';
import { type EngineOptions, type OpenedModel, openModel } from './engine-options.js';
import { EventQueue } from './event-queue.js';
import { AdapterReader } from './reading/adapter-reader.js';
import { resolveSampling } from './sampling/sampler-step.js';
import { type EventSink, Sequence } from './sequence.js';
import { Speculator } from './speculation/speculator.js';
import { vocabularySource } from './find-vocabulary.js';
import { healPrompt } from './healing.js';
import type {
  Adapter,
  EngineEvent,
  EngineStats,
  GenerateOptions,
  GenerateRequest,
  OutputStructure,
  TokenEngine,
  WeightsId,
} from './types.js';

/** See `EngineOptions`: at 10 tokens a second and more a reader does not notice. */
const DEFAULT_GAP_MS = 100;

/** Many sequences over one model, in this process. See `TokenEngine` for what the methods promise. */
export class Engine implements TokenEngine {
  private readonly batch: Batch;
  private readonly speculator: Speculator;
  private readonly adapters: Adapters;
  private readonly reader: AdapterReader;
  private readonly structures: StructureCompiler;
  private readonly vocabulary: () => Promise<Vocabulary>;
  /** Requests that wait for a compiled structure or the vocabulary. */
  private readonly preparing = new Map<string, Sequence>();
  private readonly clock: Clock;
  private loop: Promise<void> | null = null;
  private closed = false;

  private constructor(
    private readonly model: OpenedModel,
    private readonly options: EngineOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.reader = new AdapterReader(model.runner.config);
    this.adapters = new Adapters(model.runner, model.digest, {
      mergeAfterMs: options.mergeLiveAfterMs,
      onUnused: (layout) => this.reader.giveBack(layout),
    });
    this.vocabulary = vocabularySource(options);
    const { vocabSize } = model.runner.config;
    this.structures = new StructureCompiler({ vocabulary: this.vocabulary, vocabSize });
    const chunks = { tokenBudget: model.limits.tokenBudget, gapMs: options.gapMs ?? DEFAULT_GAP_MS };
    this.speculator = new Speculator(model.format);
    const speculator = options.speculation === false ? null : this.speculator;
    this.batch = new Batch(model.runner, this.adapters, this.clock, chunks, speculator);
  }

  /** @throws InvalidRequestError when the folder cannot be used or the architecture is unknown */
  static async load(options: EngineOptions): Promise<Engine> {
    return new Engine(await openModel(options), options);
  }

  generate(request: GenerateRequest, options: GenerateOptions = {}): AsyncIterable<EngineEvent> {
    const cancel = () => this.cancel(request.id);
    const queue = new EventQueue(cancel);
    this.submit(request, (event) => {
      if (event.type === 'finished') options.signal?.removeEventListener('abort', cancel);
      queue.push(event);
    });
    if (options.signal?.aborted) cancel();
    else options.signal?.addEventListener('abort', cancel, { once: true });
    return queue;
  }

  /** As `generate`, with events handed to a callback. @throws UnavailableError when the engine is closed */
  submit(request: GenerateRequest, sink: EventSink): void {
    if (this.closed) throw new UnavailableError('the engine is closed');
    const now = this.clock.monotonicMs();
    const sampling = resolveSampling(request.sampling ?? {}, (this.options.drawSeed ?? randomSeed)());
    const sequence = new Sequence(request, sampling, now, sink);
    const problem = this.problemOf(request);
    if (this.numWaiting >= (this.options.queueLimit ?? Infinity)) return this.refuseCrowd(sequence);
    if (problem) return sequence.end('rejected', now, { error: problem, rejection: 'invalid' });
    if (request.structure ?? request.healPrompt) void this.prepare(sequence);
    else this.enqueue(sequence);
  }

  /** Ends a request at the next step; nothing happens when there is none of that id. */
  cancel(id: string): void {
    const preparing = this.preparing.get(id);
    if (preparing) this.endPreparing(preparing);
    const sequence = this.batch.find(id);
    if (sequence) sequence.cancelled = true;
  }

  /** Whether answers can be held to a structure, and if not, why; a structure found good is ready for the request. */
  checkStructure(structure: OutputStructure): Promise<StructureCheck> {
    return this.structures.check(structure);
  }

  /** A vector of length 1 for each text: the mean of the base model's final hidden states. */
  async embed(texts: readonly (readonly number[])[]): Promise<number[][]> {
    const vectors: number[][] = [];
    for (const tokens of texts) vectors.push([...(await this.model.embedder.embed(tokens))]);
    return vectors;
  }

  /**
   * Takes an adapter into memory.
   * @param adapter weights, or a folder in PEFT layout, which is read beside the steps
   * @throws InvalidRequestError when it cannot be read or does not fit the model
   */
  async loadAdapter(adapter: Adapter | string): Promise<WeightsId> {
    const { config } = this.model.runner;
    return this.adapters.load(typeof adapter === 'string' ? await this.reader.read(adapter) : layOut(config, adapter));
  }

  async setLive(adapterDigest: string | null): Promise<void> {
    this.adapters.setLive(adapterDigest);
  }

  async unloadAdapter(digest: string): Promise<void> {
    this.adapters.unload(digest);
  }

  async stats(): Promise<EngineStats> {
    return {
      limits: this.model.limits,
      vocabSize: this.model.runner.config.vocabSize,
      format: this.model.format,
      kv: this.model.kv,
      device: this.model.device,
      deviceReason: this.model.deviceReason,
      memory: this.model.runner.memory,
      live: this.adapters.live.id,
      adapters: this.adapters.digests,
      running: this.batch.numRunning,
      waiting: this.numWaiting,
      ...this.batch.counters,
      ...this.speculator.counters,
    };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const sequence of this.preparing.values()) this.endPreparing(sequence);
    this.batch.cancelAll();
    await this.loop;
    await this.adapters.close();
    await this.reader.close();
    this.structures.close();
    await this.model.embedder.release();
    await this.model.runner.release();
  }

  private get numWaiting(): number {
    return this.batch.numWaiting + this.preparing.size;
  }

  private refuseCrowd(sequence: Sequence) {
    const error = `${this.numWaiting} requests already wait for the model, the most it lets in; try again shortly`;
    sequence.end('rejected', this.clock.monotonicMs(), { error, rejection: 'overloaded' });
  }

  private problemOf(request: GenerateRequest): string | null {
    if (this.batch.find(request.id) ?? this.preparing.get(request.id))
      return `a request with the id ${request.id} is already under way`;
    if (typeof request.adapter === 'string' && !this.adapters.find(request.adapter))
      return `adapter ${request.adapter} is not loaded; load it first`;
    return whyNot(request, this.model.limits, this.model.runner.config.vocabSize);
  }

  private enqueue(sequence: Sequence) {
    this.batch.add(sequence);
    this.loop ??= this.run();
  }

  /** Running answers go on meanwhile. */
  private async prepare(sequence: Sequence) {
    this.preparing.set(sequence.id, sequence);
    const problem = await this.constrain(sequence);
    const isWanted = this.preparing.get(sequence.id) === sequence;
    if (!isWanted) return sequence.matcher?.close(); // it was cancelled before there was one
    this.preparing.delete(sequence.id);
    if (problem === null) return this.enqueue(sequence);
    sequence.end('rejected', this.clock.monotonicMs(), { error: problem, rejection: 'invalid' });
    this.options.onStep?.(); // no step will tell of it
  }

  /** Holds the answer to its structure, or heals its prompt. @returns why that cannot be; null = done */
  private async constrain(sequence: Sequence): Promise<string | null> {
    const { structure, stopIds, promptIds } = sequence.request;
    if (structure) {
      const opened = await this.structures.open(structure, stopIds ?? []);
      if (!opened.ok) return `the structure cannot be used: ${opened.reason}`;
      sequence.follow(opened.matcher);
      return null;
    }
    try {
      const healed = healPrompt(promptIds, await this.vocabulary(), this.model.runner.config.vocabSize);
      if (healed) sequence.heal(healed);
      return null;
    } catch (error) {
      return `the prompt cannot be healed: ${messageOf(error)}`;
    }
  }

  private endPreparing(sequence: Sequence) {
    this.preparing.delete(sequence.id);
    sequence.end('cancelled', this.clock.monotonicMs());
    this.options.onStep?.();
  }

  private async run(): Promise<void> {
    while (this.batch.numWaiting + this.batch.numRunning > 0) {
      await nextTurn();
      await this.batch.step();
      this.options.onStep?.();
    }
    this.loop = null;
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const randomSeed = () => randomInt(2 ** 32);
