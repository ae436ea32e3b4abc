import type { Graph } from '../graph.js';
import { float, int, type Tensor } from '../types.js';

export interface MatmulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
  /** Added to the product (rank 2 only): accumulation without another pass. */
  readonly plus?: Tensor | null;
}

/**
 * alpha · op(a) · op(b) [+ plus] over the last two axes, batch axes broadcast. Transposes by attribute, never by a
 * node: a Transpose of a weight would be folded into a second copy of it.
 */
export function matmul(g: Graph, a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transA = false, transB = false, alpha = 1, plus = null } = options;
  if (!transA && !transB && alpha === 1 && !plus) return g.emit('MatMul', [a, b])[0]!;
  const attrs = { transA: int(+transA), transB: int(+transB), alpha: float(alpha) };
  if (a.shape.length === 2 && b.shape.length === 2)
    return g.emit('Gemm', plus ? [a, b, plus] : [a, b], { attrs: { ...attrs, beta: float(1) } })[0]!;
  if (plus) throw new Error('matmul can add `plus` to rank-2 products only');
  return g.emit('FusedMatMul', [a, b], { domain: 'com.microsoft', attrs })[0]!;
}

/** x · Wᵀ (+ bias) for x [N, in] and a weight W [out, in] as checkpoints store it. */
export function linear(g: Graph, x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return matmul(g, x, weight, { transB: true, plus: bias });
}
