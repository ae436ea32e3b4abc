import { gather, type Graph, int, type Tensor } from '@attune/graph';
import type { ModelConfig } from '../config.js';
import { EMBEDDING } from '../parameters.js';
import { quantizeRows } from './quantize.js';
import type { ParameterReader, ServingOptions, ServingWeights } from './weights.js';

/** How token embeddings are kept: in 8 bits they take a quarter of what is the largest matrix of a small model. */
export type EmbeddingFormat = 'fp32' | 'int8';

const BLOCKS = [128, 64, 32, 16] as const;

/** A table of rows in 8 bits: uint8 [rows, width] around 128, a float32 scale [rows, blocks] for every block of a row. */
export interface RoundedTable {
  readonly values: Tensor;
  readonly scales: Tensor;
}

/** Weights per scale: the kernel wants rows of whole blocks. Null where none fits and embeddings stay fp32. */
export const embeddingBlock = ({ hiddenSize }: ModelConfig): number | null =>
  BLOCKS.find((block) => hiddenSize % block === 0) ?? null;

const blockOf = (config: ModelConfig, { embedding = 'fp32' }: ServingOptions): number | null =>
  embedding === 'fp32' ? null : embeddingBlock(config);

/** The embeddings [B, S, hidden] of token ids [B, S]. */
export function emitEmbedding(g: Graph, config: ModelConfig, options: ServingOptions, ids: Tensor): Tensor {
  const { vocabSize, hiddenSize } = config;
  const block = blockOf(config, options);
  if (block === null) return gather(g, embeddingTable(g, config), ids);
  const values = g.initializer('embedding.int8', 'uint8', [vocabSize, hiddenSize]);
  const scales = g.initializer('embedding.int8.scales', 'float32', [vocabSize, hiddenSize / block]);
  return gatherRounded(g, { values, scales }, ids);
}

/** Rows [..., hidden] by their numbers out of a table in 8 bits. */
export function gatherRounded(g: Graph, { values, scales }: RoundedTable, ids: Tensor): Tensor {
  const [width, numBlocks] = [values.shape[1] as number, scales.shape[1] as number];
  return g.emit('GatherBlockQuantized', [values, ids, scales], {
    domain: 'com.microsoft',
    attrs: { gather_axis: int(0), quantize_axis: int(1), block_size: int(width / numBlocks), bits: int(8) },
    outputs: [{ dtype: 'float32', shape: [...ids.shape, width] }],
  })[0]!;
}

/** The embeddings in fp32 [V, hidden], which a tied head multiplies by. */
export function embeddingTable(g: Graph, { vocabSize, hiddenSize }: ModelConfig): Tensor {
  const known = g.initializers.get('embedding');
  if (known) return known;
  return g.initializer('embedding', 'float32', [vocabSize, hiddenSize]);
}

/** The initializers of `emitEmbedding`. */
export function embeddingWeights(config: ModelConfig, read: ParameterReader, options: ServingOptions): ServingWeights {
  const { vocabSize, hiddenSize } = config;
  const block = blockOf(config, options);
  const table = read(EMBEDDING);
  if (block === null) return { embedding: { dtype: 'float32', shape: [vocabSize, hiddenSize], data: table } };
  const { values, scales, numBlocks } = quantizeRows(table, vocabSize, hiddenSize, block);
  return {
    'embedding.int8': { dtype: 'uint8', shape: [vocabSize, hiddenSize], data: values },
    'embedding.int8.scales': { dtype: 'float32', shape: [vocabSize, numBlocks], data: scales },
  };
}
