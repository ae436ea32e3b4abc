import { Graph, segmentMask } from '@attune/graph';
import { architectures } from './architectures.js';
import type { ModelConfig } from './config.js';

/**
 * A decoder as an embedding model: the mean of the final hidden states of a text's tokens. The graph is the training
 * one, weights as initializers under their Hugging Face names.
 *
 * Inputs: `ids`, `positions` and `segments`, int64 [B, T] (segments all the same). Output: `states` float32 [B·T, hidden].
 */
export function embeddingGraph(config: ModelConfig): Graph {
  const g = new Graph('embedding');
  const { parameterShapes, hiddenStates } = architectures[config.architecture]!;
  const shapes = parameterShapes(config);
  const parameters = new Map<string, ReturnType<Graph['initializer']>>();
  const parameter = (name: string) => {
    const known = parameters.get(name) ?? g.initializer(name, 'float32', shapes.get(name)!);
    parameters.set(name, known);
    return known;
  };
  const [ids, positions, segments] = ['ids', 'positions', 'segments'].map((name) => g.input(name, 'int64', ['B', 'T']));
  const mask = segmentMask(g, segments!, positions!);
  g.output('states', hiddenStates(g, config, { parameter }, { ids: ids!, positions: positions!, mask }));
  return g;
}
