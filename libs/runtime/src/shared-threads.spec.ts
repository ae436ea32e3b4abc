import { encodeModel, Graph, matmul } from '@attune/graph';
import { describe, expect, it } from 'vitest';
import { createRuntime, float32 } from './index.js';

/** y = x · x over square matrices: large enough for the pool to be used. */
function squareModel(size: number): Uint8Array {
  const g = new Graph('square');
  const x = g.input('x', 'float32', [size, size]);
  g.output('y', matmul(g, x, x));
  return encodeModel(g);
}

// ONNX Runtime's environment is made once a process, and every spec file has a process of its own.
describe('one pool of threads for all sessions', () => {
  it('serves two sessions at once, and cannot be asked for too late', async () => {
    const size = 128;
    const runtime = createRuntime({ prefer: 'capi', threads: 2, sharedThreads: true });
    const sessions = await Promise.all([0, 1].map(() => runtime.createSession(squareModel(size))));
    const runs = sessions.map(async (session, i) => {
      const x = float32([size, size], new Float32Array(size * size).fill(i + 1));
      const y = float32([size, size]);
      for (let run = 0; run < 5; run++) await session.run({ x }, { y });
      return y.data.every((value) => value === (i + 1) ** 2 * size);
    });
    expect(await Promise.all(runs)).toEqual([true, true]);
    expect(() => createRuntime({ prefer: 'capi', sharedThreads: true })).not.toThrow();
    for (const session of sessions) session.release();
  });
});
