import {
  EMBEDDING,
  headName,
  type ModelConfig,
  ROUNDED_EMBEDDING,
  roundColumns,
  roundedNames,
  roundedRows,
  roundedShapes,
  roundEmbedding,
} from '@attune/models';
import type { HostTensor } from '@attune/runtime';
import type { FrozenSet, ParameterSet } from './parameters.js';

/** How the weights under an adapter are multiplied by. */
export type BaseWeights = 'fp32' | 'int8';

/**
 * The weights under an adapter with their matrices rounded to 8 bits, exactly as int8 serving rounds them: training then
 * sees the model that is served, and its products take a fraction of the time (the idea of QLoRA, Dettmers et al. 2023,
 * https://arxiv.org/abs/2305.14314, with integers in place of NF4). Gradients pass straight through the rounding.
 * Norms and biases stay as they are, and in place. Takes 2 bytes a weight of the layers, 1 of the head and of the
 * embeddings.
 */
export function roundBase(config: ModelConfig, base: ParameterSet): FrozenSet {
  const frozen = new Map<string, HostTensor>(base);
  const head = headName(config);
  for (const [name, shape] of roundedShapes(config)) {
    const { scales, columns } = roundColumns(base.get(name)!.data, shape);
    const [out, inner] = shape;
    const names = roundedNames(name);
    frozen.set(names.scales, { dtype: 'float32', shape: [out], data: scales });
    frozen.set(names.columns, { dtype: 'int8', shape: [inner, out], data: columns });
    if (name === head) continue;
    frozen.set(names.rows, { dtype: 'int8', shape, data: roundedRows(columns, shape) });
    frozen.delete(name);
  }
  const embedding = embeddingOf(config, base);
  if (embedding.length > 0) frozen.delete(EMBEDDING);
  for (const [name, tensor] of embedding) frozen.set(name, tensor);
  // The head's derivative is that of its own rows.
  return frozen.set(head, base.get(head)!);
}

function embeddingOf(config: ModelConfig, base: ParameterSet): [string, HostTensor][] {
  const rounded = roundEmbedding(config, base.get(EMBEDDING)!.data);
  if (!rounded) return [];
  const { values, scales, numBlocks } = rounded;
  return [
    [ROUNDED_EMBEDDING.values, { dtype: 'uint8', shape: [config.vocabSize, config.hiddenSize], data: values }],
    [ROUNDED_EMBEDDING.scales, { dtype: 'float32', shape: [config.vocabSize, numBlocks], data: scales }],
  ];
}
