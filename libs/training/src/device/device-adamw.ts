import { encodeModel, type Graph } from '@attune/graph';
import {
  type AnyTensorMap,
  type BoundRun,
  type Device,
  type DeviceTensor,
  float32,
  type Runtime,
  type Session,
} from '@attune/runtime';
import { ADAMW_DEFAULTS, type AdamWOptions } from '../optimizers/adamw.js';
import type { OptimizerState } from '../optimizers/optimizer.js';
import { parameter, type ParameterSet } from '../step/parameters.js';
import { fetchParameters, type PlacedParameters, placeZeros, releaseParameters } from './placed-parameters.js';
import { accumulateGraph, adamWGraph, nameOf, squareSumGraph, updated } from './update-graphs.js';

interface Scalars {
  readonly gradientScale: Float32Array;
  readonly rate: Float32Array;
  readonly rootCorrection: Float32Array;
  readonly keep: Float32Array;
}

/** AdamW whose values, gradients and moments never leave a device; a few numbers a step cross over. */
export class DeviceAdamW {
  private step = 0;
  private readonly scalars: Scalars;

  private constructor(
    private readonly options: AdamWOptions,
    private readonly trainable: ParameterSet,
    readonly gradients: PlacedParameters,
    private readonly first: PlacedParameters,
    private readonly second: PlacedParameters,
    private readonly squareSum: { readonly run: BoundRun; readonly result: Float32Array },
    private readonly apply: { readonly run: BoundRun; readonly scalars: Scalars },
    private readonly sessions: readonly Session[],
  ) {
    this.scalars = apply.scalars;
  }

  /** @param values the parameters on the device, which `update` changes in place */
  static async create(
    runtime: Runtime,
    trainable: ParameterSet,
    values: PlacedParameters,
    options: Partial<AdamWOptions> = {},
  ): Promise<DeviceAdamW> {
    const { device } = values;
    const settings = { ...ADAMW_DEFAULTS, ...options };
    const [gradients, first, second] = [
      await placeZeros(device, trainable),
      await placeZeros(device, trainable),
      await placeZeros(device, trainable),
    ];
    const adding = await openSession(runtime, device, squareSumGraph(trainable));
    const applying = await openSession(runtime, device, adamWGraph(trainable, settings));
    const result = parameter([]);
    const squareSum = adding.bind(named('gradient', gradients, trainable), { sumOfSquares: result });
    const { run, scalars } = bindUpdate(applying, trainable, { value: values, gradient: gradients, first, second });
    return new DeviceAdamW(
      settings,
      trainable,
      gradients,
      first,
      second,
      { run: squareSum, result: result.data },
      { run, scalars },
      [adding, applying],
    );
  }

  /** The L2 norm of all gradients together. */
  async gradientNorm(): Promise<number> {
    await this.squareSum.run.run();
    return Math.sqrt(this.squareSum.result[0]!);
  }

  /** One step with the gradients times `gradientScale`. */
  async update(gradientScale: number, learningRate: number): Promise<void> {
    this.step++;
    const { beta1, beta2, weightDecay } = this.options;
    this.scalars.gradientScale[0] = gradientScale;
    this.scalars.rate[0] = learningRate / (1 - beta1 ** this.step);
    this.scalars.rootCorrection[0] = 1 / Math.sqrt(1 - beta2 ** this.step);
    this.scalars.keep[0] = 1 - learningRate * weightDecay;
    await this.apply.run.run();
  }

  /** The moments, copied from the device, as `AdamW.state` gives them. */
  async state(): Promise<OptimizerState> {
    const arrays = new Map<string, Float32Array>();
    for (const [role, placed] of [
      ['first', this.first],
      ['second', this.second],
    ] as const) {
      const copies = new Map([...this.trainable].map(([name, { shape }]) => [name, parameter(shape)]));
      await fetchParameters(placed, copies);
      for (const [name, { data }] of copies) arrays.set(`${name}/${role}`, data);
    }
    return { step: this.step, arrays };
  }

  /** Takes up where `state` (of this or of `AdamW`) left off. */
  async restore({ step, arrays }: OptimizerState): Promise<void> {
    this.step = step;
    for (const [role, { device, tensors }] of [
      ['first', this.first],
      ['second', this.second],
    ] as const)
      for (const [name, { shape }] of this.trainable) {
        const saved = arrays.get(`${name}/${role}`);
        await device.copy(saved ? float32(shape, saved) : float32(shape), tensors.get(name)!);
      }
  }

  release(): void {
    for (const session of this.sessions) session.release();
    for (const placed of [this.gradients, this.first, this.second]) releaseParameters(placed);
  }
}

/** Adds gradients to gradients on a device. */
export async function bindAccumulation(
  runtime: Runtime,
  trainable: ParameterSet,
  total: PlacedParameters,
  part: PlacedParameters,
): Promise<{ readonly run: BoundRun; readonly session: Session }> {
  const session = await openSession(runtime, total.device, accumulateGraph(trainable));
  const inputs = { ...named('gradient', total, trainable), ...named('part', part, trainable) };
  return { run: session.bind(inputs, inPlace(named('gradient', total, trainable))), session };
}

function bindUpdate(
  session: Session,
  trainable: ParameterSet,
  placed: Record<'value' | 'gradient' | 'first' | 'second', PlacedParameters>,
): { run: BoundRun; scalars: Scalars } {
  const scalars = {
    gradientScale: parameter([]),
    rate: parameter([]),
    rootCorrection: parameter([]),
    keep: parameter([]),
  };
  const roles = (['value', 'gradient', 'first', 'second'] as const).map((role) => named(role, placed[role], trainable));
  const [value, , first, second] = roles;
  const all: AnyTensorMap = Object.assign({ ...scalars }, ...roles);
  const wanted = new Set(session.inputNames);
  const inputs = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
  const run = session.bind(inputs, inPlace({ ...value, ...first, ...second }));
  return {
    run,
    scalars: {
      gradientScale: scalars.gradientScale.data,
      rate: scalars.rate.data,
      rootCorrection: scalars.rootCorrection.data,
      keep: scalars.keep.data,
    },
  };
}

const named = (role: Parameters<typeof nameOf>[0], { tensors }: PlacedParameters, trainable: ParameterSet) =>
  Object.fromEntries([...trainable.keys()].map((name) => [nameOf(role, name), tensors.get(name)!]));

const inPlace = (tensors: Record<string, DeviceTensor>): Record<string, DeviceTensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [updated(name), tensor]));

const openSession = (runtime: Runtime, device: Device, graph: Graph): Promise<Session> =>
  runtime.createSession(encodeModel(graph), { device, threads: 1, graphOptimization: 'basic' });
