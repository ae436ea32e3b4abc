import {
  type AdapterGraph,
  type LinearFormat,
  linearFormatFor,
  linearFormatsOf,
  type ModelConfig,
  NO_ADAPTERS,
  type ParameterReader,
  servingLayout,
} from '@attune/models';
import type { BoundRun, HostTensor, Runtime } from '@attune/runtime';
import type { MergedModel } from '../adapters.js';
import { MixedAdapters, type MixedInputs } from '../adapters-mixed.js';
import {
  type AdapterLayout,
  type LayerUpdate,
  layerUpdateOf,
  type PreparedAdapter,
  type SoftPrompt,
  toTensors,
} from '../adapters-prepared.js';
import { KvCache, type SavedPositions } from './kv-cache.js';
import { ServingSessions, type SessionsOptions } from './serving-sessions.js';
import { placeTokens, stepInputs, type StepTensors, StepTensorMaker } from './step-tensors.js';

export interface ModelRunnerOptions extends SessionsOptions {
  readonly slots: number;
  /** Run on this thread: a little faster, for a process that does nothing else. */
  readonly blocking?: boolean;
}

interface BoundStep extends StepTensors {
  readonly run: BoundRun;
}

/** A step whose rows have different adapters. */
interface MixedStep extends BoundStep {
  readonly adapters: MixedInputs;
}

/** Steps that come back with the same shape are bound once; longer pieces of prompts rarely are alike. */
const LONGEST_KEPT = 16;
/** Shapes of mixed batches come and go with the adapters in them. */
const MOST_MIXED_STEPS = 64;

/** One model in memory: runs pieces of prompts and batches of decoding slots over the KV cache. */
export class ModelRunner {
  readonly cache: KvCache;
  private readonly steps = new WeakMap<object, Map<string, BoundStep>>();
  private readonly baseKey = {};
  private readonly mixed: MixedAdapters;
  private readonly mixedSteps = new Map<string, MixedStep>();
  /** What soft prompts leave in a slot: computed once, copied from then on. */
  private readonly softPrompts = new WeakMap<SoftPrompt, SavedPositions>();
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
    this.mixed = new MixedAdapters(config);
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

  /** Makes an adapter ready for the model's graphs. */
  async prepareAdapter(layout: AdapterLayout): Promise<PreparedAdapter> {
    const prepared = toTensors(layout);
    const isSoftPrompt = prepared.kind === 'soft-prompt';
    const graph = isSoftPrompt ? NO_ADAPTERS : singleGraph(prepared);
    for (const format of linearFormatsOf(this.options.format)) await this.sessions.get(format, graph, isSoftPrompt);
    return prepared;
  }

  /** Weights with a LoRA adapter in them: multiplied in where they are fp32 and there is room, beside them otherwise. */
  async mergeAdapter(prepared: PreparedAdapter): Promise<MergedModel | null> {
    const update = layerUpdateOf(prepared);
    if (update?.kind !== 'lora') return null;
    const sessions = (await this.sessions.merged(update)) ?? (await this.sessions.withWelded(update));
    return { prepared: { kind: 'merged', sessions }, release: () => sessions.release() };
  }

  /** Puts a soft prompt into a slot's cache at positions 0, 1, … */
  async placeSoftPrompt(slot: number, prompt: SoftPrompt): Promise<void> {
    const saved = this.softPrompts.get(prompt);
    if (saved) return this.cache.restore(slot, saved);
    const session = await this.sessions.get(this.formatFor(prompt.numTokens), NO_ADAPTERS, true);
    const step = this.tensors.make(1, prompt.numTokens, 0);
    placeTokens(step, [], prompt.numTokens, []);
    const { past, present } = this.cache.view(slot, 1);
    const { ids: _, ...inputs } = stepInputs(step);
    const all = { ...inputs, embeddings: prompt.embeddings, ...past };
    await this.execute(session.bind(all, { logits: step.logits, ...present }));
    this.softPrompts.set(prompt, this.cache.save(slot, prompt.numTokens));
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
   * One token for each of the slots start, start + 1, …
   * @param lengths positions already in the cache, per slot
   * @param adapters per slot; merged weights share a run with none but themselves
   * @returns logits [count · V], valid until the next run
   */
  async decode(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapters: readonly PreparedAdapter[],
  ): Promise<Float32Array> {
    const count = tokens.length;
    const updates = adapters.map(layerUpdateOf);
    const isMixed = updates.some((update) => update !== updates[0]);
    const step = isMixed
      ? await this.mixedStep(start, updates)
      : await this.boundStep({ start, count, columns: 1, picked: count, adapter: adapters[0]! });
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

  private async bind(shape: StepShape): Promise<BoundStep> {
    const update = layerUpdateOf(shape.adapter);
    const sessions = shape.adapter?.kind === 'merged' ? shape.adapter.sessions : this.sessions;
    return this.bindTo(sessions, update ? singleGraph(update) : NO_ADAPTERS, shape, update?.inputs ?? {});
  }

  private async mixedStep(start: number, updates: readonly (LayerUpdate | null)[]): Promise<BoundStep> {
    const count = updates.length;
    const plan = this.mixed.plan(updates);
    const key = `${start}+${count} ${plan.key}`;
    let step = this.mixedSteps.get(key);
    if (!step) {
      const adapters = this.mixed.inputs(plan, count);
      const shape = { start, count, columns: 1, picked: count };
      step = { ...(await this.bindTo(this.sessions, plan.graph, shape, adapters.inputs)), adapters };
      if (this.mixedSteps.size >= MOST_MIXED_STEPS) this.mixedSteps.clear();
      this.mixedSteps.set(key, step);
    }
    step.adapters.open(plan);
    return step;
  }

  private async bindTo(
    sessions: ServingSessions,
    graph: AdapterGraph,
    { start, count, columns, picked }: Omit<StepShape, 'adapter'>,
    adapter: Readonly<Record<string, HostTensor>>,
  ): Promise<BoundStep> {
    const session = await sessions.get(this.formatFor(count * columns), graph);
    const step = this.tensors.make(count, columns, picked);
    const { past, present } = this.cache.view(start, count);
    const run = session.bind({ ...stepInputs(step), ...past, ...adapter }, { logits: step.logits, ...present });
    return { ...step, run };
  }

  private formatFor(rows: number): LinearFormat {
    return linearFormatFor(this.options.format, rows);
  }
}

const singleGraph = ({ kind }: LayerUpdate): AdapterGraph => ({ kinds: [kind], gated: false });

/** Slots start … start + count − 1, each with `columns` tokens; `picked` logits of them all. */
interface StepShape {
  readonly start: number;
  readonly count: number;
  readonly columns: number;
  readonly picked: number;
  readonly adapter: PreparedAdapter;
}
