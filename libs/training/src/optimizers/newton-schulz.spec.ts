import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import { expect, it } from 'vitest';
import { newtonSchulzModel } from './newton-schulz.js';

it.each([
  [2, 8, 24],
  [3, 24, 8],
  [1, 16, 16],
])('brings every singular value of %i matrices %ix%i near 1', async (count, rows, cols) => {
  const random = createRandom(5);
  const shape = [count, rows, cols];
  const matrices = {
    dtype: 'float32' as const,
    shape,
    data: Float32Array.from({ length: count * rows * cols }, () => random.normal()),
  };
  const orthogonal = { dtype: 'float32' as const, shape, data: new Float32Array(count * rows * cols) };
  const session = await createRuntime({ threads: 1 }).createSession(newtonSchulzModel(count, rows, cols));
  await session.run({ matrices }, { orthogonal });
  session.release();
  const side = Math.min(rows, cols);
  for (let m = 0; m < count; m++) {
    const matrix = orthogonal.data.subarray(m * rows * cols, (m + 1) * rows * cols);
    // ‖X‖² is the sum of the squared singular values; the iteration leaves each between about 0.7 and 1.2.
    const squares = matrix.reduce((sum, value) => sum + value * value, 0) / side;
    expect(squares).toBeGreaterThan(0.6);
    expect(squares).toBeLessThan(1.4);
    // The same singular vectors: the update points along the gradient.
    const inner = matrix.reduce((sum, value, i) => sum + value * matrices.data[m * rows * cols + i], 0);
    expect(inner).toBeGreaterThan(0);
  }
});
