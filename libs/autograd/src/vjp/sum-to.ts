import { type Graph, reduceSum, reshape, sameShape, type Shape, type Tensor } from '@attune/graph';

/** Undoes broadcasting: sums `x` over the axes along which `shape` was repeated. */
export function sumTo(g: Graph, x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  const summed = axes.length === 0 ? x : reduceSum(g, x, { axes, keep: true });
  return reshape(g, summed, shape);
}
