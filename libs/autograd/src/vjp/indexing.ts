import * as op from '@attune/graph';
import { intAttribute, position, product, type Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';

/** Rows of a matrix: each picked row's gradient is added back where it came from, onto what is already there. */
export const gather: Vjp = ({ g, step, grads }) => {
  const [table, index] = step.inputs as [Tensor, Tensor];
  const axis = intAttribute(step.attrs, 'axis', 0);
  if (axis !== 0 || table.shape.length > 2)
    throw new Error(`the gradient of Gather needs axis 0 of a vector or matrix, not axis ${axis}`);
  const picked = product(index.shape);
  const rest = table.shape.slice(1);
  const updates = op.reshape(g, grads[0]!, [picked, ...rest]);
  const rows = op.reshape(g, index, [picked, ...rest.map(() => 1)]);
  return [
    (sum) => {
      const spread = op.expand(g, rows, [picked, ...rest]);
      return op.scatterAdd(g, sum ?? op.zeros(g, table.shape), spread, updates, 0);
    },
  ];
};

export const gatherElements: Vjp = ({ g, step, grads }) => {
  const [x, index] = step.inputs as [Tensor, Tensor];
  const axis = position(intAttribute(step.attrs, 'axis', 0), x.shape.length);
  return [(sum) => op.scatterAdd(g, sum ?? op.zeros(g, x.shape), index, grads[0]!, axis)];
};

/** Added updates: what was there keeps its gradient, each update takes the gradient of where it went. */
export const scatterAdd: Vjp = ({ g, step, grads, needs }) => {
  const index = step.inputs[1]!;
  const axis = position(intAttribute(step.attrs, 'axis', 0), step.inputs[0]!.shape.length);
  if (step.attrs['reduction']?.value !== 'add')
    throw new Error('ScatterElements is differentiable with reduction=add only');
  return [needs(0) ? grads[0]! : null, null, needs(2) ? op.gatherElements(g, grads[0]!, index, axis) : null];
};
