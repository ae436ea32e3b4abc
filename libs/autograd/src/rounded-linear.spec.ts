import * as op from '@attune/graph';
import { createRuntime, type TensorMap } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { randomTensor } from '../../../test/support/finite-differences.js';
import { gradient } from './index.js';

const ROWS = 9;
const [OUT, IN] = [24, 40];
const runtime = createRuntime({ threads: 1 });

const values = Int8Array.from({ length: OUT * IN }, (_, i) => ((i * 37) % 255) - 127);
const scales = floats([OUT], 3, 0.01, 0.2);
/** One row of nothing, and rows of very different sizes. */
const rowSizes = (rows: number, columns: number, seed: number) => {
  const made = floats([rows, columns], seed);
  made.data.forEach((value, i) => (made.data[i] = value * [0, 1e-6, 1, 3000][Math.floor(i / columns) % 4]!));
  return made;
};
const x = rowSizes(ROWS, IN, 5);
const dy = rowSizes(ROWS, OUT, 6);

const matrices: TensorMap = {
  scales,
  rows: { dtype: 'int8', shape: [OUT, IN], data: values },
  columns: {
    dtype: 'int8',
    shape: [IN, OUT],
    data: Int8Array.from({ length: OUT * IN }, (_, i) => values[(i % OUT) * IN + Math.floor(i / OUT)]!),
  },
};

/** The product, and its derivative for the gradient dy, as graphs compute them. */
async function computed(wanted: 'y' | 'dx') {
  const g = new op.Graph('rounded');
  const input = g.input('x', 'float32', ['N', IN]);
  const weight = {
    scales: g.input('scales', 'float32', [OUT]),
    columns: g.input('columns', 'int8', [IN, OUT]),
    rows: g.input('rows', 'int8', [OUT, IN]),
  };
  const y = op.roundedLinear(g, input, weight);
  const weighted = op.reduceSum(g, op.mul(g, y, g.input('dy', 'float32', ['N', OUT])));
  g.output('y', y);
  g.output('dx', gradient(g, weighted, [input])[0]!);
  const shape = [ROWS, wanted === 'y' ? OUT : IN];
  const result = { dtype: 'float32' as const, shape, data: new Float32Array(shape[0]! * shape[1]!) };
  const session = await runtime.createSession(op.encodeModel(g));
  await session.run({ x, dy, ...matrices }, { [wanted]: result });
  session.release();
  return result.data;
}

describe('a product by rounded weights', () => {
  it('is that of the rounded numbers, row by row', async () => {
    const y = await computed('y');
    for (let row = 0; row < ROWS; row++) {
      const numbers = x.data.subarray(row * IN, (row + 1) * IN);
      const largest = Math.max(...numbers.map(Math.abs));
      for (let out = 0; out < OUT; out++) {
        let sum = 0;
        for (let i = 0; i < IN; i++)
          sum += Math.round((numbers[i]! / (largest || 1)) * 127) * (largest / 127) * values[out * IN + i]!;
        expect(Math.abs(y[row * OUT + out]! - sum * scales.data[out]!)).toBeLessThanOrEqual(
          2e-4 * Math.abs(sum * scales.data[out]!) + 2e-3 * largest,
        );
      }
    }
  });

  it('has the derivative of the weights it saw, as if nothing had been rounded', async () => {
    const dx = await computed('dx');
    for (let row = 0; row < ROWS; row++) {
      const want = Array.from({ length: IN }, (_, i) => {
        let sum = 0;
        for (let out = 0; out < OUT; out++)
          sum += dy.data[row * OUT + out]! * scales.data[out]! * values[out * IN + i]!;
        return sum;
      });
      const largest = Math.max(...want.map(Math.abs));
      want.forEach((sum, i) => expect(Math.abs(dx[row * IN + i]! - sum)).toBeLessThanOrEqual(5e-5 * largest));
    }
  });
});

function floats(...how: Parameters<typeof randomTensor>) {
  const { dtype, shape, data } = randomTensor(...how);
  return { dtype, shape, data: data as Float32Array };
}
