import * as op from '@attune/graph';
import type { Tensor } from '@attune/graph';
import type { Vjp } from '../step.js';

/**
 * y = w·x̂ with x̂ = x/rms: dx = dy·w/rms − x·mean(dy·w·x)/rms³, dw = Σ dy·x/rms. Reuses the kernel's own 1/rms; x̂ itself
 * is never made, and where w is trained its products with x serve both sums.
 */
export const rmsNorm: Vjp = ({ g, step, grads, needs }) => {
  const [x, weight] = step.inputs as [Tensor, Tensor];
  const inverseRms = op.reshape(g, step.outputs[1]!, [-1, 1]);
  const size = x.shape.at(-1) as number;
  const rows = (tensor: Tensor) => op.reshape(g, tensor, [-1, size]);
  const dy = rows(grads[0]!);
  const scaled = op.mul(g, dy, weight);
  const products = needs(1) ? op.mul(g, dy, rows(x)) : null;
  return [
    needs(0) ? op.reshape(g, inputGradient(), x.shape) : null,
    products ? op.reshape(g, op.matmul(g, inverseRms, products, { transA: true }), weight.shape) : null,
  ];

  function inputGradient(): Tensor {
    const cubed = op.mul(g, inverseRms, op.mul(g, inverseRms, inverseRms));
    const along = op.mul(g, meanProduct(), cubed);
    return op.sub(g, op.mul(g, scaled, inverseRms), op.mul(g, rows(x), along));
  }

  /** mean(dy·w·x) of each row, [rows, 1]. */
  function meanProduct(): Tensor {
    if (!products) return op.reduceMean(g, op.mul(g, scaled, rows(x)), { axes: [-1], keep: true });
    return op.matmul(g, products, op.reshape(g, weight, [size, 1]), { alpha: 1 / size });
  }
};

/** A rotation's transpose is the rotation by the opposite angle: the same kernel with −sin. */
export const rotary: Vjp = ({ g, step, grads }) => {
  const [, positions, cos, sin] = step.inputs as [Tensor, Tensor, Tensor, Tensor];
  const inputs = [grads[0]!, positions, cos, op.neg(g, sin)];
  return [g.emit('RotaryEmbedding', inputs, { domain: 'com.microsoft', attrs: step.attrs })[0]!];
};
