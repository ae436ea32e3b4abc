import { encodeModel, lowerForWebGpu, type Tensor, usedInputs } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import type { AnyTensorMap, Runtime, Session, TensorMap } from '@attune/runtime';
import { float32Vector, tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import { packWhole, type TokenBatch } from '../batches/token-batch.js';
import type { DeviceMemory } from '../device/device-memory.js';
import { makeOfParts, type Releasable, releaseAll } from '../holding.js';
import { needsTokens, rewardFeeds, rewardFormOf, rewardScores } from '../objectives/reward-score.js';
import { VALUE_HEAD } from './heads.js';
import { ModelGraph } from './model-graph.js';
import { type FrozenSet, parameter } from './parameters.js';

export interface ScorerOptions {
  readonly config: ModelConfig;
  /** Base weights and, where wanted, adapter and heads. Read in place: later changes are seen by the next call. */
  readonly parameters: FrozenSet;
  readonly adapterScale?: number;
  readonly runtime: Runtime;
  readonly threads?: number;
  /** The device to score on, whose copies of the parameters are read; the CPU when left out. */
  readonly memory?: DeviceMemory | undefined;
}

/** Forward passes without gradients: what a policy, reference, value or reward model says about given tokens. */
export class Scorer {
  private readonly passes = new Map<string, Promise<ForwardPass>>();

  constructor(private readonly options: ScorerOptions) {}

  /** log π(label) at every position of non-zero weight, in row order. */
  async tokenLogProbs(batch: TokenBatch): Promise<Float32Array> {
    const build: BuildPass = (model) => {
      const rows = model.countedRows(model.hidden());
      return model.labelLogProbs(rows, model.batch('labels', 'int64', ['R']));
    };
    const { rows, labels } = weightedRowFeeds(batch);
    const feeds = { ...tokenFeeds(batch), rows: rows!, labels: labels! };
    return this.counted(await this.run({ name: 'log-probs', build }, feeds, rows!.shape), batch);
  }

  /** The value head's estimate at every position of non-zero weight, in row order. */
  async values(batch: TokenBatch): Promise<Float32Array> {
    const build: BuildPass = (model) => model.scalar(VALUE_HEAD, model.countedRows(model.hidden()));
    const { rows } = weightedRowFeeds(batch);
    const feeds = { ...tokenFeeds(batch), rows: rows! };
    return this.counted(await this.run({ name: 'values', build }, feeds, rows!.shape), batch);
  }

  /**
   * The reward model's score of each sequence (prompt and answer).
   * @param promptLengths tokens of each before its answer: what reads every token reads the answer's alone
   */
  async rewardScores(
    sequences: readonly (readonly number[])[],
    promptLengths: readonly number[],
  ): Promise<Float32Array> {
    const form = rewardFormOf(this.options.config, this.options.parameters);
    const build: BuildPass = (model) => {
      const like = model.batch('answers', 'float32', ['A']);
      return rewardScores(model, model.hidden(), { name: 'scored', like, form });
    };
    const { batch, last } = packWhole(sequences.map((ids) => ({ ids, weights: ids.map(() => 0) })));
    const answers = { last, tokens: sequences.map((ids, i) => ids.slice(promptLengths[i]!)) };
    const like: TensorMap = needsTokens(form) ? { answers: float32Vector(last.map(() => 0)) } : {};
    const feeds = { ...tokenFeeds(batch), ...rewardFeeds('scored', answers, form), ...like };
    return this.run({ name: 'rewards', build }, feeds, [last.length]);
  }

  /** Frees the sessions, whichever could be made; the parameters stay the caller's. */
  async release(): Promise<void> {
    const made = await Promise.all([...this.passes.values()].map((pass) => pass.catch(() => null)));
    this.passes.clear();
    await releaseAll(made.filter((pass) => pass !== null));
  }

  /** Takes away the one number that stands for an empty batch. */
  private counted(result: Float32Array, batch: TokenBatch): Float32Array {
    return batch.weights.some((weight) => weight !== 0) ? result : new Float32Array(0);
  }

  /** On the device, as long as it is not given up; from then on arrays that are trained on the CPU are read there. */
  private async run(plan: PassPlan, feeds: TensorMap, shape: readonly number[]): Promise<Float32Array> {
    const { memory } = this.options;
    if (memory && !memory.isGivenUp)
      try {
        return await (await this.pass(plan, memory)).run(feeds, shape);
      } catch (error) {
        await memory.giveUp(error);
      }
    return (await this.pass(plan)).run(feeds, shape);
  }

  private pass(plan: PassPlan, memory?: DeviceMemory): Promise<ForwardPass> {
    const key = `${plan.name} on ${memory?.device.kind ?? 'cpu'}`;
    const known = this.passes.get(key);
    if (known) return known;
    const made = ForwardPass.create(plan, { ...this.options, memory });
    this.passes.set(key, made);
    return made;
  }
}

type BuildPass = (model: ModelGraph) => Tensor;

/** What a pass is called, and its one output. */
interface PassPlan {
  readonly name: string;
  readonly build: BuildPass;
}

/** A session with one output and its parameters. */
class ForwardPass {
  private constructor(
    private readonly session: Session,
    private readonly weights: AnyTensorMap,
    /** The parameters, to be let go of. */
    private readonly held: Releasable,
  ) {}

  static create({ name, build }: PassPlan, options: ScorerOptions): Promise<ForwardPass> {
    const { config, parameters, adapterScale = 1, memory } = options;
    const model = new ModelGraph(`score-${name}`, config, parameters, adapterScale, {}, memory !== undefined);
    model.g.output('result', build(model));
    if (memory?.device.kind === 'webgpu') lowerForWebGpu(model.g);
    const used = new Set(usedInputs(model.g).map((input) => input.name));
    const read = new Map([...parameters].filter(([parameter]) => used.has(parameter)));
    return makeOfParts(async (keep) => {
      const weights = Object.fromEntries((await memory?.hold(read))?.tensors ?? read);
      const held = keep({ release: async () => memory?.letGo(read) });
      return new ForwardPass(await openSession(options, model), weights, held);
    });
  }

  async run(feeds: TensorMap, shape: readonly number[]): Promise<Float32Array> {
    const result = parameter(shape);
    await this.session.run({ ...this.weights, ...feeds }, { result });
    return result.data;
  }

  release(): Promise<void> {
    return releaseAll([this.session, this.held]);
  }
}

const openSession = ({ runtime, threads, memory }: ScorerOptions, { g }: ModelGraph): Promise<Session> =>
  runtime.createSession(encodeModel(g), {
    device: memory?.device,
    threads,
    memPattern: false,
    graphOptimization: 'basic',
  });
