import { encodeModel } from '@attune/graph';
import {
  adapterInputs,
  type LowRankAdapter,
  type ModelConfig,
  type ParameterReader,
  servingGraph,
  servingLayout,
  servingWeights,
  type WeightFormat,
} from '@attune/models';
import {
  type BoundRun,
  float32,
  hostTensor,
  type HostTensor,
  int32,
  int64,
  type Runtime,
  type Session,
  type SessionOptions,
  type TypedTensor,
} from '@attune/runtime';
import { KvCache } from './kv-cache.js';

export interface ModelRunnerOptions {
  readonly format: WeightFormat;
  readonly slots: number;
  readonly maxSeq: number;
  readonly threads?: number;
  readonly spinning?: boolean;
  /** Run on this thread: a little faster, for a process that does nothing else. */
  readonly blocking?: boolean;
}

/** An adapter prepared as graph inputs. Null stands for the base model. */
export type PreparedAdapter = Readonly<Record<string, HostTensor>> | null;

interface StepTensors {
  readonly ids: TypedTensor<'int64'>;
  readonly lastPositions: TypedTensor<'int32'>;
  readonly longest: TypedTensor<'int32'>;
  readonly pick: TypedTensor<'int64'>;
  readonly logits: TypedTensor<'float32'>;
}

interface DecodeStep extends StepTensors {
  readonly run: BoundRun;
}

/** One model in memory: runs pieces of prompts and batches of decoding slots over the KV cache. */
export class ModelRunner {
  readonly cache: KvCache;
  private readonly decodeSteps = new WeakMap<object, Map<string, DecodeStep>>();
  private readonly baseKey = {};
  private adapted: Promise<Session> | undefined;

  private constructor(
    private readonly runtime: Runtime,
    readonly config: ModelConfig,
    private readonly createSession: (adapters: boolean) => Promise<Session>,
    private readonly plain: Session,
    private readonly options: ModelRunnerOptions,
  ) {
    const { slots, maxSeq } = options;
    const { headDim } = servingLayout(config);
    this.cache = new KvCache({ layers: config.numLayers, slots, kvHeads: config.numKvHeads, maxSeq, headDim });
  }

  /** @param read checkpoint parameters by their Hugging Face names */
  static async load(
    runtime: Runtime,
    config: ModelConfig,
    read: ParameterReader,
    options: ModelRunnerOptions,
  ): Promise<ModelRunner> {
    const weights = servingWeights(config, read, options);
    const initializers = Object.fromEntries(
      Object.entries(weights).map(([name, { dtype, shape, data }]) => [name, hostTensor(dtype, shape, data as never)]),
    );
    const { threads, spinning } = options;
    const sessionOptions: SessionOptions = { threads, spinning, initializers, shared: runtime.shareWeights() };
    const create = (adapters: boolean) =>
      runtime.createSession(encodeModel(servingGraph(config, { ...options, adapters })), sessionOptions);
    return new ModelRunner(runtime, config, create, await create(false), options);
  }

  /** Checks an adapter against the model and lays it out for the graph. @throws RangeError when it does not fit */
  async prepareAdapter(adapter: LowRankAdapter): Promise<PreparedAdapter> {
    const inputs = Object.entries(adapterInputs(this.config, adapter));
    await (this.adapted ??= this.createSession(true));
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
    const step = this.stepTensors(1, tokens.length, wantLogits ? 1 : 0);
    tokens.forEach((token, i) => (step.ids.data[i] = BigInt(token)));
    step.lastPositions.data[0] = start + tokens.length - 1;
    step.longest.data[0] = start + tokens.length;
    if (wantLogits) step.pick.data[0] = BigInt(tokens.length - 1);
    await this.execute(await this.bind(slot, 1, step, adapter));
    return wantLogits ? step.logits.data : null;
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
    const step = await this.decodeStep(start, tokens.length, adapter);
    tokens.forEach((token, i) => (step.ids.data[i] = BigInt(token)));
    lengths.forEach((length, i) => (step.lastPositions.data[i] = length));
    step.longest.data[0] = Math.max(...lengths) + 1;
    await this.execute(step.run);
    return step.logits.data;
  }

  async release(): Promise<void> {
    this.plain.release();
    (await this.adapted)?.release();
    this.runtime.trimMemory();
  }

  private async execute(run: BoundRun): Promise<void> {
    if (this.options.blocking) run.runSync();
    else await run.run();
  }

  /** Decode steps repeat with the same shapes for as long as the batch stays the same, so they are bound once. */
  private async decodeStep(start: number, count: number, adapter: PreparedAdapter): Promise<DecodeStep> {
    const owner = adapter ?? this.baseKey;
    const known = this.decodeSteps.get(owner) ?? new Map<string, DecodeStep>();
    this.decodeSteps.set(owner, known);
    const key = `${start}+${count}`;
    const found = known.get(key);
    if (found) return found;
    const tensors = this.stepTensors(count, 1, count);
    for (let row = 0; row < count; row++) tensors.pick.data[row] = BigInt(row);
    const made = { ...tensors, run: await this.bind(start, count, tensors, adapter) };
    known.set(key, made);
    return made;
  }

  private async bind(start: number, count: number, step: StepTensors, adapter: PreparedAdapter): Promise<BoundRun> {
    const session = adapter ? await this.adapted! : this.plain;
    const { past, present } = this.cache.view(start, count);
    const { logits, ...inputs } = step;
    return session.bind({ ...inputs, ...past, ...adapter }, { logits, ...present });
  }

  private stepTensors(rows: number, columns: number, picked: number): StepTensors {
    return {
      ids: int64([rows, columns]),
      lastPositions: int32([rows]),
      longest: int32([]),
      pick: int64([picked]),
      logits: float32([picked, this.config.vocabSize]),
    };
  }
}
