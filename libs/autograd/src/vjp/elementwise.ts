import * as op from '@attune/graph';
import { floatAttribute, type Graph, type Tensor } from '@attune/graph';
import type { Vjp, VjpContext } from '../step.js';
import { sumTo } from './sum-to.js';

/** Rows of functions of one tensor: dx from dy, x and y. */
const unary =
  (derivative: (g: Graph, dy: Tensor, x: Tensor, y: Tensor, context: VjpContext) => Tensor): Vjp =>
  (context) => [derivative(context.g, context.grads[0]!, context.step.inputs[0]!, context.step.outputs[0]!, context)];

export const neg = unary((g, dy) => op.neg(g, dy));
export const exp = unary((g, dy, _x, y) => op.mul(g, dy, y));
export const log = unary((g, dy, x) => op.div(g, dy, x));
export const sqrt = unary((g, dy, _x, y) => op.div(g, op.scale(g, dy, 0.5), y));
export const reciprocal = unary((g, dy, _x, y) => op.neg(g, op.mul(g, dy, op.mul(g, y, y))));
export const sigmoid = unary((g, dy, _x, y) => op.mul(g, dy, op.mul(g, y, oneMinus(g, y))));
export const tanh = unary((g, dy, _x, y) => op.mul(g, dy, oneMinus(g, op.mul(g, y, y))));
export const softplus = unary((g, dy, x) => op.mul(g, dy, op.sigmoid(g, x)));
export const abs = unary((g, dy, x) => op.where(g, op.greaterOrEqual(g, x, g.scalar(0)), dy, op.neg(g, dy)));
export const identity = unary((_g, dy) => dy);
export const cast = unary((g, dy, x) => op.cast(g, dy, x.dtype));

/** y = x·σ(αx): y' = σ + αy(1 − σ), which needs the output but no second product with x. */
export const quickGelu = unary((g, dy, x, y, { step }) => {
  const alpha = floatAttribute(step.attrs, 'alpha', 1.702);
  const gate = op.sigmoid(g, op.scale(g, x, alpha));
  const slope = op.add(g, gate, op.scale(g, op.mul(g, y, oneMinus(g, gate)), alpha));
  return op.mul(g, dy, slope);
});

/** Rows of functions of two broadcast tensors: unreduced da and db, made only when wanted. */
const binary =
  (
    da: (g: Graph, dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor,
    db: (g: Graph, dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor,
  ): Vjp =>
  ({ g, step, grads, needs }) => {
    const [a, b] = step.inputs as [Tensor, Tensor];
    const [dy, y] = [grads[0]!, step.outputs[0]!];
    return [
      needs(0) ? sumTo(g, da(g, dy, a, b, y), a.shape) : null,
      needs(1) ? sumTo(g, db(g, dy, a, b, y), b.shape) : null,
    ];
  };

export const add = binary(
  (_g, dy) => dy,
  (_g, dy) => dy,
);
export const sub = binary(
  (_g, dy) => dy,
  (g, dy) => op.neg(g, dy),
);
export const mul = binary(
  (g, dy, _a, b) => op.mul(g, dy, b),
  (g, dy, a) => op.mul(g, dy, a),
);
export const div = binary(
  (g, dy, _a, b) => op.div(g, dy, b),
  (g, dy, _a, b, y) => op.neg(g, op.mul(g, op.div(g, dy, b), y)),
);
/** aᵇ: d/da = b·aᵇ⁻¹, d/db = y·ln a (a > 0). */
export const pow = binary(
  (g, dy, a, b) => op.mul(g, dy, op.mul(g, b, op.pow(g, a, op.sub(g, b, g.scalar(1))))),
  (g, dy, a, _b, y) => op.mul(g, dy, op.mul(g, y, op.log(g, a))),
);
/** Ties go to the first argument, as in PyTorch's clamp at the bound. */
export const max = binary(
  (g, dy, a, b) => op.where(g, op.greaterOrEqual(g, a, b), dy, g.scalar(0)),
  (g, dy, a, b) => op.where(g, op.greaterOrEqual(g, a, b), g.scalar(0), dy),
);
export const min = binary(
  (g, dy, a, b) => op.where(g, op.greaterOrEqual(g, b, a), dy, g.scalar(0)),
  (g, dy, a, b) => op.where(g, op.greaterOrEqual(g, b, a), g.scalar(0), dy),
);

export const where: Vjp = ({ g, step, grads, needs }) => {
  const [condition, a, b] = step.inputs as [Tensor, Tensor, Tensor];
  const dy = grads[0]!;
  return [
    null,
    needs(1) ? sumTo(g, op.where(g, condition, dy, g.scalar(0)), a.shape) : null,
    needs(2) ? sumTo(g, op.where(g, condition, g.scalar(0), dy), b.shape) : null,
  ];
};

const oneMinus = (g: Graph, x: Tensor): Tensor => op.sub(g, g.scalar(1), x);
