import { gradient } from '@attune/autograd';
import { encodeModel, Graph, mul, reduceSum, type Tensor } from '@attune/graph';
import { createRandom } from '@attune/platform';
import { createRuntime, type HostTensor } from '@attune/runtime';

export interface GradientCase {
  /** Values by input name; float32 ones are differentiated unless listed in `constant`. */
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly constant?: readonly string[];
  /** Symbolic dims of inputs, where they are not the literal sizes. */
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly build: (g: Graph, inputs: Readonly<Record<string, Tensor>>) => Tensor;
}

const STEP = 5e-3;

/**
 * Largest difference between analytic and numeric derivatives, relative to the largest derivative of each input, of
 * the sum of the case's output times a fixed random weighting (so that a transposed or permuted gradient shows).
 */
export async function gradientError({ inputs, constant = [], shapes = {}, build }: GradientCase): Promise<number> {
  const g = new Graph('case');
  const handles = Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, g.input(name, dtype, shapes[name] ?? shape)]),
  );
  const output = build(g, handles);
  const weighting = g.input('weighting', 'float32', output.shape);
  const loss = reduceSum(g, mul(g, output, weighting));
  const wrt = Object.keys(inputs).filter((name) => inputs[name]!.dtype === 'float32' && !constant.includes(name));
  const gradients = gradient(
    g,
    loss,
    wrt.map((name) => handles[name]!),
  );
  g.output('loss', loss);
  g.output('probe', output);
  gradients.forEach((tensor, i) => g.output(`gradient ${wrt[i]}`, tensor));
  const session = await createRuntime({ threads: 1 }).createSession(encodeModel(g), { graphOptimization: 'basic' });
  const probeShape = output.shape.map((dim) => sizeOf(dim, inputs, shapes));
  const feeds = { ...inputs, weighting: randomTensor(probeShape, 99) };
  const loss0 = zeros([]);
  const analytic = Object.fromEntries(wrt.map((name) => [`gradient ${name}`, zeros(inputs[name]!.shape)]));
  await session.run(feeds, { loss: loss0, probe: zeros(probeShape), ...analytic });
  let worst = 0;
  for (const name of wrt) {
    const expected = await numericGradient(inputs[name]!.data as Float32Array, async () => {
      await session.run(feeds, { loss: loss0 });
      return loss0.data[0] as number;
    });
    const scale = Math.max(1e-3, ...expected.map(Math.abs));
    const found = analytic[`gradient ${name}`]!.data as Float32Array;
    expected.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - found[i]!) / scale)));
  }
  session.release();
  return worst;
}

/** Central differences; the step is what float32 really stored, so the quotient is exact in it. */
async function numericGradient(values: Float32Array, evaluate: () => Promise<number>): Promise<number[]> {
  const result: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const original = values[i]!;
    values[i] = original + STEP;
    const [up, above] = [values[i]!, await evaluate()];
    values[i] = original - STEP;
    const [down, below] = [values[i]!, await evaluate()];
    values[i] = original;
    result.push((above - below) / (up - down));
  }
  return result;
}

/** Uniform in [low, high), reproducible. */
export function randomTensor(shape: readonly number[], seed: number, low = -1, high = 1): HostTensor {
  const random = createRandom(seed);
  const size = shape.reduce((all, dim) => all * dim, 1);
  return {
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: size }, () => low + (high - low) * random.next()),
  };
}

export const int64Tensor = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  dtype: 'int64',
  shape,
  data: BigInt64Array.from(values, BigInt),
});

const zeros = (shape: readonly number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((all, dim) => all * dim, 1)),
});

function sizeOf(
  dim: number | string,
  inputs: GradientCase['inputs'],
  shapes: NonNullable<GradientCase['shapes']>,
): number {
  if (typeof dim === 'number') return dim;
  return dim.split('*').reduce((all, factor) => all * (Number(factor) || symbolSize(factor, inputs, shapes)), 1);
}

function symbolSize(
  symbol: string,
  inputs: GradientCase['inputs'],
  shapes: NonNullable<GradientCase['shapes']>,
): number {
  for (const [name, shape] of Object.entries(shapes)) {
    const at = shape.indexOf(symbol);
    if (at >= 0) return inputs[name]!.shape[at]!;
  }
  throw new Error(`no input of the case names the dimension "${symbol}"`);
}
