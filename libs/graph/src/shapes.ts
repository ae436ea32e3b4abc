import { broadcast, quotient, sum } from './dims.js';
import { type Attributes, type DType, type Dim, intAttribute, intsAttribute, ONNX_DTYPE } from './types.js';
import type { Shape, Tensor, TensorSpec } from './types.js';

type Rule = (inputs: readonly (Tensor | null)[], attrs: Attributes) => TensorSpec[];

/**
 * Output shapes and dtypes of every operator whose result follows from its inputs' types alone.
 * Operators whose shape depends on data (Reshape, Expand, Slice …) state it where they are emitted.
 */
const rules: Readonly<Record<string, Rule>> = {
  ...each(['Neg', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Sigmoid', 'Tanh', 'Softplus', 'Abs', 'Identity', 'Erf'], same),
  ...each(['Sin', 'Cos', 'Relu', 'Not', 'Softmax', 'LogSoftmax', 'QuickGelu', 'Clip', 'CumSum', 'Trilu'], same),
  ...each(['ScatterElements', 'ScatterND', 'RotaryEmbedding'], same),
  ...each(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Sum', 'Mod'], arithmetic),
  ...each(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or'], comparison),
  ...each(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSumSquare', 'ReduceL2'], unresolved),
  ...each(['MatMul', 'FusedMatMul'], matmul),
  Gemm: ([a, b], attrs) => [spec(a!.dtype, gemmShape(a!.shape, b!.shape, attrs))],
  Where: ([condition, a, b]) => [spec(a!.dtype, broadcast(condition!.shape, broadcast(a!.shape, b!.shape)))],
  Cast: ([x], attrs) => [spec(castTarget(attrs), x!.shape)],
  Transpose: ([x], attrs) => [spec(x!.dtype, permuted(x!.shape, attrs))],
  Concat: (inputs, attrs) => [spec(inputs[0]!.dtype, concatenated(inputs as Tensor[], attrs))],
  Gather: ([table, index], attrs) => [spec(table!.dtype, gathered(table!.shape, index!.shape, attrs))],
  GatherElements: ([x, index]) => [spec(x!.dtype, index!.shape)],
  Shape: ([x]) => [spec('int64', [x!.shape.length])],
  ArgMax: ([x], attrs) => [spec('int64', reducedShape(x!.shape, [intAttribute(attrs, 'axis', 0)], keeps(attrs)))],
  SimplifiedLayerNormalization: ([x]) => [
    spec(x!.dtype, x!.shape),
    spec('float32', reducedShape(x!.shape, [x!.shape.length - 1], true)),
  ],
  SkipSimplifiedLayerNormalization: ([x]) => [
    spec(x!.dtype, x!.shape),
    spec('float32', reducedShape(x!.shape, [x!.shape.length - 1], true)),
    spec('float32', reducedShape(x!.shape, [x!.shape.length - 1], true)),
    spec(x!.dtype, x!.shape),
  ],
  MatMulNBits: ([x], attrs) => [spec(x!.dtype, [...x!.shape.slice(0, -1), intAttribute(attrs, 'N', 0)])],
};

/** Output specs of one call; throws when the table has no row, so a missing row is noticed at build time. */
export function inferShapes(op: string, inputs: readonly (Tensor | null)[], attrs: Attributes): TensorSpec[] {
  const rule = rules[op];
  if (!rule) throw new Error(`shapes.ts has no row for the operator "${op}"; add one or pass \`outputs\` to emit`);
  return rule(inputs, attrs);
}

/** Shape after reducing `axes` (negative ones count from the end). */
export function reducedShape(shape: Shape, axes: readonly number[], keep: boolean): Dim[] {
  const gone = new Set(axes.map((axis) => (axis < 0 ? axis + shape.length : axis)));
  return keep ? shape.map((dim, i) => (gone.has(i) ? 1 : dim)) : shape.filter((_, i) => !gone.has(i));
}

/** Turns a negative axis into a position. */
export const position = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

function same(inputs: readonly (Tensor | null)[]): TensorSpec[] {
  return [spec(inputs[0]!.dtype, inputs[0]!.shape)];
}

function arithmetic(inputs: readonly (Tensor | null)[]): TensorSpec[] {
  const shape = inputs.reduce<Shape>((all, input) => broadcast(all, input!.shape), []);
  return [spec(inputs[0]!.dtype, shape)];
}

function comparison(inputs: readonly (Tensor | null)[]): TensorSpec[] {
  return [spec('bool', arithmetic(inputs)[0]!.shape)];
}

function unresolved(): TensorSpec[] {
  throw new Error('reductions take their axes as a tensor: emit them through ops/reduce.ts');
}

function matmul([a, b]: readonly (Tensor | null)[], attrs: Attributes): TensorSpec[] {
  const batch = broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
  return [spec(a!.dtype, [...batch, ...gemmShape(a!.shape, b!.shape, attrs)])];
}

function gemmShape(a: Shape, b: Shape, attrs: Attributes): Dim[] {
  const [rows, inner] = lastTwo(a, intAttribute(attrs, 'transA', 0));
  const [inner2, columns] = lastTwo(b, intAttribute(attrs, 'transB', 0));
  if (inner !== inner2)
    throw new Error(`matmul of [${a.join(', ')}] by [${b.join(', ')}]: inner ${inner} and ${inner2}`);
  return [rows, columns];
}

function lastTwo(shape: Shape, transposed: number): [Dim, Dim] {
  const [x, y] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [y, x] : [x, y];
}

function permuted(shape: Shape, attrs: Attributes): Dim[] {
  return intsAttribute(attrs, 'perm', shape.map((_, i) => i).reverse()).map((from) => shape[from]!);
}

function concatenated(inputs: readonly Tensor[], attrs: Attributes): Dim[] {
  const axis = position(intAttribute(attrs, 'axis', 0), inputs[0]!.shape.length);
  const total = inputs.map((input) => input.shape[axis]!).reduce(sum);
  return inputs[0]!.shape.map((dim, i) => (i === axis ? total : dim));
}

function gathered(table: Shape, index: Shape, attrs: Attributes): Dim[] {
  const axis = position(intAttribute(attrs, 'axis', 0), table.length);
  return [...table.slice(0, axis), ...index, ...table.slice(axis + 1)];
}

function castTarget(attrs: Attributes): DType {
  const to = intAttribute(attrs, 'to', 1);
  return (Object.keys(ONNX_DTYPE) as DType[]).find((dtype) => ONNX_DTYPE[dtype] === to) ?? 'float32';
}

const keeps = (attrs: Attributes): boolean => intAttribute(attrs, 'keepdims', 1) === 1;
const spec = (dtype: DType, shape: Shape): TensorSpec => ({ dtype, shape });

function each(ops: readonly string[], rule: Rule): Record<string, Rule> {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

/** Resolves one `-1` in a target shape from the number of elements. */
export function resolveReshape(from: Dim, to: readonly Dim[]): Dim[] {
  const open = to.indexOf(-1);
  if (open < 0) return [...to];
  const rest = to.filter((_, i) => i !== open).reduce<Dim | null>((left, dim) => left && quotient(left, dim), from);
  if (rest === null) throw new Error(`cannot infer the -1 of [${to.join(', ')}] from ${from} elements`);
  return to.map((dim, i) => (i === open ? rest : dim));
}
