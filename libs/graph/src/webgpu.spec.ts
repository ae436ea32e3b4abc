import { createRuntime, float32 } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { add, encodeModel, filled, Graph, logSoftmax, lowerForWebGpu, matmul, rmsNorm, type Tensor } from './index.js';

const runtime = createRuntime({ threads: 1 });
const wave = (size: number, shift: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(3 * i + shift));

/** Everything that is rewritten, with readers behind it: x [2, 3, 4], w [4]. */
function build(): Graph {
  const g = new Graph('before');
  const x = g.input('x', 'float32', [2, 3, 4]);
  const { y, inverseRms } = rmsNorm(g, x, g.input('w', 'float32', [4]), 1e-5);
  const product = matmul(g, y, y, { transB: true, alpha: 0.5 });
  const normed: Tensor = g.emit('Mul', [y, inverseRms])[0]!;
  g.output('normed', normed);
  g.output('inverseRms', inverseRms);
  g.output('product', product);
  g.output('transposed', matmul(g, y, y, { transA: true }));
  g.output('logProbs', logSoftmax(g, product));
  g.output('shifted', add(g, x, filled(g, [2, 3, 4], 0.5)));
  return g;
}

const shapes = {
  normed: [2, 3, 4],
  inverseRms: [2, 3, 1],
  product: [2, 3, 3],
  transposed: [2, 4, 4],
  logProbs: [2, 3, 3],
  shifted: [2, 3, 4],
};

async function run(g: Graph): Promise<Record<string, number[]>> {
  const session = await runtime.createSession(encodeModel(g));
  const outputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, float32(shape)]));
  await session.run({ x: float32([2, 3, 4], wave(24, 1)), w: float32([4], wave(4, 2)) }, outputs);
  session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]));
}

describe('lowerForWebGpu', () => {
  it('leaves no operator that WebGPU lacks, and changes no value', async () => {
    const lowered = build();
    lowerForWebGpu(lowered);
    const operators = lowered.nodes.map(({ op }) => op);
    for (const gone of ['SimplifiedLayerNormalization', 'FusedMatMul', 'LogSoftmax', 'ConstantOfShape'])
      expect(operators).not.toContain(gone);
    const [want, got] = [await run(build()), await run(lowered)];
    for (const [name, values] of Object.entries(want))
      values.forEach((value, i) => expect(got[name]![i], `${name}[${i}]`).toBeCloseTo(value, 5));
  });

  it('computes a norm in one way, whether or not its second output is read', () => {
    const g = new Graph('forward');
    const x = g.input('x', 'float32', [2, 4]);
    g.output('y', rmsNorm(g, x, g.input('w', 'float32', [4]), 1e-5).y);
    lowerForWebGpu(g);
    expect(g.nodes.map(({ op }) => op)).not.toContain('SimplifiedLayerNormalization');
  });
});
