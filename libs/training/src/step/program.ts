import { gradient } from '@attune/autograd';
import { encodeModel, lowerForWebGpu, usedInputs } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import type { AnyTensor, AnyTensorMap, Runtime, Session } from '@attune/runtime';
import type { PlacedParameters } from '../device/placed-parameters.js';
import { addRowGradients, type Lookup, rowGradients } from './lookups.js';
import { ModelGraph } from './model-graph.js';
import type { Objective } from './objective.js';
import { type FrozenSet, parameter, type ParameterSet } from './parameters.js';
import type { TrainingSwitches } from './switches.js';

export interface ProgramOptions<Batch> {
  readonly config: ModelConfig;
  readonly objective: Objective<Batch>;
  /** What the optimizer changes, in place. */
  readonly trainable: ParameterSet;
  /** What it only reads: the base weights under an adapter. */
  readonly frozen?: FrozenSet;
  /** alpha / rank of the adapter among the parameters. */
  readonly adapterScale?: number;
  readonly runtime: Runtime;
  /** Threads of the session; the runtime's own default when left out. */
  readonly threads?: number;
  /** Memory for time. */
  readonly switches?: TrainingSwitches;
  /** The parameters on a device; the graph then runs there. Without it they are read where they are. */
  readonly placed?: PlacedParameters;
}

/** Sums over a batch's items, as an objective's graph gives them. */
export interface Sums {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** An objective's graph over a model in a session, with or without its gradients. */
export class Program<Batch> {
  private constructor(
    private readonly objective: Objective<Batch>,
    private readonly session: Session,
    private readonly weights: AnyTensorMap,
    private readonly metricNames: readonly string[],
    private readonly lookups: readonly Lookup[],
  ) {}

  /**
   * Whoever only measures should do without gradients: ONNX Runtime computes every output of a model, asked for or
   * not.
   */
  static async create<Batch>(options: ProgramOptions<Batch>, gradients: boolean): Promise<Program<Batch>> {
    const { objective, config, runtime, threads, placed } = options;
    const parameters: FrozenSet = new Map([...(options.frozen ?? []), ...options.trainable]);
    const model = new ModelGraph(
      `train-${objective.name}`,
      config,
      parameters,
      options.adapterScale ?? 1,
      options.switches,
      placed !== undefined,
    );
    const { lossSum, metricSums = {} } = objective.build(model);
    model.g.output(LOSS, lossSum);
    for (const [name, sum] of Object.entries(metricSums)) model.g.output(metricOutput(name), sum);
    const lookups = gradients ? model.lookups.filter(({ parameter: name }) => options.trainable.has(name)) : [];
    if (gradients) {
      const wrt = new Map([...options.trainable.keys()].map((name) => [gradientOutput(name), model.parameter(name)]));
      lookups.forEach(({ rows }, i) => wrt.set(rowsOutput(i), rows));
      const found = gradient(model.g, lossSum, [...wrt.values()]);
      [...wrt.keys()].forEach((name, i) => model.g.output(name, found[i]!));
    }
    if (placed?.device.kind === 'webgpu') lowerForWebGpu(model.g);
    const session = await runtime.createSession(encodeModel(model.g), {
      device: placed?.device,
      threads,
      memPattern: false,
      graphOptimization: 'basic',
    });
    const weights: Record<string, AnyTensor> = {};
    for (const { name } of usedInputs(model.g))
      if (parameters.has(name)) weights[name] = placed?.tensors.get(name) ?? parameters.get(name)!;
    return new Program(objective, session, weights, Object.keys(metricSums), lookups);
  }

  /** Runs one batch; gradients, by parameter name, are overwritten. */
  async run(batch: Batch, gradients: ReadonlyMap<string, AnyTensor> = new Map()): Promise<Sums> {
    const loss = parameter([]);
    const metrics = new Map(this.metricNames.map((name) => [name, parameter([])]));
    const outputs: Record<string, AnyTensor> = { [LOSS]: loss };
    for (const [name, tensor] of metrics) outputs[metricOutput(name)] = tensor;
    for (const [name, tensor] of gradients) outputs[gradientOutput(name)] = tensor;
    const feeds = this.objective.feeds(batch);
    const rows = rowGradients(this.lookups, feeds);
    rows.forEach((tensor, i) => (outputs[rowsOutput(i)] = tensor));
    await this.session.run({ ...this.weights, ...feeds }, outputs);
    addRowGradients(this.lookups, rows, feeds, gradients);
    return {
      loss: loss.data[0]!,
      metrics: Object.fromEntries([...metrics].map(([name, { data }]) => [name, data[0]!])),
    };
  }

  /** Operators that the device left to the CPU, with their number. */
  leftToCpu(): Readonly<Record<string, number>> {
    return this.session.leftToCpu();
  }

  release(): void {
    this.session.release();
  }
}

const LOSS = 'lossSum';
const gradientOutput = (name: string): string => `gradient of ${name}`;
const rowsOutput = (lookup: number): string => `gradient of looked-up rows ${lookup}`;
const metricOutput = (name: string): string => `metric ${name}`;
