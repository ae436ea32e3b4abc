import { encodeModel, type Graph } from '@attune/graph';
import {
  type AnyTensorMap,
  type BoundRun,
  type Device,
  type DeviceTensor,
  type Runtime,
  type Session,
} from '@attune/runtime';
import { makeOfParts, type Releasable, releaseAll } from '../holding.js';
import type { AdamW, AdamWOptions } from '../optimizers/adamw.js';
import type { OptimizerState } from '../optimizers/optimizer.js';
import { parameter, type ParameterSet } from '../step/parameters.js';
import { fetchParameters, type PlacedParameters, placeParameters, placeZeros } from './placed-parameters.js';
import { accumulateGraph, adamWGraph, nameOf, squareSumGraph, updated } from './update-graphs.js';

interface Scalars {
  readonly gradientScale: Float32Array;
  readonly rate: Float32Array;
  readonly rootCorrection: Float32Array;
  readonly decay: Float32Array;
}

/** AdamW's moments: running means of the gradients and of their squares. */
const MOMENTS = ['first', 'second'] as const;
type Moments = Readonly<Record<(typeof MOMENTS)[number], PlacedParameters>>;

/** AdamW whose values, gradients and moments never leave a device; a few numbers a step cross over. */
export class DeviceAdamW {
  private constructor(
    private readonly options: AdamWOptions,
    private step: number,
    private readonly trainable: ParameterSet,
    readonly gradients: PlacedParameters,
    private readonly moments: Moments,
    private readonly squareSum: { readonly run: BoundRun; readonly result: Float32Array },
    private readonly apply: { readonly run: BoundRun; readonly scalars: Scalars },
    /** All that is to be released. */
    private readonly held: readonly Releasable[],
  ) {}

  /**
   * Goes on where an optimizer on this side stands.
   * @param values the parameters on the device, which `update` changes in place
   */
  static create(
    runtime: Runtime,
    trainable: ParameterSet,
    values: PlacedParameters,
    start: AdamW,
  ): Promise<DeviceAdamW> {
    const { device } = values;
    const { step, arrays } = start.state();
    return makeOfParts(async (keep) => {
      const momentsOf = async (role: keyof Moments) =>
        keep(await placeParameters(device, savedMoments(trainable, arrays, role)));
      const gradients = keep(await placeZeros(device, trainable));
      const moments = { first: await momentsOf('first'), second: await momentsOf('second') };
      const adding = keep(await openSession(runtime, device, squareSumGraph(trainable)));
      const applying = keep(await openSession(runtime, device, adamWGraph(trainable, start.options)));
      const result = parameter([]);
      const squareSum = adding.bind(named('gradient', gradients, trainable), { sumOfSquares: result });
      const apply = bindUpdate(applying, trainable, { value: values, gradient: gradients, ...moments });
      return new DeviceAdamW(
        start.options,
        step,
        trainable,
        gradients,
        moments,
        { run: squareSum, result: result.data },
        apply,
        [adding, applying, gradients, moments.first, moments.second],
      );
    });
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
    const { run, scalars } = this.apply;
    scalars.gradientScale[0] = gradientScale;
    scalars.rate[0] = learningRate / (1 - beta1 ** this.step);
    scalars.rootCorrection[0] = 1 / Math.sqrt(1 - beta2 ** this.step);
    scalars.decay[0] = learningRate * weightDecay;
    await run.run();
  }

  /** Brings the optimizer that this one began from up to date, in the arrays it has. */
  async fetch(optimizer: AdamW): Promise<void> {
    const { arrays: known } = optimizer.state();
    const arrays = new Map<string, Float32Array>();
    for (const role of MOMENTS) {
      const copies = savedMoments(this.trainable, known, role);
      await fetchParameters(this.moments[role], copies);
      for (const [name, { data }] of copies) arrays.set(`${name}/${role}`, data);
    }
    optimizer.adopt({ step: this.step, arrays });
  }

  release(): Promise<void> {
    return releaseAll(this.held);
  }
}

/** One kind of moments of every parameter out of an optimizer's state; zeros where it has none. */
function savedMoments(trainable: ParameterSet, arrays: OptimizerState['arrays'], role: keyof Moments): ParameterSet {
  return new Map([...trainable].map(([name, { shape }]) => [name, parameter(shape, arrays.get(`${name}/${role}`))]));
}

/** Where the gradients of further micro-batches go before they are added to those so far. */
export interface Accumulation extends Releasable {
  readonly part: PlacedParameters;
  /** Adds `part` to the total. */
  readonly run: BoundRun;
}

/** Makes room for further gradients beside the total. */
export const openAccumulation = (
  runtime: Runtime,
  trainable: ParameterSet,
  total: PlacedParameters,
): Promise<Accumulation> =>
  makeOfParts(async (keep) => {
    const part = keep(await placeZeros(total.device, trainable));
    const session = keep(await openSession(runtime, total.device, accumulateGraph(trainable)));
    const inputs = { ...named('gradient', total, trainable), ...named('part', part, trainable) };
    const run = session.bind(inputs, inPlace(named('gradient', total, trainable)));
    return { part, run, release: () => releaseAll([session, part]) };
  });

function bindUpdate(
  session: Session,
  trainable: ParameterSet,
  placed: Record<'value' | 'gradient' | 'first' | 'second', PlacedParameters>,
): { run: BoundRun; scalars: Scalars } {
  const scalars = {
    gradientScale: parameter([]),
    rate: parameter([]),
    rootCorrection: parameter([]),
    decay: parameter([]),
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
      decay: scalars.decay.data,
    },
  };
}

const named = (role: Parameters<typeof nameOf>[0], { tensors }: PlacedParameters, trainable: ParameterSet) =>
  Object.fromEntries([...trainable.keys()].map((name) => [nameOf(role, name), tensors.get(name)!]));

const inPlace = (tensors: Record<string, DeviceTensor>): Record<string, DeviceTensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [updated(name), tensor]));

const openSession = (runtime: Runtime, device: Device, graph: Graph): Promise<Session> =>
  runtime.createSession(encodeModel(graph), { device, threads: 1, graphOptimization: 'basic' });
