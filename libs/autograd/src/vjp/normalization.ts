import * as op from '@attune/graph';
import type { Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';
import { sumTo } from './sum-to.js';

/** y = w·x̂ with x̂ = x/rms(x): dx = (dy·w − x̂·mean(dy·w·x̂)) / rms, dw = Σ dy·x̂. Reuses the kernel's own 1/rms. */
export const rmsNorm: Vjp = ({ g, step, grads, needs }) => {
  const [x, weight] = step.inputs as [Tensor, Tensor];
  const inverseRms = step.outputs[1]!;
  const dy = grads[0]!;
  const normed = op.mul(g, x, inverseRms);
  return [needs(0) ? inputGradient() : null, needs(1) ? sumTo(g, op.mul(g, dy, normed), weight.shape) : null];

  function inputGradient(): Tensor {
    const scaled = op.mul(g, dy, weight);
    const along = op.reduceMean(g, op.mul(g, scaled, normed), { axes: [-1], keep: true });
    return op.mul(g, op.sub(g, scaled, op.mul(g, normed, along)), inverseRms);
  }
};

/** A rotation's transpose is the rotation by the opposite angle: the same kernel with −sin. */
export const rotary: Vjp = ({ g, step, grads }) => {
  const [, positions, cos, sin] = step.inputs as [Tensor, Tensor, Tensor, Tensor];
  const inputs = [grads[0]!, positions, cos, op.neg(g, sin)];
  return [g.emit('RotaryEmbedding', inputs, { domain: 'com.microsoft', attrs: step.attrs })[0]!];
};
