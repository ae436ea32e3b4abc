export { deviceGraph, type DeviceGraphOptions } from './device-graph.js';
export {
  adapterInputs,
  type AdapterInputs,
  type AdapterSite,
  adapterSites,
  type BottleneckAdapter,
  type LayerAdapter,
  type LayerAdapterKind,
  type LowRankAdapter,
  type Room,
} from './adapter.js';
export { AdapterBank, type BankedSite, fillGate } from './adapter-bank.js';
export { type AdapterGraph, NO_ADAPTERS } from './adapter-graph.js';
export { mergeGraph } from './adapter-merge.js';
export { weldedWeights } from './adapter-welded.js';
export { servingGraph, type ServingGraphOptions } from './graph.js';
export { servingLayout, type ServingLayout } from './layout.js';
export type { EmbeddingFormat } from './embedding.js';
export {
  blockSizeFor,
  type KvFormat,
  type LinearFormat,
  linearFormatFor,
  linearFormatsOf,
  type WeightFormat,
} from './formats.js';
export { quantizeColumns, quantizeRows } from './quantize.js';
export { type Int4Rounding, quantizeInt4 } from './quantize-int4.js';
export {
  type ParameterReader,
  type ServingOptions,
  type ServingTensor,
  type ServingWeights,
  servingWeights,
} from './weights.js';
