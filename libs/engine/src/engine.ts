import { availableParallelism } from 'node:os';
import { randomInt } from 'node:crypto';
import { readModelFolder } from '@attune/checkpoint';
import { parseModelConfig } from '@attune/models';
import {
  type Clock,
  InternalError,
  InvalidRequestError,
  messageOf,
  systemClock,
  UnavailableError,
} from '@attune/platform';
import { createRuntime, type Runtime } from '@attune/runtime';
import { Adapters } from './adapters.js';
import { whyNot } from './check-request.js';
import { EventQueue } from './event-queue.js';
import { ModelRunner } from './running/model-runner.js';
import { resolveSampling } from './sampling/sampler-step.js';
import { describeToken, sampleToken } from './sampling/sampler.js';
import { arrange, type DecodeRun, decodeRuns } from './scheduling/arrange.js';
import { admit, planStep } from './scheduling/scheduler.js';
import { type EventSink, Sequence } from './sequence.js';
import { Slots } from './slots.js';
import type {
  Adapter,
  EngineEvent,
  EngineLimits,
  EngineStats,
  GenerateOptions,
  GenerateRequest,
  StopReason,
  TokenEngine,
  WeightFormat,
  WeightsId,
} from './types.js';

/** Weights in memory; a `ModelFolder` of @attune/checkpoint is one. */
export interface LoadedModel {
  /** Hugging Face's config.json, parsed. */
  readonly config: unknown;
  /** Names the base weights. */
  readonly digest: string;
  tensor(name: string): { readonly data: Float32Array };
}

export interface EngineOptions {
  /** A folder in Hugging Face layout, or weights already in memory. */
  readonly model: string | LoadedModel;
  readonly format?: WeightFormat;
  readonly slots?: number;
  /** Default: the model's own context, at most 4096. */
  readonly maxSeq?: number;
  readonly tokenBudget?: number;
  readonly threads?: number;
  /** See the runtime's `SessionOptions`; off where the cores are shared. Default true. */
  readonly spinning?: boolean;
  /** Run the model on this thread; for a process that serves nothing but this engine. */
  readonly blocking?: boolean;
  /** Folder that may remember the model's digest. */
  readonly digestCache?: string;
  readonly runtime?: Runtime;
  readonly clock?: Clock;
  /** Seeds for requests that bring none; 32 bits, unsigned. */
  readonly drawSeed?: () => number;
  /** Called after every step, when all its events are out. */
  readonly onStep?: () => void;
}

const DEFAULT_MAX_SEQ = 4096;
const DEFAULT_SLOTS = 8;
const DEFAULT_TOKEN_BUDGET = 256;

/** Many sequences over one model, in this process. See `TokenEngine` for what the methods promise. */
export class Engine implements TokenEngine {
  private readonly waiting = new Map<string, Sequence>();
  private readonly running = new Map<string, Sequence>();
  private readonly slots: Slots;
  private readonly adapters: Adapters;
  private readonly clock: Clock;
  private readonly counters = { steps: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  private loop: Promise<void> | null = null;
  private closed = false;

  private constructor(
    private readonly runner: ModelRunner,
    baseDigest: string,
    readonly limits: EngineLimits,
    private readonly options: EngineOptions,
  ) {
    this.slots = new Slots(runner.cache);
    this.adapters = new Adapters(runner, baseDigest);
    this.clock = options.clock ?? systemClock;
  }

  /** @throws InvalidRequestError when the folder cannot be used or the architecture is unknown */
  static async load(options: EngineOptions): Promise<Engine> {
    const { slots = DEFAULT_SLOTS, format = 'fp32', threads = availableParallelism() } = options;
    const model = await openModel(options);
    const config = readConfig(model.config);
    const maxSeq = options.maxSeq ?? Math.min(config.maxPositions, DEFAULT_MAX_SEQ);
    const runtime = options.runtime ?? createRuntime({ threads });
    const read = (name: string) => model.tensor(name).data;
    const runner = await ModelRunner.load(runtime, config, read, { ...options, format, slots, maxSeq, threads });
    // Room for every decoding sequence and some prompt beside them, or prompts would starve.
    const tokenBudget = Math.max(options.tokenBudget ?? DEFAULT_TOKEN_BUDGET, slots + 16);
    return new Engine(runner, model.digest, { slots, maxSeq, tokenBudget }, { ...options, format });
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
    if (problem) return sequence.end('rejected', now, { error: problem });
    this.waiting.set(request.id, sequence);
    this.loop ??= this.run();
  }

  /** Ends a request at the next step; nothing happens when there is none of that id. */
  cancel(id: string): void {
    const sequence = this.waiting.get(id) ?? this.running.get(id);
    if (sequence) sequence.cancelled = true;
  }

  /** Takes an adapter into memory. @throws InvalidRequestError when it does not fit the model */
  loadAdapter(adapter: Adapter): Promise<WeightsId> {
    return this.adapters.load(adapter);
  }

  async setLive(adapterDigest: string | null): Promise<void> {
    this.adapters.setLive(adapterDigest);
  }

  async unloadAdapter(digest: string): Promise<void> {
    this.adapters.unload(digest);
  }

  async stats(): Promise<EngineStats> {
    return {
      limits: this.limits,
      vocabSize: this.runner.config.vocabSize,
      format: this.options.format ?? 'fp32',
      live: this.adapters.live.id,
      adapters: this.adapters.digests,
      running: this.running.size,
      waiting: this.waiting.size,
      ...this.counters,
    };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const sequence of [...this.waiting.values(), ...this.running.values()]) sequence.cancelled = true;
    await this.loop;
    await this.runner.release();
  }

  private problemOf(request: GenerateRequest): string | null {
    if (this.waiting.has(request.id) || this.running.has(request.id))
      return `a request with the id ${request.id} is already under way`;
    if (typeof request.adapter === 'string' && !this.adapters.find(request.adapter))
      return `adapter ${request.adapter} is not loaded; load it first`;
    return whyNot(request, this.limits, this.runner.config.vocabSize);
  }

  private async run(): Promise<void> {
    while (this.waiting.size + this.running.size > 0) {
      await nextTurn();
      await this.step();
      this.options.onStep?.();
    }
    this.loop = null;
  }

  /** Plan, reserve, run, sample, commit. */
  private async step(): Promise<void> {
    this.counters.steps += 1;
    this.endCancelled();
    this.admitWaiting();
    const plan = planStep(
      [...this.running.values()].map((sequence) => sequence.view()),
      this.limits.tokenBudget,
    );
    const decoding = plan.decode.map((id) => this.running.get(id)!);
    this.slots.exchange(arrange(decoding.map(placed)));
    for (const run of decodeRuns(decoding.map(placed))) await this.decode(run, decoding);
    for (const { id, count } of plan.prefill) await this.prefill(this.running.get(id)!, count);
  }

  private endCancelled() {
    for (const sequence of [...this.waiting.values(), ...this.running.values()]) {
      if (sequence.cancelled) this.end(sequence, 'cancelled');
    }
  }

  private admitWaiting() {
    const waiting = [...this.waiting.values()].map(({ id, user }) => ({ id, user }));
    const users = [...this.running.values()].map(({ user }) => user);
    for (const id of admit(waiting, users, this.slots.numFree)) this.begin(this.waiting.get(id)!);
  }

  /** From here on the sequence's weights are fixed. */
  private begin(sequence: Sequence) {
    const { adapter } = sequence.request;
    const weights = adapter === undefined ? this.adapters.live : this.adapters.find(adapter);
    if (!weights) return this.end(sequence, 'rejected', { error: `adapter ${adapter} was unloaded meanwhile` });
    const choice = this.slots.reserve(sequence, weights.id.digest)!;
    this.waiting.delete(sequence.id);
    this.running.set(sequence.id, sequence);
    this.counters.promptTokens += sequence.request.promptIds.length;
    this.counters.cachedTokens += choice.cached;
    sequence.begin(weights, choice.slot, choice.cached, this.clock.monotonicMs());
  }

  private async decode({ start, count }: DecodeRun, decoding: readonly Sequence[]) {
    const rows = decoding.filter(({ slot }) => slot >= start && slot < start + count).sort((a, b) => a.slot - b.slot);
    const tokens = rows.map((sequence) => sequence.tokens.at(-1)!);
    const lengths = rows.map(({ computed }) => computed);
    await this.guard(rows, async () => {
      const logits = await this.runner.decode(start, tokens, lengths, rows[0]!.weights!.prepared);
      const size = this.runner.config.vocabSize;
      for (const sequence of rows) sequence.computed += 1;
      rows.forEach((sequence, row) => this.advance(sequence, logits.subarray(row * size, (row + 1) * size)));
    });
  }

  private async prefill(sequence: Sequence, count: number) {
    const start = sequence.computed;
    const tokens = sequence.tokens.slice(start, start + count);
    const isLast = start + count === sequence.tokens.length;
    await this.guard([sequence], async () => {
      const logits = await this.runner.prefill(sequence.slot, tokens, start, sequence.weights!.prepared, isLast);
      sequence.computed += count;
      if (logits) this.advance(sequence, logits);
    });
  }

  /** Draws a sequence's next token from its logits [V]. */
  private advance(sequence: Sequence, logits: Float32Array) {
    const { request, sampling, promptCounts, answerCounts } = sequence;
    const token = sampleToken(logits, { params: sampling, promptCounts, answerCounts }, sequence.numDrawn);
    if (Number.isNaN(logits[token])) throw new InternalError('the model computed NaN: its weights are damaged');
    const event = describeToken(logits, token, request.logProbs ?? false, request.topLogProbs ?? 0);
    if (sequence.isStop(token)) return this.end(sequence, 'stop', { stopToken: event });
    this.counters.completionTokens += 1;
    const reason = sequence.append(event, this.clock.monotonicMs());
    if (reason) this.end(sequence, reason);
  }

  /** A run that fails ends its own sequences and spoils their slots, and nothing else. */
  private async guard(sequences: readonly Sequence[], run: () => Promise<void>) {
    try {
      await run();
    } catch (error) {
      for (const sequence of sequences) {
        if (this.running.has(sequence.id)) this.end(sequence, 'failed', { error: messageOf(error) });
      }
    }
  }

  private end(sequence: Sequence, reason: StopReason, more: Parameters<Sequence['end']>[2] = {}) {
    this.waiting.delete(sequence.id);
    if (this.running.delete(sequence.id)) this.slots.free(sequence, reason !== 'failed');
    sequence.end(reason, this.clock.monotonicMs(), more);
  }
}

const placed = ({ slot, weights }: Sequence) => ({ slot, group: weights!.id.digest });
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const randomSeed = () => randomInt(2 ** 32);

async function openModel({ model, digestCache }: EngineOptions): Promise<LoadedModel> {
  return typeof model === 'string' ? readModelFolder(model, { digestCache }) : model;
}

function readConfig(json: unknown) {
  try {
    return parseModelConfig(json);
  } catch (error) {
    throw new InvalidRequestError(`The model cannot be served: ${messageOf(error)}`, { param: 'MODEL', cause: error });
  }
}
