import { add, Graph, matmul } from '@attune/graph';

/**
 * weight [in, out] + down [in, width] · up [width, out] -> `merged`: a low-rank update multiplied into a linear layer as
 * the serving graph keeps it in fp32. What rounds weights to fewer bits would round the update away, so only fp32
 * weights are merged.
 */
export function mergeGraph(): Graph {
  const g = new Graph('merge');
  const weight = g.input('weight', 'float32', ['in', 'out']);
  const product = matmul(g, g.input('down', 'float32', ['in', 'width']), g.input('up', 'float32', ['width', 'out']));
  g.output('merged', add(g, weight, product));
  return g;
}
