import type { Graph, Tensor } from '@attune/graph';
import type { ModelConfig } from './config.js';
import { hiddenStates, type ModelInputs } from './llama.js';
import type { Weights } from './weights.js';
import { parameterShapes } from './parameters.js';

/** What an architecture must say about itself to be trained. */
export interface Architecture {
  readonly parameterShapes: (config: ModelConfig) => ReadonlyMap<string, readonly number[]>;
  readonly hiddenStates: (g: Graph, config: ModelConfig, weights: Weights, inputs: ModelInputs) => Tensor;
}

/** Every architecture, by the name config.json gives it. */
export const architectures: Readonly<Record<string, Architecture>> = {
  LlamaForCausalLM: { parameterShapes, hiddenStates },
};
