import { add, div, Graph, int, mul, sqrt, sub, type Tensor } from '@attune/graph';
import type { AdamWOptions } from '../optimizers/adamw.js';
import type { ParameterSet } from '../step/parameters.js';

/** Names of the inputs (and, in place, outputs) that stand for one parameter. */
export const nameOf = (role: 'value' | 'gradient' | 'first' | 'second' | 'part', parameter: string): string =>
  `${role} ${parameter}`;
export const updated = (name: string): string => `${name}, updated`;

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2) over all parameters, the formula of optimizers/adamw.ts. Inputs: for
 * each parameter its value, gradient and moments; rank-0 `gradientScale`, `rate` = lr / (1 − β₁ᵗ), `rootCorrection` =
 * 1 / √(1 − β₂ᵗ) and `decay` = lr · weight decay, the share that matrices lose; `rate` and `decay` are multiplied by the
 * parameter's rate scale. Outputs: new values and moments, each of which depends on nothing that is written before it, so
 * that all may be written in place.
 */
export function adamWGraph(parameters: ParameterSet, options: AdamWOptions): Graph {
  const g = new Graph('adamw');
  const [gradientScale, rate, rootCorrection, decay] = ['gradientScale', 'rate', 'rootCorrection', 'decay'].map(
    (name) => g.input(name, 'float32', []),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const scaled = (x: Tensor, by: number) => (by === 1 ? x : mul(g, x, g.scalar(by)));
  const blend = (old: Tensor, fresh: Tensor, beta: number) =>
    add(g, mul(g, old, g.scalar(beta)), mul(g, fresh, g.scalar(1 - beta)));
  for (const [name, { shape }] of parameters) {
    const input = (role: 'value' | 'gradient' | 'first' | 'second') => g.input(nameOf(role, name), 'float32', shape);
    const gradient = mul(g, input('gradient'), gradientScale);
    const first = blend(input('first'), gradient, options.beta1);
    const second = blend(input('second'), mul(g, gradient, gradient), options.beta2);
    const root = add(g, mul(g, sqrt(g, second), rootCorrection), g.scalar(options.epsilon));
    const value = input('value');
    const rateScale = options.rateScales.get(name) ?? 1;
    const isDecayed = shape.length >= 2 && options.weightDecay > 0;
    const kept = isDecayed ? mul(g, value, sub(g, g.scalar(1), scaled(decay, rateScale))) : value;
    g.output(updated(nameOf('first', name)), first);
    g.output(updated(nameOf('second', name)), second);
    g.output(updated(nameOf('value', name)), sub(g, kept, div(g, mul(g, first, scaled(rate, rateScale)), root)));
  }
  return g;
}

/** `sumOfSquares`, rank 0, of all gradients together. */
export function squareSumGraph(parameters: ParameterSet): Graph {
  const g = new Graph('sum of squares');
  const sums = [...parameters].map(([name, { shape }]) => {
    const gradient = g.input(nameOf('gradient', name), 'float32', shape);
    const outputs = [{ dtype: 'float32' as const, shape: [] }];
    return g.emit('ReduceSumSquare', [gradient], { attrs: { keepdims: int(0) }, outputs })[0]!;
  });
  g.output(
    'sumOfSquares',
    sums.reduce((all, sum) => add(g, all, sum)),
  );
  return g;
}

/** Adds a micro-batch's gradients (`part`) to those so far, in place. */
export function accumulateGraph(parameters: ParameterSet): Graph {
  const g = new Graph('accumulate');
  for (const [name, { shape }] of parameters) {
    const [total, part] = [nameOf('gradient', name), nameOf('part', name)];
    g.output(updated(total), add(g, g.input(total, 'float32', shape), g.input(part, 'float32', shape)));
  }
  return g;
}
