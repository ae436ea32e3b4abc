import { type ModelConfig, type ParameterReader, servingLayout } from '@attune/models';
import type { BoundRun, Device, Runtime } from '@attune/runtime';
import {
  type AdapterLayout,
  type LayerUpdate,
  layerUpdateOf,
  type PreparedAdapter,
  type SoftPrompt,
  toTensors,
} from '../../adapters-prepared.js';
import type { Draw, DrawnTokens, Runner } from '../runner.js';
import { DeviceAdapters } from './device-adapters.js';
import { DeviceCache } from './device-cache.js';
import { DeviceSessions, type DeviceSessionsOptions } from './device-sessions.js';
import { bindStep, type DeviceStep, setDraw, setLength, type StepShape } from './device-step.js';

export interface DeviceRunnerOptions extends Omit<DeviceSessionsOptions, 'real'> {
  readonly slots: number;
  /** Run on this thread, for a process that does nothing else. */
  readonly blocking?: boolean;
}

/** Bound steps that are kept: a batch whose members stay the same finds its step again. */
const MOST_STEPS = 32;

/** One model on a device. Weights, keys and values stay there; what is sampled from comes back. */
export class DeviceRunner implements Runner {
  private readonly steps = new Map<string, DeviceStep>();
  private readonly adapters: DeviceAdapters;

  private constructor(
    readonly config: ModelConfig,
    readonly cache: DeviceCache,
    device: Device,
    private readonly sessions: DeviceSessions,
    private readonly options: DeviceRunnerOptions,
  ) {
    this.adapters = new DeviceAdapters(device, (id) => this.forgetSteps(id));
  }

  /** @param read checkpoint parameters by their Hugging Face names */
  static async load(
    runtime: Runtime,
    device: Device,
    config: ModelConfig,
    read: ParameterReader,
    options: DeviceRunnerOptions,
  ): Promise<DeviceRunner> {
    // CUDA's attention kernel knows no float32; WebGPU's float16 is an extension that not every driver has.
    const real = device.kind === 'cuda' ? 'float16' : 'float32';
    const sessions = await DeviceSessions.open(runtime, device, config, read, { ...options, real });
    const { slots, maxSeq } = options;
    const { headDim } = servingLayout(config);
    const shape = { layers: config.numLayers, slots, kvHeads: config.numKvHeads, maxSeq, headDim };
    const cache = await DeviceCache.create(device, shape, real);
    await sessions.get({ rows: 1, adapters: [], embeddings: false });
    return new DeviceRunner(config, cache, device, sessions, options);
  }

  /** What keys and values are. */
  get kv(): 'fp32' | 'fp16' {
    return this.cache.real === 'float16' ? 'fp16' : 'fp32';
  }

  get memory() {
    return { weightBytes: this.sessions.weightBytes, bytesPerToken: this.cache.bytesPerToken };
  }

  async prepareAdapter(layout: AdapterLayout): Promise<PreparedAdapter> {
    const prepared = toTensors(layout);
    const update = layerUpdateOf(prepared);
    if (update) await this.adapters.of(update);
    return prepared;
  }

  async placeSoftPrompt(slot: number, prompt: SoftPrompt): Promise<void> {
    const { numTokens, embeddings } = prompt;
    const step = await this.bind({
      slots: [this.cache.slot(slot)],
      columns: numTokens,
      picks: [numTokens - 1],
      update: null,
      embeddings,
      wanted: 'drawn',
    });
    setLength(step, 0, numTokens);
    await this.execute(step.run);
  }

  async prefill(
    slot: number,
    tokens: readonly number[],
    start: number,
    adapter: PreparedAdapter,
    wantLogits: boolean,
  ): Promise<Float32Array | null> {
    // A run must pick something; what nobody asked for stays on the device.
    const logits = await this.read(slot, tokens, start, adapter, [tokens.length - 1], wantLogits ? 'logits' : 'drawn');
    return wantLogits ? logits : null;
  }

  verify(slot: number, tokens: readonly number[], start: number, adapter: PreparedAdapter): Promise<Float32Array> {
    return this.read(slot, tokens, start, adapter, [...tokens.keys()], 'logits');
  }

  async decode(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapters: readonly PreparedAdapter[],
  ): Promise<Float32Array> {
    const size = this.config.vocabSize;
    const groups = groupRows(adapters);
    if (groups.length === 1) return (await this.decodeRows(start, groups[0]!, tokens, lengths, 'logits')).logits;
    const all = new Float32Array(tokens.length * size);
    for (const group of groups) {
      const { logits } = await this.decodeRows(start, group, tokens, lengths, 'logits');
      group.rows.forEach((row, i) => all.set(logits.subarray(i * size, (i + 1) * size), row * size));
    }
    return all;
  }

  async decodeDrawn(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapters: readonly PreparedAdapter[],
    draws: readonly Draw[],
  ): Promise<DrawnTokens> {
    const drawn = { tokens: tokens.map(() => 0), logProbs: tokens.map(() => 0) };
    for (const group of groupRows(adapters)) {
      const step = await this.decodeRows(start, group, tokens, lengths, 'drawn', draws);
      group.rows.forEach((row, i) => {
        drawn.tokens[row] = Number(step.drawn[i]);
        drawn.logProbs[row] = step.logProb[i]!;
      });
    }
    return drawn;
  }

  async release(): Promise<void> {
    this.steps.clear();
    await this.adapters.release();
    await this.sessions.release();
    this.cache.release();
  }

  private async decodeRows(
    start: number,
    { update, rows }: RowGroup,
    tokens: readonly number[],
    lengths: readonly number[],
    wanted: StepShape['wanted'],
    draws?: readonly Draw[],
  ): Promise<DeviceStep> {
    const slots = rows.map((row) => this.cache.slot(start + row));
    const step = await this.keptStep({ slots, columns: 1, picks: [...rows.keys()], update, wanted });
    rows.forEach((row, i) => {
      step.ids[i] = BigInt(tokens[row]!);
      setLength(step, i, lengths[row]! + 1);
      if (draws) setDraw(step, i, draws[row]!);
    });
    await this.execute(step.run);
    return step;
  }

  private async read(
    slot: number,
    tokens: readonly number[],
    start: number,
    adapter: PreparedAdapter,
    picks: readonly number[],
    wanted: StepShape['wanted'],
  ): Promise<Float32Array> {
    const slots = [this.cache.slot(slot)];
    const step = await this.bind({ slots, columns: tokens.length, picks, update: layerUpdateOf(adapter), wanted });
    tokens.forEach((token, at) => (step.ids[at] = BigInt(token)));
    setLength(step, 0, start + tokens.length);
    await this.execute(step.run);
    return step.logits;
  }

  private async execute(run: BoundRun): Promise<void> {
    if (this.options.blocking) run.runSync();
    else await run.run();
  }

  private async keptStep(shape: StepShape): Promise<DeviceStep> {
    const adapter = shape.update ? (await this.adapters.of(shape.update)).id : 0;
    const key = `${adapter} ${shape.slots.map(({ id }) => id).join()} ${shape.wanted}`;
    const known = this.steps.get(key);
    if (known) return known;
    const made = await this.bind(shape);
    if (this.steps.size >= MOST_STEPS) this.steps.clear();
    this.steps.set(key, made);
    return made;
  }

  private forgetSteps(adapter: number): void {
    for (const key of this.steps.keys()) if (key.startsWith(`${adapter} `)) this.steps.delete(key);
  }

  private async bind(shape: StepShape): Promise<DeviceStep> {
    const adapter = shape.update && (await this.adapters.of(shape.update));
    return bindStep(this.sessions, this.cache.spare, this.config.vocabSize, shape, adapter?.inputs ?? {});
  }
}

/** Rows of a batch that share an adapter. */
interface RowGroup {
  readonly update: LayerUpdate | null;
  readonly rows: number[];
}

function groupRows(adapters: readonly PreparedAdapter[]): RowGroup[] {
  const groups = new Map<LayerUpdate | null, RowGroup>();
  adapters.map(layerUpdateOf).forEach((update, row) => {
    const group = groups.get(update) ?? { update, rows: [] };
    groups.set(update, group);
    group.rows.push(row);
  });
  return [...groups.values()];
}
