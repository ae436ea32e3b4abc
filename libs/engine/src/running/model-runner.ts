import { type ModelConfig, NO_ADAPTERS, type ParameterReader, servingLayout } from '@attune/models';
import type { BoundRun, Runtime } from '@attune/runtime';
import type { MergedModel } from '../adapters.js';
import {
  type AdapterLayout,
  layerUpdateOf,
  type PreparedAdapter,
  type SoftPrompt,
  toTensors,
} from '../adapters-prepared.js';
import { BoundSteps, singleGraph } from './bound-steps.js';
import { KvCache, type SavedPositions } from './kv-cache.js';
import { ServingSessions, type SessionsOptions } from './serving-sessions.js';
import { placeTokens } from './step-tensors.js';

export interface ModelRunnerOptions extends SessionsOptions {
  readonly slots: number;
  /** Run on this thread: a little faster, for a process that does nothing else. */
  readonly blocking?: boolean;
}

/** One model in memory: runs pieces of prompts and batches of decoding slots over the KV cache. */
export class ModelRunner {
  readonly cache: KvCache;
  private readonly steps: BoundSteps;
  /** What soft prompts leave in a slot: computed once, copied from then on. */
  private readonly softPrompts = new WeakMap<SoftPrompt, SavedPositions>();

  private constructor(
    readonly config: ModelConfig,
    private readonly sessions: ServingSessions,
    private readonly options: ModelRunnerOptions,
  ) {
    const { slots, maxSeq, kv } = options;
    const { headDim } = servingLayout(config);
    this.cache = new KvCache({ layers: config.numLayers, slots, kvHeads: config.numKvHeads, maxSeq, headDim }, kv);
    this.steps = new BoundSteps(config, sessions, this.cache);
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
    for (const format of this.sessions.formats) await this.sessions.get(format, graph, isSoftPrompt);
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
    await this.execute(await this.steps.softPrompt(slot, prompt));
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
      ? await this.steps.mixed(start, updates)
      : await this.steps.of({ start, count, columns: 1, picked: count, adapter: adapters[0]! });
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
    const step = await this.steps.of(shape);
    placeTokens(step, tokens, start, picks);
    await this.execute(step.run);
    return step.logits.data;
  }

  private async execute(run: BoundRun): Promise<void> {
    if (this.options.blocking) run.runSync();
    else await run.run();
  }
}
