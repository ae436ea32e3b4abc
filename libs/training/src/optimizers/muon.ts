import { ADAPTABLE } from '@attune/models';
import { InvalidRequestError } from '@attune/platform';
import type { HostTensor, Runtime, Session } from '@attune/runtime';
import { AdamW, type AdamWOptions } from './adamw.js';
import { newtonSchulzModel } from './newton-schulz.js';
import type { Optimizer, OptimizerState, Trainable } from './optimizer.js';

export interface MuonOptions {
  readonly runtime: Runtime;
  /** Default 0.95. */
  readonly momentum?: number;
  /** Decoupled decay of the matrices; default 0.1. */
  readonly weightDecay?: number;
  /** For everything that is not a matrix inside the layers: embeddings, norms, heads. */
  readonly adamw?: Partial<AdamWOptions>;
  readonly threads?: number;
}

/**
 * Muon: momentum whose matrix-valued update is replaced by the nearest orthogonal matrix (Jordan et al. 2024,
 * https://kellerjordan.github.io/posts/muon/), scaled by 0.2·√max(rows, cols) so that learning rate and weight decay
 * mean what they mean for AdamW (Liu et al. 2025, https://arxiv.org/abs/2502.16982). Only the linear modules inside the
 * layers are its own; the rest goes to AdamW at the same learning rate.
 */
export class Muon implements Optimizer {
  private readonly adamw: AdamW;
  private readonly momenta = new Map<string, Float32Array>();
  private groups: readonly Group[] | null = null;

  constructor(private readonly options: MuonOptions) {
    this.adamw = new AdamW(options.adamw);
  }

  async update(parameters: readonly Trainable[], gradientScale: number, learningRate: number): Promise<void> {
    const { runtime, momentum = 0.95, weightDecay = 0.1, threads } = this.options;
    this.groups ??= await createGroups(parameters.filter(isLayerMatrix), runtime, threads);
    for (const group of this.groups) {
      const members = group.names.map((name) => parameters.find((parameter) => parameter.name === name)!);
      this.accumulate(group, members, momentum, gradientScale);
      await group.session.run({ matrices: group.direction }, { orthogonal: group.orthogonal });
      apply(group, members, learningRate, weightDecay);
    }
    this.adamw.update(
      parameters.filter((parameter) => !isLayerMatrix(parameter)),
      gradientScale,
      learningRate,
    );
  }

  state(): OptimizerState {
    const { step, arrays } = this.adamw.state();
    return { step, arrays: new Map([...arrays, ...[...this.momenta].map(([name, m]) => [name + SUFFIX, m] as const)]) };
  }

  restore(state: OptimizerState): void {
    this.adamw.restore(state);
    this.momenta.clear();
    for (const [key, values] of state.arrays) {
      if (key.endsWith(SUFFIX)) this.momenta.set(key.slice(0, -SUFFIX.length), values.slice());
    }
  }

  release(): void {
    for (const group of this.groups ?? []) group.session.release();
    this.groups = null;
  }

  /** m <- μm + g; direction = g + μm (Nesterov). */
  private accumulate(group: Group, members: readonly Trainable[], mu: number, scale: number): void {
    const direction = group.direction.data as Float32Array;
    let at = 0;
    for (const { name, gradient } of members) {
      const momentum = this.momentumOf(name, gradient.length);
      for (let i = 0; i < gradient.length; i++, at++) {
        const slope = gradient[i] * scale;
        momentum[i] = mu * momentum[i] + slope;
        direction[at] = slope + mu * momentum[i];
      }
    }
  }

  private momentumOf(name: string, length: number): Float32Array {
    const known = this.momenta.get(name);
    if (known && known.length !== length)
      throw new InvalidRequestError(`the saved momentum of "${name}" has ${known.length} values, not ${length}`);
    const momentum = known ?? new Float32Array(length);
    this.momenta.set(name, momentum);
    return momentum;
  }
}

const SUFFIX = '/momentum';

/** Matrices of one shape, orthogonalised together in one run. */
interface Group {
  readonly names: readonly string[];
  readonly direction: HostTensor;
  readonly orthogonal: HostTensor;
  readonly session: Session;
}

const isLayerMatrix = ({ name, shape }: Trainable): boolean =>
  shape.length === 2 && ADAPTABLE.some((module) => name.endsWith(`${module}.weight`));

async function createGroups(matrices: readonly Trainable[], runtime: Runtime, threads?: number): Promise<Group[]> {
  const shapes = new Set(matrices.map(({ shape }) => shape.join('x')));
  return Promise.all(
    [...shapes].map(async (shape) => {
      const members = matrices.filter((matrix) => matrix.shape.join('x') === shape);
      const [rows, cols] = members[0].shape;
      const stack = [members.length, rows, cols];
      const session = await runtime.createSession(newtonSchulzModel(members.length, rows, cols), { threads });
      return {
        names: members.map(({ name }) => name),
        direction: hostTensor(stack),
        orthogonal: hostTensor(stack),
        session,
      };
    }),
  );
}

const hostTensor = (shape: readonly number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

function apply(group: Group, members: readonly Trainable[], learningRate: number, weightDecay: number): void {
  const orthogonal = group.orthogonal.data as Float32Array;
  const rate = learningRate * 0.2 * Math.sqrt(Math.max(...members[0].shape));
  const keep = 1 - learningRate * weightDecay;
  let at = 0;
  for (const { value } of members) {
    for (let i = 0; i < value.length; i++, at++) value[i] = value[i] * keep - rate * orthogonal[at];
  }
}
