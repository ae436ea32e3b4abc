import * as op from '@attune/graph';
import { int, intAttribute, intsAttribute, position, type Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';
import { sumTo } from './sum-to.js';

export const reshape: Vjp = ({ g, step, grads }) => [op.reshape(g, grads[0]!, step.inputs[0]!.shape)];

export const transpose: Vjp = ({ g, step, grads }) => {
  const perm = intsAttribute(step.attrs, 'perm', []);
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return [op.transpose(g, grads[0]!, inverse)];
};

export const expand: Vjp = ({ g, step, grads }) => [sumTo(g, grads[0]!, step.inputs[0]!.shape)];

/** Slice along one axis (starts, ends and axes of length 1, as ops/shape.ts emits it): pad the rest with zeros. */
export const slice: Vjp = ({ g, step, grads }) => {
  const [x, start, end, axes] = step.inputs as [Tensor, Tensor, Tensor, Tensor];
  const axis = step.outputs[0]!.shape.findIndex((dim, i) => dim !== x.shape[i]);
  if (axis < 0) return [grads[0]!];
  const after = op.sub(g, g.size(x.shape[axis]!), end);
  const pads = op.concat(g, [start, after], 0);
  const outputs = [{ dtype: x.dtype, shape: x.shape }];
  return [g.emit('Pad', [grads[0]!, pads, null, axes], { outputs })[0]!];
};

export const concat: Vjp = ({ g, step, grads, needs }) => {
  const inputs = step.inputs as readonly Tensor[];
  const axis = position(intAttribute(step.attrs, 'axis', 0), inputs[0]!.shape.length);
  const sizes = op.concat(
    g,
    inputs.map((input) => g.size(input.shape[axis]!)),
    0,
  );
  const parts = g.emit('Split', [grads[0]!, sizes], { attrs: { axis: op.int(axis) }, outputs: inputs });
  return parts.map((part, i) => (needs(i) ? part : null));
};

/** The parts' gradients side by side again; a part that the loss does not depend on has zeros. */
export const split: Vjp = ({ g, step, grads }) => {
  const x = step.inputs[0]!;
  const parts = grads.map((grad, i) => grad ?? op.zeros(g, step.outputs[i]!.shape));
  const axis = intAttribute(step.attrs, 'axis', 0);
  const outputs = [{ dtype: x.dtype, shape: x.shape }];
  return [g.emit('Concat', parts, { attrs: { axis: int(axis) }, outputs })[0]!];
};
