export { adapterInputs, type AdapterInputs, type LowRankAdapter } from './adapter.js';
export { servingGraph, type ServingGraphOptions } from './graph.js';
export { servingLayout, type ServingLayout } from './layout.js';
export { quantizeRows, QUANT_BLOCK } from './quantize.js';
export {
  type ParameterReader,
  type ServingOptions,
  type ServingTensor,
  type ServingWeights,
  servingWeights,
  type WeightFormat,
} from './weights.js';
