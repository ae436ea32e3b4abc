import type { TrainingState } from '@attune/checkpoint';
import { createId, InternalError, InvalidRequestError } from '@attune/platform';
import type { Optimizer, ParameterSet } from '@attune/training';

/** Where a job stands, apart from its tensors. Data order and sampling hang on seed and step alone, so this suffices. */
export interface RunCursor {
  /** The id its result will have, fixed at the start so that publishing twice gives one checkpoint. */
  readonly checkpointId: string;
  /** The checkpoint it started from; null = the base weights. Fixed at the start, whatever goes live meanwhile. */
  readonly parentId: string | null;
  /** The base weights under everything that is saved: an adapter fits no others. */
  readonly baseDigest: string;
  /** Stages that are over. */
  readonly finished: readonly string[];
  /** The stage under way, or the last one. */
  readonly stage: string | null;
  /** Its next step. */
  readonly step: number;
  /** Steps of the optimizers, by the name they are tracked under. */
  readonly optimizerSteps: Readonly<Record<string, number>>;
  /** Numbers that later stages and the report need. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Where states are kept; a TrainingStateStore is one. */
export interface StateStore {
  save(state: TrainingState<RunCursor>): Promise<void>;
  load(): Promise<TrainingState<RunCursor> | undefined>;
}

/**
 * All that a job needs to go on after a kill: its cursor, and the parameters and optimizers it said it wants kept.
 * A resumed job runs the same code: what it tracks takes the saved values, stages that are over are skipped, and the
 * one under way begins at its saved step.
 */
export class RunState {
  private readonly parameters = new Map<string, ParameterSet>();
  private readonly optimizers = new Map<string, Optimizer>();
  /** Names of parameters that are dropped with a stage. */
  private readonly temporary = new Map<string, string>();
  /** Bring tracked arrays up to date whose values lie elsewhere. */
  private readonly fetches = new Set<() => Promise<void>>();
  /** Between two updates of a step that makes several: its weights belong to no step. */
  private halfway = false;

  private constructor(
    private readonly store: StateStore,
    private current: RunCursor,
    private readonly saved: TrainingState<RunCursor> | null,
  ) {}

  /**
   * Goes on from the newest save, or starts anew from the checkpoint that `startFrom` names (null: the base weights).
   * @throws InvalidRequestError when the save belongs to other base weights than `baseDigest`
   */
  static async open(store: StateStore, startFrom: () => Promise<string | null>, baseDigest: string): Promise<RunState> {
    const saved = await store.load();
    if (!saved) return new RunState(store, freshCursor(await startFrom(), baseDigest), null);
    if (saved.json.baseDigest !== baseDigest)
      throw new InvalidRequestError(
        'This job was begun on other base weights than MODEL names now and cannot go on; start a new job',
      );
    return new RunState(store, saved.json, saved);
  }

  get cursor(): RunCursor {
    return this.current;
  }

  get resumed(): boolean {
    return this.saved !== null;
  }

  /**
   * Keeps these parameters in every save from now on; where a save has them already, they take its values in place.
   * @throws InternalError when what was saved has another size
   */
  track<Set extends ParameterSet>(name: string, parameters: Set): Set {
    for (const [key, { data }] of parameters) {
      const value = this.saved?.arrays.get(arrayName(name, key));
      if (value === undefined) continue;
      if (!(value instanceof Float32Array) || value.length !== data.length)
        throw new InternalError(
          `the saved state holds ${value.length} numbers of ${arrayName(name, key)}, its shape asks for ${data.length}; start a new job`,
        );
      data.set(value);
    }
    this.parameters.set(name, parameters);
    return parameters;
  }

  /** Likewise, but only as long as `stage` runs: what nothing later reads would make every save larger. */
  trackDuring<Set extends ParameterSet>(stage: string, name: string, parameters: Set): Set {
    this.temporary.set(name, stage);
    return this.track(name, parameters);
  }

  /** Likewise for an optimizer, as long as its stage runs. */
  trackOptimizer<Kind extends Optimizer>(name: string, optimizer: Kind): Kind {
    const step = this.saved?.json.optimizerSteps[name];
    if (this.saved && step !== undefined) {
      const prefix = arrayName(name, '');
      const arrays = [...this.saved.arrays].flatMap(([key, value]) =>
        key.startsWith(prefix) && value instanceof Float32Array ? [[key.slice(prefix.length), value] as const] : [],
      );
      optimizer.restore({ step, arrays: new Map(arrays) });
    }
    this.optimizers.set(name, optimizer);
    return optimizer;
  }

  /**
   * Asks for this before every save: what is tracked may be changed on a device, and its arrays only then.
   * @returns what ends it
   */
  beforeSaves(fetch: () => Promise<void>): () => void {
    this.fetches.add(fetch);
    return () => void this.fetches.delete(fetch);
  }

  isFinished(stage: string): boolean {
    return this.current.finished.includes(stage);
  }

  /** The step at which a stage begins now: 0, or where an earlier attempt left it. */
  firstStep(stage: string): number {
    return this.current.stage === stage ? this.current.step : 0;
  }

  /** Notes that `step` is the next one of `stage`; kept by the next {@link save}. */
  advance(stage: string, step: number, figures: Readonly<Record<string, number>> = {}): void {
    this.current = { ...this.current, stage, step, figures: { ...this.current.figures, ...figures } };
  }

  /** Keeps numbers that later steps need; written by the next {@link save}. */
  note(figures: Readonly<Record<string, number>>): void {
    this.current = { ...this.current, figures: { ...this.current.figures, ...figures } };
  }

  /**
   * Runs what a step does to the weights when it does so more than once. A run stopped within it must not be saved as it
   * stands: its step would be done again over weights it has changed already.
   */
  async change<Result>(update: () => Promise<Result>): Promise<Result> {
    this.halfway = true;
    const result = await update();
    this.halfway = false;
    return result;
  }

  /**
   * Saves what a run that was stopped had reached. Of one stopped within {@link change} the save before stays, and the
   * steps since then are made again.
   */
  async saveWhenWhole(): Promise<void> {
    if (!this.halfway) await this.save();
  }

  /** Notes that a stage is over, drops its optimizers and what was kept for it alone, and saves. */
  async finish(stage: string, figures: Readonly<Record<string, number>> = {}): Promise<void> {
    this.advance(stage, this.firstStep(stage), figures);
    this.current = { ...this.current, finished: [...this.current.finished, stage] };
    this.optimizers.clear();
    for (const [name, owner] of this.temporary) if (owner === stage) this.parameters.delete(name);
    await this.save();
  }

  async save(): Promise<void> {
    for (const fetch of this.fetches) await fetch();
    const arrays = new Map<string, Float32Array>();
    for (const [name, set] of this.parameters)
      for (const [key, { data }] of set) arrays.set(arrayName(name, key), data);
    const optimizerSteps: Record<string, number> = {};
    for (const [name, optimizer] of this.optimizers) {
      const state = optimizer.state();
      optimizerSteps[name] = state.step;
      for (const [key, data] of state.arrays) arrays.set(arrayName(name, key), data);
    }
    this.current = { ...this.current, optimizerSteps };
    await this.store.save({ arrays, json: this.current });
  }
}

function freshCursor(parentId: string | null, baseDigest: string): RunCursor {
  return {
    checkpointId: createId('ckpt'),
    parentId,
    baseDigest,
    finished: [],
    stage: null,
    step: 0,
    optimizerSteps: {},
    figures: {},
  };
}

const arrayName = (set: string, key: string): string => `${set}/${key}`;
