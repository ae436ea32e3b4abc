import * as op from '@attune/graph';
import { floatAttribute, intAttribute, type Tensor } from '@attune/graph';
import type { Contribution, Vjp } from '../step.js';
import { sumTo } from './sum-to.js';

/** MatMul, FusedMatMul and Gemm alike: y = α·op(a)·op(b) [+ c]. Rank-2 gradients accumulate through Gemm's C. */
export const matmul: Vjp = ({ g, step, grads, needs }) => {
  const [a, b, c] = step.inputs as [Tensor, Tensor, Tensor | undefined];
  const dy = grads[0]!;
  const transA = intAttribute(step.attrs, 'transA', 0) === 1;
  const transB = intAttribute(step.attrs, 'transB', 0) === 1;
  const alpha = floatAttribute(step.attrs, 'alpha', 1);
  const da = (plus: Tensor | null) =>
    transA
      ? op.matmul(g, b, dy, { transA: transB, transB: true, alpha, plus })
      : op.matmul(g, dy, b, { transB: !transB, alpha, plus });
  const db = (plus: Tensor | null) =>
    transB
      ? op.matmul(g, dy, a, { transA: true, transB: transA, alpha, plus })
      : op.matmul(g, a, dy, { transA: !transA, alpha, plus });
  const flat = a.shape.length === 2 && b.shape.length === 2;
  const contribution = (make: (plus: Tensor | null) => Tensor, x: Tensor): Contribution =>
    flat ? make : sumTo(g, make(null), x.shape);
  return [
    needs(0) ? contribution(da, a) : null,
    needs(1) ? contribution(db, b) : null,
    c && needs(2) ? sumTo(g, dy, c.shape) : null,
  ];
};

/** dy · W with the rounded weights that the forward pass saw; rounding itself counts as standing still. */
export const roundedLinear: Vjp = ({ g, step, grads }) => [
  op.finelyRoundedProduct(g, grads[0]!, step.saved as { rows: Tensor; scales: Tensor }),
];
