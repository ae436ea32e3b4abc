import { add, encodeModel, exp, Graph, liveNodes, matmul, mul, reduceSum, type Tensor } from '@attune/graph';
import { createRuntime, float32 } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { gradient } from './index.js';

/** Three exponentials in a row, each a segment of its own when `recompute`; rows may be symbolic. */
function chain(recompute: boolean) {
  const g = new Graph('chain');
  const x = g.input('x', 'float32', ['N', 3]);
  const w = g.input('w', 'float32', [3, 3]);
  const layer = (y: Tensor) => add(g, y, mul(g, exp(g, matmul(g, y, w)), g.scalar(0.1)));
  let y = x;
  for (let i = 0; i < 3; i++) {
    const before = y;
    y = recompute ? g.recomputed([before], () => layer(before)) : layer(before);
  }
  const loss = reduceSum(g, mul(g, y, y));
  gradient(g, loss, [x, w]).forEach((tensor, i) => g.output(`gradient${i}`, tensor));
  return g;
}

async function run(g: Graph) {
  const session = await createRuntime({ threads: 1 }).createSession(encodeModel(g), { graphOptimization: 'basic' });
  const [gradient0, gradient1] = [float32([4, 3]), float32([3, 3])];
  const x = float32(
    [4, 3],
    Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
  );
  const w = float32(
    [3, 3],
    Float32Array.from({ length: 9 }, (_, i) => Math.cos(i)),
  );
  await session.run({ x, w }, { gradient0, gradient1 });
  session.release();
  return [...gradient0.data, ...gradient1.data];
}

describe('recomputed segments', () => {
  it('are emitted once more for the backward pass, without what it does not read', () => {
    const count = (g: Graph, op: string) => liveNodes(g).filter((node) => node.op === op).length;
    expect(count(chain(false), 'Exp')).toBe(3);
    expect(count(chain(true), 'Exp')).toBe(6);
    // The last sum of a segment is the next one's input, which is kept.
    expect(count(chain(true), 'Add')).toBe(count(chain(false), 'Add'));
  });

  it('give the same gradients to the bit', async () => {
    expect(await run(chain(true))).toEqual(await run(chain(false)));
  });
});
