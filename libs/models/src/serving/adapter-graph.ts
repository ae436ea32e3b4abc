import { add, type Graph, matmul, mul, silu, type Tensor } from '@attune/graph';
import type { AdapterSite, LayerAdapterKind } from './adapter.js';
import { emitWelded } from './adapter-welded.js';
import type { LinearFormat } from './formats.js';

/** Which adapters a serving graph takes as inputs (see `adapterInputs`). */
export interface AdapterGraph {
  readonly kinds: readonly LayerAdapterKind[];
  /**
   * Whether each row of the batch may have another adapter: the inputs then are those of a bank (see `AdapterBank`), and
   * `<site>.gate` float32 [B, 1, width] is 1 for what belongs to the row's own adapter and 0 for all else.
   */
  readonly gated: boolean;
  /** One LoRA adapter as part of the weights, rounded as they are, in place of inputs: its width by site. */
  readonly welded?: ReadonlyMap<string, number>;
}

export const NO_ADAPTERS: AdapterGraph = { kinds: [], gated: false };

/**
 * y + x·down·up, a linear layer's low-rank update; y itself when the graph takes none.
 * @param format of the graph's weights
 */
export function emitLowRank(
  g: Graph,
  adapters: AdapterGraph,
  format: LinearFormat,
  site: AdapterSite,
  x: Tensor,
  y: Tensor,
): Tensor {
  const welded = adapters.welded?.get(site.name);
  if (welded) return add(g, y, emitWelded(g, format, site, welded, x));
  return adapters.kinds.includes('lora') ? add(g, y, narrowed(g, adapters, site, x, (narrow) => narrow)) : y;
}

/** y + SiLU(y·down)·up, an adapter layer behind a block; y itself when the graph takes none. */
export function emitBottleneck(g: Graph, adapters: AdapterGraph, name: string, hiddenSize: number, y: Tensor): Tensor {
  if (!adapters.kinds.includes('bottleneck')) return y;
  const site = { name, inSize: hiddenSize, outSize: hiddenSize };
  return add(g, y, narrowed(g, adapters, site, y, (narrow) => silu(g, narrow)));
}

function narrowed(
  g: Graph,
  { gated }: AdapterGraph,
  { name, inSize, outSize }: AdapterSite,
  x: Tensor,
  bend: (narrow: Tensor) => Tensor,
): Tensor {
  const width = `width ${name}`;
  const down = g.input(`${name}.down`, 'float32', gated ? [width, inSize] : [inSize, width]);
  const up = g.input(`${name}.up`, 'float32', [width, outSize]);
  const narrow = bend(matmul(g, x, down, { transB: gated }));
  return matmul(g, gated ? mul(g, narrow, g.input(`${name}.gate`, 'float32', ['B', 1, width])) : narrow, up);
}
