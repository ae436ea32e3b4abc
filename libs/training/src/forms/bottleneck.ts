import { adaptableBlocks, type ModelConfig } from '@attune/models';
import type { Random } from '@attune/platform';
import { type Parameter, parameter, type ParameterSet } from '../step/parameters.js';

/**
 * Fresh adapter layers (Houlsby et al. 2019, section 2.1) after every attention and MLP block: down [size, hidden]
 * uniform in ±1/√hidden, up [hidden, size] zero. The paper draws both near zero; zero on one side keeps the model
 * unchanged to the bit, so that a reference with the layers off is the policy at step 0.
 */
export function initialBottlenecks(config: ModelConfig, size: number, random: Random): ParameterSet {
  const made = new Map<string, Parameter>();
  const bound = 1 / Math.sqrt(config.hiddenSize);
  for (let layer = 0; layer < config.numLayers; layer++)
    for (const block of adaptableBlocks(layer)) {
      const down = parameter([size, config.hiddenSize]);
      for (let i = 0; i < down.data.length; i++) down.data[i] = (2 * random.next() - 1) * bound;
      made.set(bottleneckName(block, 'down'), down);
      made.set(bottleneckName(block, 'up'), parameter([config.hiddenSize, size]));
    }
  return made;
}

/** The name of one side of the adapter layer after a block such as `model.layers.0.mlp`. */
export const bottleneckName = (block: string, side: 'down' | 'up'): string =>
  `base_model.model.${block}.adapter_${side}.weight`;
