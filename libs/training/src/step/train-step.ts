import { gradient } from '@attune/autograd';
import { encodeModel, usedInputs } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import { InternalError, InvalidRequestError } from '@attune/platform';
import type { HostTensor, Runtime, Session, TensorMap } from '@attune/runtime';
import { addInto, globalNorm } from '../optimizers/arrays.js';
import type { Optimizer, Trainable } from '../optimizers/optimizer.js';
import { ModelGraph } from './model-graph.js';
import type { Objective } from './objective.js';
import { type Parameter, parameter, type ParameterSet } from './parameters.js';

export interface TrainStepOptions<Batch> {
  readonly config: ModelConfig;
  readonly objective: Objective<Batch>;
  /** What the optimizer changes, in place. */
  readonly trainable: ParameterSet;
  /** What it only reads: the base weights under an adapter. */
  readonly frozen?: ParameterSet;
  /** alpha / rank of the adapter among the parameters. */
  readonly adapterScale?: number;
  readonly optimizer: Optimizer;
  /** Gradients longer than this are shortened to it (global L2 norm); null leaves them alone. */
  readonly clipNorm: number | null;
  readonly runtime: Runtime;
  /** Threads of the session; the runtime's own default when left out. */
  readonly threads?: number;
}

export interface StepResult {
  /** Loss per item, over all micro-batches. */
  readonly loss: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradNorm: number;
  readonly items: number;
  /** The objective's own numbers, per item. */
  readonly metrics: Readonly<Record<string, number>>;
  /** False when the loss or the gradient was not finite: then nothing was changed. */
  readonly applied: boolean;
}

/**
 * One optimizer step at a time: forward and backward on ONNX Runtime, everything after the gradients in TypeScript.
 * One session serves every batch shape. Parameters are shared memory: what the optimizer writes, every other session
 * that was given the same arrays sees.
 */
export class TrainStep<Batch> {
  private constructor(
    private readonly options: TrainStepOptions<Batch>,
    private readonly session: Session,
    private readonly weightFeeds: TensorMap,
    private readonly metricNames: readonly string[],
  ) {
    this.gradients = gradientBuffers(options.trainable);
  }

  private readonly gradients: ReadonlyMap<string, Parameter>;
  private scratch: ReadonlyMap<string, Parameter> | null = null;

  /** Builds the graph of forward pass, loss and gradients, and a session for it. */
  static async create<Batch>(options: TrainStepOptions<Batch>): Promise<TrainStep<Batch>> {
    const parameters = new Map([...(options.frozen ?? []), ...options.trainable]);
    const model = new ModelGraph(
      `train-${options.objective.name}`,
      options.config,
      parameters,
      options.adapterScale ?? 1,
    );
    const { lossSum, metricSums = {} } = options.objective.build(model);
    const names = [...options.trainable.keys()];
    const wrt = names.map((name) => model.parameter(name));
    model.g.output('lossSum', lossSum);
    for (const [name, sum] of Object.entries(metricSums)) model.g.output(metricOutput(name), sum);
    gradient(model.g, lossSum, wrt).forEach((grad, i) => model.g.output(gradientOutput(names[i]!), grad));
    const session = await options.runtime.createSession(encodeModel(model.g), {
      threads: options.threads,
      memPattern: false,
      graphOptimization: 'basic',
    });
    const used = usedInputs(model.g).flatMap(({ name }) =>
      parameters.has(name) ? [[name, parameters.get(name)!]] : [],
    );
    return new TrainStep(options, session, Object.fromEntries(used) as TensorMap, Object.keys(metricSums));
  }

  /** Accumulates the gradients of all micro-batches, then updates the parameters once. */
  async run(microBatches: readonly Batch[], learningRate: number): Promise<StepResult> {
    if (microBatches.length === 0) throw new InvalidRequestError('a training step needs at least one micro-batch');
    const sums = { loss: 0, items: 0, metrics: this.metricNames.map(() => 0) };
    for (const [i, batch] of microBatches.entries()) await this.accumulate(batch, i === 0, sums);
    return this.update(sums, learningRate);
  }

  /** The mean loss and metrics of some batches, without gradients being used or parameters changed. */
  async evaluate(batches: readonly Batch[]): Promise<Pick<StepResult, 'loss' | 'items' | 'metrics'>> {
    const sums = { loss: 0, items: 0, metrics: this.metricNames.map(() => 0) };
    for (const batch of batches) await this.runGraph(batch, null, sums);
    return perItem(sums, this.metricNames);
  }

  release(): void {
    this.session.release();
  }

  private async accumulate(batch: Batch, first: boolean, sums: Sums): Promise<void> {
    if (first) return this.runGraph(batch, this.gradients, sums);
    this.scratch ??= gradientBuffers(this.options.trainable);
    await this.runGraph(batch, this.scratch, sums);
    for (const [name, total] of this.gradients) addInto(total.data, this.scratch.get(name)!.data);
  }

  private async runGraph(batch: Batch, gradients: ReadonlyMap<string, Parameter> | null, sums: Sums): Promise<void> {
    const outputs: Record<string, HostTensor> = { lossSum: parameter([]) };
    for (const name of this.metricNames) outputs[metricOutput(name)] = parameter([]);
    for (const [name, tensor] of gradients ?? []) outputs[gradientOutput(name)] = tensor;
    await this.session.run({ ...this.weightFeeds, ...this.options.objective.feeds(batch) }, outputs);
    sums.loss += Number(outputs['lossSum']!.data[0]);
    sums.items += this.options.objective.count(batch);
    this.metricNames.forEach((name, i) => (sums.metrics[i]! += Number(outputs[metricOutput(name)]!.data[0])));
  }

  private async update(sums: Sums, learningRate: number): Promise<StepResult> {
    const { optimizer, clipNorm, trainable } = this.options;
    const perItemScale = 1 / sums.items;
    const gradNorm = globalNorm([...this.gradients.values()].map(({ data }) => data)) * perItemScale;
    const result = { ...perItem(sums, this.metricNames), gradNorm };
    if (!Number.isFinite(result.loss) || !Number.isFinite(gradNorm)) return { ...result, applied: false };
    const shorten = clipNorm !== null && gradNorm > clipNorm ? clipNorm / gradNorm : 1;
    await optimizer.update(pair(trainable, this.gradients), perItemScale * shorten, learningRate);
    return { ...result, applied: true };
  }
}

interface Sums {
  loss: number;
  items: number;
  readonly metrics: number[];
}

function perItem({ loss, items, metrics }: Sums, names: readonly string[]) {
  return {
    loss: loss / items,
    items,
    metrics: Object.fromEntries(names.map((name, i) => [name, metrics[i]! / items])),
  };
}

function pair(trainable: ParameterSet, gradients: ReadonlyMap<string, Parameter>): Trainable[] {
  return [...trainable].map(([name, { shape, data }]) => {
    const gradient = gradients.get(name);
    if (!gradient) throw new InternalError(`the parameter "${name}" has no gradient buffer`);
    return { name, shape, value: data, gradient: gradient.data };
  });
}

const gradientBuffers = (trainable: ParameterSet): ReadonlyMap<string, Parameter> =>
  new Map([...trainable].map(([name, { shape }]) => [name, parameter(shape)]));
const gradientOutput = (name: string): string => `gradient of ${name}`;
const metricOutput = (name: string): string => `metric ${name}`;
