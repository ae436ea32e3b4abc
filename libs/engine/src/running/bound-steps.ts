import { type AdapterGraph, type ModelConfig, NO_ADAPTERS } from '@attune/models';
import type { BoundRun, HostTensor } from '@attune/runtime';
import { MixedAdapters, type MixedInputs } from '../adapters-mixed.js';
import { type LayerUpdate, layerUpdateOf, type PreparedAdapter, type SoftPrompt } from '../adapters-prepared.js';
import type { KvCache } from './kv-cache.js';
import type { ServingSessions } from './serving-sessions.js';
import { placeTokens, stepInputs, type StepTensors, StepTensorMaker } from './step-tensors.js';

/** A run of the model with its inputs and outputs in place: what changes from step to step is written into its tensors. */
export interface BoundStep extends StepTensors {
  readonly run: BoundRun;
}

/** A step whose rows have different adapters. */
interface MixedStep extends BoundStep {
  readonly adapters: MixedInputs;
}

/** Slots start … start + count − 1, each with `columns` tokens; `picked` logits of them all. */
export interface StepShape {
  readonly start: number;
  readonly count: number;
  readonly columns: number;
  readonly picked: number;
  readonly adapter: PreparedAdapter;
}

/** Steps that come back with the same shape are bound once; longer pieces of prompts rarely are alike. */
const LONGEST_KEPT = 16;
/** Shapes of mixed batches come and go with the adapters in them. */
const MOST_MIXED_STEPS = 64;

/** The runs of one model over its KV cache, bound once for each shape that comes back. */
export class BoundSteps {
  private readonly steps = new WeakMap<object, Map<string, BoundStep>>();
  private readonly baseKey = {};
  private readonly mixedAdapters: MixedAdapters;
  private readonly mixedSteps = new Map<string, MixedStep>();
  private readonly tensors: StepTensorMaker;

  constructor(
    config: ModelConfig,
    private readonly sessions: ServingSessions,
    private readonly cache: KvCache,
  ) {
    this.tensors = new StepTensorMaker(config.vocabSize);
    this.mixedAdapters = new MixedAdapters(config);
  }

  /** A step whose rows all have the same weights. */
  async of(shape: StepShape): Promise<BoundStep> {
    if (shape.columns > LONGEST_KEPT) return this.bind(shape);
    const owner = shape.adapter ?? this.baseKey;
    const known = this.steps.get(owner) ?? new Map<string, BoundStep>();
    this.steps.set(owner, known);
    const key = `${shape.start}+${shape.count}x${shape.columns}/${shape.picked}`;
    const found = known.get(key) ?? (await this.bind(shape));
    known.set(key, found);
    return found;
  }

  /** A token for each slot from `start` on, whose rows have different adapters or none; each is let through to its own. */
  async mixed(start: number, updates: readonly (LayerUpdate | null)[]): Promise<BoundStep> {
    const count = updates.length;
    const plan = this.mixedAdapters.plan(updates);
    const key = `${start}+${count} ${plan.key}`;
    let step = this.mixedSteps.get(key);
    if (!step) {
      const adapters = this.mixedAdapters.inputs(plan, count);
      const shape = { start, count, columns: 1, picked: count };
      step = { ...(await this.bindTo(this.sessions, plan.graph, shape, adapters.inputs)), adapters };
      if (this.mixedSteps.size >= MOST_MIXED_STEPS) this.mixedSteps.clear();
      this.mixedSteps.set(key, step);
    }
    step.adapters.open(plan);
    return step;
  }

  /** Reads a soft prompt into a slot, at positions 0, 1, … */
  async softPrompt(slot: number, { numTokens, embeddings }: SoftPrompt): Promise<BoundRun> {
    const session = await this.sessions.get(this.sessions.formatFor(numTokens), NO_ADAPTERS, true);
    const step = this.tensors.make(1, numTokens, 0);
    placeTokens(step, [], numTokens, []);
    const { past, present } = this.cache.view(slot, 1);
    const { ids: _, ...inputs } = stepInputs(step);
    return session.bind({ ...inputs, embeddings, ...past }, { logits: step.logits, ...present });
  }

  private async bind(shape: StepShape): Promise<BoundStep> {
    const update = layerUpdateOf(shape.adapter);
    const sessions = shape.adapter?.kind === 'merged' ? shape.adapter.sessions : this.sessions;
    return this.bindTo(sessions, update ? singleGraph(update) : NO_ADAPTERS, shape, update?.inputs ?? {});
  }

  private async bindTo(
    sessions: ServingSessions,
    graph: AdapterGraph,
    { start, count, columns, picked }: Omit<StepShape, 'adapter'>,
    adapter: Readonly<Record<string, HostTensor>>,
  ): Promise<BoundStep> {
    const session = await sessions.get(sessions.formatFor(count * columns), graph);
    const step = this.tensors.make(count, columns, picked);
    const { past, present } = this.cache.view(start, count);
    const run = session.bind({ ...stepInputs(step), ...past, ...adapter }, { logits: step.logits, ...present });
    return { ...step, run };
  }
}

/** The graph that takes this adapter and no other. */
export const singleGraph = ({ kind }: LayerUpdate): AdapterGraph => ({ kinds: [kind], gated: false });
