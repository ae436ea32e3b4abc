import {
  cast,
  div,
  equal,
  exp,
  gatherElements,
  type Graph,
  greater,
  int,
  log,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  sub,
  type Tensor,
  where,
} from '@attune/graph';

/**
 * Draws a token of each row of logits [M, V] where they are. Inputs `temperature` [M, 1], 0 = the likeliest, and `uniform`
 * [M, 1]: the first token is taken at which the cumulative probability passes it, as the engine's sampler does.
 * @returns `token` int64 [M] and `logProb` float32 [M], its log-probability at temperature 1
 */
export function emitDraw(g: Graph, logits: Tensor): { token: Tensor; logProb: Tensor } {
  const temperature = g.input('temperature', 'float32', ['M', 1]);
  const uniform = g.input('uniform', 'float32', ['M', 1]);
  const isGreedy = equal(g, temperature, g.scalar(0));
  const shifted = sub(g, logits, reduceMax(g, logits, { axes: [-1], keep: true }));
  const weights = exp(g, div(g, shifted, where(g, isGreedy, g.scalar(1), temperature)));
  const passed = g.emit('CumSum', [weights, g.constant('int64', [], BigInt64Array.of(1n))])[0]!;
  // Of what the sums themselves came to, so that rounding leaves no sliver beyond the last token.
  const bar = mul(g, uniform, reduceMax(g, passed, { axes: [-1], keep: true }));
  const sampled = firstLargest(g, cast(g, greater(g, passed, bar), 'float32'));
  const token = where(g, isGreedy, firstLargest(g, shifted), sampled);
  const total = log(g, reduceSum(g, exp(g, shifted), { axes: [-1], keep: true }));
  const logProb = sub(g, gatherElements(g, shifted, token, 1), total);
  return { token: reshape(g, token, ['M']), logProb: reshape(g, logProb, ['M']) };
}

/** [M, V] -> int64 [M, 1] */
function firstLargest(g: Graph, x: Tensor): Tensor {
  const attrs = { axis: int(-1), keepdims: int(1) };
  return g.emit('ArgMax', [x], { attrs, outputs: [{ dtype: 'int64', shape: ['M', 1] }] })[0]!;
}
