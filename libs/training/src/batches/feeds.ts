import type { HostTensor, TensorMap } from '@attune/runtime';
import type { TokenBatch } from './token-batch.js';

/** ids, positions and segments [B, T]: what every model graph reads. */
export function tokenFeeds(batch: TokenBatch): Readonly<Record<'ids' | 'positions' | 'segments', HostTensor>> {
  const shape = [batch.rows, batch.length];
  return {
    ids: { dtype: 'int64', shape, data: batch.ids },
    positions: { dtype: 'int64', shape, data: batch.positions },
    segments: { dtype: 'int64', shape, data: batch.segments },
  };
}

/**
 * The positions that count, gathered: indices into the flat rows, labels and weights, each [R]. Only these go through
 * the output head. R is at least 1 (an empty batch sends one position of weight 0).
 */
export function weightedRowFeeds(batch: TokenBatch): TensorMap {
  const found: number[] = [];
  for (let i = 0; i < batch.weights.length; i++) if (batch.weights[i] !== 0) found.push(i);
  const at = found.length > 0 ? found : [0];
  return {
    rows: int64Vector(at),
    labels: { dtype: 'int64', shape: [at.length], data: BigInt64Array.from(at, (i) => batch.labels[i]!) },
    weights: float32Vector(at.map((i) => batch.weights[i]!)),
  };
}

export const int64Vector = (values: readonly number[]): HostTensor => ({
  dtype: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

export const float32Vector = (values: ArrayLike<number>): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
