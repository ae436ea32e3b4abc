import type { Graph, Tensor } from '@attune/graph';
import type { AdapterInputs, AdapterSite } from './adapter.js';
import type { LinearFormat } from './formats.js';
import { emitLinear } from './linear.js';
import { linearTensors, type ServingWeights } from './weights.js';

/**
 * A low-rank adapter as weights of the graph rather than as inputs, packed once for the kernels instead of at every run.
 * Beside 4-bit weights it is kept in 8 bits: rows are few there, and what costs is reading it. Beside dq8r it stays as it
 * is, for rounding its activations would take more operations than its products do.
 */
const formatOf = (format: LinearFormat): LinearFormat => (format === 'int4' ? 'int8' : 'fp32');

/** x·down·up by the weights of `weldedWeights`. */
export function emitWelded(g: Graph, format: LinearFormat, site: AdapterSite, width: number, x: Tensor): Tensor {
  const { down, up } = factorsOf(site, width);
  return emitLinear(g, formatOf(format), up, emitLinear(g, formatOf(format), down, x));
}

/** The weights of one site's adapter in one format; none where it changes nothing. */
export function weldedWeights(format: LinearFormat, site: AdapterSite, inputs: AdapterInputs): ServingWeights {
  const [a, b] = [inputs[`${site.name}.down`]!, inputs[`${site.name}.up`]!];
  const width = b.shape[0]!;
  if (width === 0) return {};
  const { down, up } = factorsOf(site, width);
  return {
    ...linearTensors(formatOf(format), down, a.data),
    ...linearTensors(formatOf(format), up, b.data),
  };
}

const factorsOf = ({ name, inSize, outSize }: AdapterSite, width: number) => ({
  down: { name: `${name}.down`, inSize, outSize: width, hasBias: false },
  up: { name: `${name}.up`, inSize: width, outSize, hasBias: false },
});
