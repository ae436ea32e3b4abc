import type { Graph } from '../graph.js';
import { type DType, float, int, ONNX_DTYPE, type Tensor } from '../types.js';

type Unary = (g: Graph, x: Tensor) => Tensor;
type Binary = (g: Graph, a: Tensor, b: Tensor) => Tensor;

const unary =
  (op: string): Unary =>
  (g, x) =>
    g.emit(op, [x])[0]!;
const binary =
  (op: string): Binary =>
  (g, a, b) =>
    g.emit(op, [a, b])[0]!;

export const neg = unary('Neg');
export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const reciprocal = unary('Reciprocal');
export const sigmoid = unary('Sigmoid');
export const tanh = unary('Tanh');
/** log(1 + eˣ), which ONNX Runtime computes without overflow. */
export const softplus = unary('Softplus');
export const abs = unary('Abs');
export const not = unary('Not');

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const pow = binary('Pow');
export const minimum = binary('Min');
export const maximum = binary('Max');
export const equal = binary('Equal');
export const greater = binary('Greater');
export const greaterOrEqual = binary('GreaterOrEqual');
export const less = binary('Less');
export const and = binary('And');
export const or = binary('Or');

/** x · σ(x), as one fused kernel. */
export function silu(g: Graph, x: Tensor): Tensor {
  return g.emit('QuickGelu', [x], { domain: 'com.microsoft', attrs: { alpha: float(1) } })[0]!;
}

/** `a` where the condition holds, else `b`. */
export function where(g: Graph, condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return g.emit('Where', [condition, a, b])[0]!;
}

export function cast(g: Graph, x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : g.emit('Cast', [x], { attrs: { to: int(ONNX_DTYPE[dtype]) } })[0]!;
}

/** x · factor. */
export const scale = (g: Graph, x: Tensor, factor: number): Tensor => (factor === 1 ? x : mul(g, x, g.scalar(factor)));

/** max(low, min(high, x)); its derivative is zero outside the range. */
export function clamp(g: Graph, x: Tensor, low: number, high: number): Tensor {
  return minimum(g, maximum(g, x, g.scalar(low)), g.scalar(high));
}

/** The same value, through which no gradient flows. */
export function stopGradient(g: Graph, x: Tensor): Tensor {
  return g.composite('StopGradient', [x], () => ({ outputs: g.emit('Identity', [x]) }))[0]!;
}
