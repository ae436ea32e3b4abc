import { encodeModel, lowerForWebGpu, type Tensor, usedInputs } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import type { AnyTensorMap, Runtime, Session, TensorMap } from '@attune/runtime';
import { float32Vector, tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import { packWhole, type TokenBatch } from '../batches/token-batch.js';
import type { DeviceMemory } from '../device/device-memory.js';
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
    const pass = await this.pass('log-probs', (model) => {
      const rows = model.countedRows(model.hidden());
      return model.labelLogProbs(rows, model.batch('labels', 'int64', ['R']));
    });
    const { rows, labels } = weightedRowFeeds(batch);
    return this.counted(await pass.run({ ...tokenFeeds(batch), rows: rows!, labels: labels! }, rows!.shape), batch);
  }

  /** The value head's estimate at every position of non-zero weight, in row order. */
  async values(batch: TokenBatch): Promise<Float32Array> {
    const pass = await this.pass('values', (model) => model.scalar(VALUE_HEAD, model.countedRows(model.hidden())));
    const { rows } = weightedRowFeeds(batch);
    return this.counted(await pass.run({ ...tokenFeeds(batch), rows: rows! }, rows!.shape), batch);
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
    const pass = await this.pass('rewards', (model) => {
      const like = model.batch('answers', 'float32', ['A']);
      return rewardScores(model, model.hidden(), { name: 'scored', like, form });
    });
    const { batch, last } = packWhole(sequences.map((ids) => ({ ids, weights: ids.map(() => 0) })));
    const answers = { last, tokens: sequences.map((ids, i) => ids.slice(promptLengths[i]!)) };
    const like: TensorMap = needsTokens(form) ? { answers: float32Vector(last.map(() => 0)) } : {};
    return pass.run({ ...tokenFeeds(batch), ...rewardFeeds('scored', answers, form), ...like }, [last.length]);
  }

  /** Frees the sessions, whichever could be made; the parameters stay the caller's. */
  async release(): Promise<void> {
    for (const pass of this.passes.values()) await (await pass.catch(() => null))?.release();
    this.passes.clear();
  }

  /** Takes away the one number that stands for an empty batch. */
  private counted(result: Float32Array, batch: TokenBatch): Float32Array {
    return batch.weights.some((weight) => weight !== 0) ? result : new Float32Array(0);
  }

  private pass(name: string, build: (model: ModelGraph) => Tensor): Promise<ForwardPass> {
    const { memory } = this.options;
    // Arrays that are trained on the CPU from here on are read there.
    const where = memory?.isGivenUp ? undefined : memory;
    const key = `${name} on ${where?.device.kind ?? 'cpu'}`;
    const known = this.passes.get(key);
    if (known) return known;
    const made = ForwardPass.create(name, { ...this.options, memory: where }, build);
    this.passes.set(key, made);
    return made;
  }
}

/** A session with one output and its parameters. */
class ForwardPass {
  private constructor(
    private readonly session: Session,
    private readonly weights: AnyTensorMap,
    /** Lets go of the parameters. */
    private readonly letGo: () => Promise<void>,
  ) {}

  static async create(
    name: string,
    options: ScorerOptions,
    build: (model: ModelGraph) => Tensor,
  ): Promise<ForwardPass> {
    const { config, parameters, adapterScale = 1, memory } = options;
    const model = new ModelGraph(`score-${name}`, config, parameters, adapterScale, {}, memory !== undefined);
    model.g.output('result', build(model));
    if (memory?.device.kind === 'webgpu') lowerForWebGpu(model.g);
    const used = new Set(usedInputs(model.g).map((input) => input.name));
    const read = new Map([...parameters].filter(([parameter]) => used.has(parameter)));
    const weights = Object.fromEntries((await memory?.hold(read))?.tensors ?? read);
    const letGo = async () => memory?.letGo(read);
    try {
      return new ForwardPass(await openSession(options, model), weights, letGo);
    } catch (error) {
      await letGo();
      throw error;
    }
  }

  async run(feeds: TensorMap, shape: readonly number[]): Promise<Float32Array> {
    const result = parameter(shape);
    await this.session.run({ ...this.weights, ...feeds }, { result });
    return result.data;
  }

  async release(): Promise<void> {
    this.session.release();
    await this.letGo();
  }
}

const openSession = ({ runtime, threads, memory }: ScorerOptions, { g }: ModelGraph): Promise<Session> =>
  runtime.createSession(encodeModel(g), {
    device: memory?.device,
    threads,
    memPattern: false,
    graphOptimization: 'basic',
  });
