import { add, div, encodeModel, Graph, matmul, mul, reduceSum, sqrt, type Tensor } from '@attune/graph';

/** Quintic coefficients that push every singular value towards 1 fast, if not exactly there (Jordan et al. 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STEPS = 5;
const EPSILON = 1e-7;

/**
 * A model that orthogonalises a stack of matrices: `matrices` [count, rows, cols] -> `orthogonal`, the same shape,
 * each with singular values near 1 and its own singular vectors: U Σ Vᵀ -> U Vᵀ.
 * Newton-Schulz iteration as in Muon (https://kellerjordan.github.io/posts/muon/): X <- aX + (bG + cG²) X with
 * G = X Xᵀ, taken on the shorter side.
 */
export function newtonSchulzModel(count: number, rows: number, cols: number): Uint8Array {
  const g = new Graph(`newton-schulz-${count}x${rows}x${cols}`);
  const input = g.input('matrices', 'float32', [count, rows, cols]);
  let x = scaleToUnitNorm(g, input);
  for (let step = 0; step < STEPS; step++) x = rows <= cols ? wideStep(g, x) : tallStep(g, x);
  g.output('orthogonal', x);
  return encodeModel(g);
}

/** Divides by the Frobenius norm, an upper bound of the largest singular value. */
function scaleToUnitNorm(g: Graph, x: Tensor): Tensor {
  const squares = reduceSum(g, mul(g, x, x), { axes: [1, 2], keep: true });
  return div(g, x, add(g, sqrt(g, squares), g.scalar(EPSILON)));
}

function wideStep(g: Graph, x: Tensor): Tensor {
  return add(g, mul(g, x, g.scalar(A)), matmul(g, polynomial(g, matmul(g, x, x, { transB: true })), x));
}

function tallStep(g: Graph, x: Tensor): Tensor {
  return add(g, mul(g, x, g.scalar(A)), matmul(g, x, polynomial(g, matmul(g, x, x, { transA: true }))));
}

/** b·G + c·G² of the Gram matrix G. */
function polynomial(g: Graph, gram: Tensor): Tensor {
  return add(g, mul(g, gram, g.scalar(B)), mul(g, matmul(g, gram, gram), g.scalar(C)));
}
