import { difference, product, sameShape, sum } from '../dims.js';
import type { Graph } from '../graph.js';
import { position, resolveReshape } from '../shapes.js';
import { type Dim, int, ints, literal, type Shape, type Tensor } from '../types.js';

/** Same elements, new shape; one dim may be -1. Symbolic dims are resolved when the graph runs. */
export function reshape(g: Graph, x: Tensor, target: Shape): Tensor {
  const shape = resolveReshape(product(x.shape), target);
  if (sameShape(x.shape, shape)) return x;
  if (product(shape) !== product(x.shape))
    throw new Error(`cannot reshape [${x.shape.join(', ')}] to [${shape.join(', ')}]`);
  return g.emit('Reshape', [x, reshapeTarget(g, x.shape, shape)], { outputs: [{ dtype: x.dtype, shape }] })[0]!;
}

/** A constant target where 0 (copy this position) and one -1 say enough; otherwise computed from the inputs. */
function reshapeTarget(g: Graph, from: Shape, to: Shape): Tensor {
  const coded = to.map((dim, i) => (typeof dim === 'number' ? dim : dim === from[i] ? 0 : -1));
  return coded.filter((code) => code === -1).length <= 1 ? g.ints(coded) : g.shapeTensor(to);
}

export function transpose(g: Graph, x: Tensor, perm: readonly number[]): Tensor {
  return g.emit('Transpose', [x], { attrs: { perm: ints(perm) } })[0]!;
}

/** Repeats dims of size 1 up to `shape`. */
export function expand(g: Graph, x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return g.emit('Expand', [x, g.shapeTensor(shape)], { outputs: [{ dtype: x.dtype, shape }] })[0]!;
}

/** `x[start:end]` along one axis; start and end are fixed sizes or dims known at run time. */
export function slice(g: Graph, x: Tensor, axis: number, start: Dim, end: Dim): Tensor {
  const at = position(axis, x.shape.length);
  const shape = x.shape.map((dim, i) => (i === at ? difference(end, start) : dim));
  const inputs = [x, g.size(start), g.size(end), g.ints([at])];
  return g.emit('Slice', inputs, { attrs: {}, outputs: [{ dtype: x.dtype, shape }] })[0]!;
}

/** The first `end` along one axis. */
export const firstAlong = (g: Graph, x: Tensor, axis: number, end: Dim): Tensor =>
  end === x.shape[axis] ? x : slice(g, x, axis, 0, end);

export function concat(g: Graph, parts: readonly Tensor[], axis: number): Tensor {
  return parts.length === 1 ? parts[0]! : g.emit('Concat', parts, { attrs: { axis: int(axis) } })[0]!;
}

/** Parts that a split made, side by side again in the shape that was cut. */
export function concatTo(g: Graph, parts: readonly Tensor[], axis: number, shape: Shape): Tensor {
  if (parts.length === 1) return parts[0]!;
  const outputs = [{ dtype: parts[0]!.dtype, shape }];
  return g.emit('Concat', parts, { attrs: { axis: int(axis) }, outputs })[0]!;
}

/** Cuts an axis into parts whose sizes, int64 [parts], may be known at run time only; `dims` names them. */
export function split(g: Graph, x: Tensor, axis: number, sizes: Tensor, dims: Shape): Tensor[] {
  const at = position(axis, x.shape.length);
  const outputs = dims.map((dim) => ({ dtype: x.dtype, shape: x.shape.map((old, i) => (i === at ? dim : old)) }));
  return g.emit('Split', [x, sizes], { attrs: { axis: int(at) }, outputs });
}

/** A tensor filled with one value. */
export function filled(g: Graph, shape: Shape, value: number, dtype: 'float32' | 'int64' = 'float32'): Tensor {
  const data = dtype === 'float32' ? Float32Array.of(value) : BigInt64Array.of(BigInt(value));
  const attrs = { value: literal(dtype, [1], data) };
  return g.emit('ConstantOfShape', [g.shapeTensor(shape)], { attrs, outputs: [{ dtype, shape }] })[0]!;
}

export const zeros = (g: Graph, shape: Shape): Tensor => filled(g, shape, 0);

/** Pads one axis with zeros before and after. */
export function padAxis(g: Graph, x: Tensor, axis: number, before: Dim, after: Dim): Tensor {
  const shape = x.shape.map((dim, i) => (i === axis ? sum(sum(before, dim), after) : dim));
  const pads = [g.size(before), g.size(after)];
  const inputs = [x, concat(g, pads, 0), null, g.ints([axis])];
  return g.emit('Pad', inputs, { outputs: [{ dtype: x.dtype, shape }] })[0]!;
}

/** int64 [0, 1, …, n-1]. */
export function range(g: Graph, n: Dim): Tensor {
  const end = g.emit('Squeeze', [g.size(n)], { outputs: [{ dtype: 'int64', shape: [] }] })[0]!;
  return g.emit('Range', [g.scalar(0, 'int64'), end, g.scalar(1, 'int64')], {
    outputs: [{ dtype: 'int64', shape: [n] }],
  })[0]!;
}
