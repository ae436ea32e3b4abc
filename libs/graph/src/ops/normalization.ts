import type { Graph } from '../graph.js';
import { float, int, type Tensor } from '../types.js';

/** x / rms(x) · weight over the last axis (Zhang & Sennrich 2019, eq. 4); also gives 1/rms for the derivative. */
export function rmsNorm(g: Graph, x: Tensor, weight: Tensor, epsilon: number): { y: Tensor; inverseRms: Tensor } {
  const attrs = { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) };
  const [y, inverseRms] = g.emit('SimplifiedLayerNormalization', [x, weight], { attrs });
  return { y: y!, inverseRms: inverseRms! };
}

/**
 * Rotary position embedding (Su et al. 2021) in the half-split layout of Llama.
 * x [B, T, heads · headDim], positions int64 [B, T], cos and sin [maxPositions, headDim / 2].
 */
export function rotary(g: Graph, x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor, numHeads: number): Tensor {
  const attrs = { interleaved: int(0), num_heads: int(numHeads) };
  return g.emit('RotaryEmbedding', [x, positions, cos, sin], { domain: 'com.microsoft', attrs })[0]!;
}
