import type { RoundedColumns, RoundedMatrix, Tensor } from '@attune/graph';
import type { RoundedTable } from './serving/embedding.js';

/** A low-rank addition to one linear module: y += scale · (x Aᵀ) Bᵀ with A [rank, in] and B [out, rank]. */
export interface LowRank {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
}

/** An adapter layer on the output y of a block: y += up · SiLU(down · y) with down [size, hidden], up [hidden, size]. */
export interface Bottleneck {
  readonly down: Tensor;
  readonly up: Tensor;
}

/** Where the model takes its tensors from: the caller decides whether a name is an input, a constant or frozen. */
export interface Weights {
  readonly parameter: (name: string) => Tensor;
  /** Rows [N, …] of a matrix by an int64 index [N]; gathered out of the parameter where left out. */
  readonly rows?: (name: string, index: Tensor) => Tensor;
  /** A layer's matrix in 8 bits, by its parameter's name, to multiply by in place of the parameter; or null. */
  readonly rounded?: (name: string) => RoundedMatrix | null;
  /** The output embedding in 8 bits, to multiply by where labels are scored; its derivative is the parameter's. Or null. */
  readonly roundedHead?: () => RoundedColumns | null;
  /** The token embeddings in 8 bits, to look up in place of the parameter; or null. */
  readonly roundedEmbedding?: () => RoundedTable | null;
  /** The adapter of a linear module ("model.layers.0.self_attn.q_proj"), or null. */
  readonly adapter?: (module: string) => LowRank | null;
  /** The adapter layer after a block ("model.layers.0.self_attn" or "….mlp"), or null. */
  readonly bottleneck?: (block: string) => Bottleneck | null;
}
