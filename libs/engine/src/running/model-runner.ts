import {
  adapterInputs,
  type LinearFormat,
  linearFormatFor,
  linearFormatsOf,
  type LowRankAdapter,
  type ModelConfig,
  type ParameterReader,
  servingLayout,
} from '@attune/models';
import { type BoundRun, float32, type HostTensor, type Runtime } from '@attune/runtime';
import { KvCache } from './kv-cache.js';
import { ServingSessions, type SessionsOptions } from './serving-sessions.js';
import { placeTokens, stepInputs, type StepTensors, StepTensorMaker } from './step-tensors.js';

export interface ModelRunnerOptions extends SessionsOptions {
  readonly slots: number;
  /** Run on this thread: a little faster, for a process that does nothing else. */
  readonly blocking?: boolean;
}

/** An adapter prepared as graph inputs. Null stands for the base model. */
export type PreparedAdapter = Readonly<Record<string, HostTensor>> | null;

interface BoundStep extends StepTensors {
  readonly run: BoundRun;
}

/** Steps that come back with the same shape are bound once; longer pieces of prompts rarely are alike. */
const LONGEST_KEPT = 16;

/** One model in memory: runs pieces of prompts and batches of decoding slots over the KV cache. */
export class ModelRunner {
  readonly cache: KvCache;
  private readonly steps = new WeakMap<object, Map<string, BoundStep>>();
  private readonly baseKey = {};
  private readonly tensors: StepTensorMaker;

  private constructor(
    readonly config: ModelConfig,
    private readonly sessions: ServingSessions,
    private readonly options: ModelRunnerOptions,
  ) {
    const { slots, maxSeq, kv } = options;
    const { headDim } = servingLayout(config);
    this.cache = new KvCache({ layers: config.numLayers, slots, kvHeads: config.numKvHeads, maxSeq, headDim }, kv);
    this.tensors = new StepTensorMaker(config.vocabSize);
  }

  /** @param read checkpoint parameters by their Hugging Face names */
  static async load(
    runtime: Runtime,
    config: ModelConfig,
    read: ParameterReader,
    options: ModelRunnerOptions,
  ): Promise<ModelRunner> {
    return new ModelRunner(config, await ServingSessions.open(runtime, config, read, options), options);
  }

  /** Bytes of the weights and of one token in the KV cache. */
  get memory(): { readonly weightBytes: number; readonly bytesPerToken: number } {
    return { weightBytes: this.sessions.weightBytes, bytesPerToken: this.cache.bytesPerToken };
  }

  /** Checks an adapter against the model and lays it out for the graph. @throws RangeError when it does not fit */
  async prepareAdapter(adapter: LowRankAdapter): Promise<PreparedAdapter> {
    const inputs = Object.entries(adapterInputs(this.config, adapter));
    for (const format of linearFormatsOf(this.options.format)) await this.sessions.get(format, true);
    return Object.fromEntries(inputs.map(([name, { shape, data }]) => [name, float32(shape, data)]));
  }

  /**
   * Puts tokens into a slot's cache at positions `start`…
   * @returns logits [V] after the last token, valid until the next run; null unless `wantLogits`
   */
  async prefill(
    slot: number,
    tokens: readonly number[],
    start: number,
    adapter: PreparedAdapter,
    wantLogits: boolean,
  ): Promise<Float32Array | null> {
    const picks = wantLogits ? [tokens.length - 1] : [];
    const logits = await this.read(slot, tokens, start, adapter, picks);
    return wantLogits ? logits : null;
  }

  /**
   * As `prefill`, with the logits after every token: how likely the model finds each of them, and what it would have
   * said instead.
   * @returns logits [tokens · V], valid until the next run
   */
  async verify(
    slot: number,
    tokens: readonly number[],
    start: number,
    adapter: PreparedAdapter,
  ): Promise<Float32Array> {
    return this.read(slot, tokens, start, adapter, [...tokens.keys()]);
  }

  /**
   * One token for each of the slots start, start + 1, … under one adapter.
   * @param lengths positions already in the cache, per slot
   * @returns logits [count · V], valid until the next run
   */
  async decode(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapter: PreparedAdapter,
  ): Promise<Float32Array> {
    const count = tokens.length;
    const step = await this.boundStep({ start, count, columns: 1, picked: count, adapter });
    tokens.forEach((token, row) => {
      step.ids.data[row] = BigInt(token);
      step.lastPositions.data[row] = lengths[row]!;
      step.pick.data[row] = BigInt(row);
    });
    step.longest.data[0] = Math.max(...lengths) + 1;
    await this.execute(step.run);
    return step.logits.data;
  }

  async release(): Promise<void> {
    await this.sessions.release();
  }

  private async read(
    slot: number,
    tokens: readonly number[],
    start: number,
    adapter: PreparedAdapter,
    picks: readonly number[],
  ): Promise<Float32Array> {
    const shape = { start: slot, count: 1, columns: tokens.length, picked: picks.length, adapter };
    const step = await this.boundStep(shape);
    placeTokens(step, tokens, start, picks);
    await this.execute(step.run);
    return step.logits.data;
  }

  private async execute(run: BoundRun): Promise<void> {
    if (this.options.blocking) run.runSync();
    else await run.run();
  }

  private async boundStep(shape: StepShape): Promise<BoundStep> {
    if (shape.columns > LONGEST_KEPT) return this.bind(shape);
    const owner = shape.adapter ?? this.baseKey;
    const known = this.steps.get(owner) ?? new Map<string, BoundStep>();
    this.steps.set(owner, known);
    const key = `${shape.start}+${shape.count}x${shape.columns}/${shape.picked}`;
    const found = known.get(key) ?? (await this.bind(shape));
    known.set(key, found);
    return found;
  }

  private async bind({ start, count, columns, picked, adapter }: StepShape): Promise<BoundStep> {
    const session = await this.sessions.get(this.formatFor(count * columns), adapter !== null);
    const step = this.tensors.make(count, columns, picked);
    const { past, present } = this.cache.view(start, count);
    const run = session.bind({ ...stepInputs(step), ...past, ...adapter }, { logits: step.logits, ...present });
    return { ...step, run };
  }

  private formatFor(rows: number): LinearFormat {
    return linearFormatFor(this.options.format, rows);
  }
}

/** Slots start … start + count − 1, each with `columns` tokens; `picked` logits of them all. */
interface StepShape {
  readonly start: number;
  readonly count: number;
  readonly columns: number;
  readonly picked: number;
  readonly adapter: PreparedAdapter;
}
