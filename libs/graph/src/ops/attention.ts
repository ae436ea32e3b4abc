import { product } from '../dims.js';
import type { Graph } from '../graph.js';
import type { Dim, Tensor } from '../types.js';
import { and, equal, or, where } from './elementwise.js';
import { matmul } from './matmul.js';
import { equalParts } from './parts.js';
import { softmax } from './reduce.js';
import { concat, concatTo, firstAlong, reshape, split } from './shape.js';

/** What a masked score gets added: large enough to vanish in a softmax, finite so that nothing becomes NaN. */
export const MASKED = -1e9;

/** Consecutive queries, and the mask over the keys up to the last of them: all that any of them can see. */
export interface AttentionPart {
  /** How many queries. */
  readonly size: Dim;
  /** How many keys. */
  readonly keys: Dim;
  /** Additive, [B or 1, 1, group · size, keys]. */
  readonly mask: Tensor;
}

export interface AttentionPlan {
  /** int64 [parts]: the parts' sizes. */
  readonly sizes: Tensor | null;
  readonly parts: readonly AttentionPart[];
}

/**
 * Cuts an additive mask [B or 1, 1, T, T], in which no query sees a later key, for attention in `numParts` parts of
 * nearly equal size. Of two triangles of scores the masked one is then mostly left out: 4 parts compute 5/8 of all
 * scores. `group` queries share a key.
 */
export function attentionPlan(g: Graph, mask: Tensor, group: number, numParts = 1): AttentionPlan {
  const time = mask.shape[2]!;
  // Grouped queries share the time axis, so the mask repeats along it, once for all layers.
  const grouped = (part: Tensor) => concat(g, Array<Tensor>(group).fill(part), 2);
  if (numParts === 1) return { sizes: null, parts: [{ size: time, keys: time, mask: grouped(mask) }] };
  const { sizes, dims, ends } = equalParts(g, time, numParts);
  const parts = split(g, mask, 2, sizes, dims).map((rows, i) => {
    return { size: dims[i]!, keys: ends[i]!, mask: grouped(firstAlong(g, rows, 3, ends[i]!)) };
  });
  return { sizes, parts };
}

/**
 * softmax(scale · q kᵀ + mask) v: q [B, heads, T, headDim], k and v [B, kvHeads, T, headDim], result like q. Queries
 * that share a key ride on the time axis of the products, so keys and values are never repeated.
 */
export function attention(g: Graph, q: Tensor, k: Tensor, v: Tensor, plan: AttentionPlan, scale: number): Tensor {
  const dims = plan.parts.map(({ size }) => size);
  const build = () => {
    const saved: Record<string, Tensor> = plan.sizes ? { sizes: plan.sizes } : {};
    const queries = plan.sizes ? split(g, q, 2, plan.sizes, dims) : [q];
    const outputs = queries.map((query, i) => {
      const { keys, mask } = plan.parts[i]!;
      const scores = matmul(g, byKey(g, query, k), firstAlong(g, k, 2, keys), { transB: true, alpha: scale });
      const masked = g.emit('Add', [scores, mask], { outputs: [{ dtype: scores.dtype, shape: scores.shape }] })[0]!;
      const probabilities = softmax(g, masked);
      const mixed = reshape(g, matmul(g, probabilities, firstAlong(g, v, 2, keys)), query.shape);
      Object.assign(saved, { [`query${i}`]: query, [`probabilities${i}`]: probabilities, [`mixed${i}`]: mixed });
      return mixed;
    });
    return { outputs: [concatTo(g, outputs, 2, q.shape)], saved };
  };
  return g.composite('Attention', [q, k, v], build, { scale, parts: plan.parts.length })[0]!;
}

/** [B, heads, T, d] as [B, kvHeads, group · T, d], to stand beside keys [B, kvHeads, …]. */
export function byKey(g: Graph, x: Tensor, keys: Tensor): Tensor {
  const [batch, heads, time, size] = x.shape as [Dim, number, Dim, Dim];
  const kvHeads = keys.shape[1] as number;
  return reshape(g, x, [batch, kvHeads, product([heads / kvHeads, time]), size]);
}

/**
 * Additive mask [B, 1, T, T] for packed or padded rows: a query sees a key of its own segment whose position is not
 * later than its own. segments and positions are int64 [B, T]; positions count from 0 within each segment. Keys of the
 * segment `shared`, where given, are seen from every segment (a prefix common to all).
 */
export function segmentMask(g: Graph, segments: Tensor, positions: Tensor, shared: number | null = null): Tensor {
  const [batch, time] = segments.shape as [string, string];
  const asQuery = (x: Tensor) => reshape(g, x, [batch, 1, time, 1]);
  const asKey = (x: Tensor) => reshape(g, x, [batch, 1, 1, time]);
  const shape = [batch, 1, time, time];
  const outputs = [{ dtype: 'bool' as const, shape }];
  const own = g.emit('Equal', [asQuery(segments), asKey(segments)], { outputs })[0]!;
  const sameSegment = shared === null ? own : or(g, own, equal(g, asKey(segments), g.scalar(shared, 'int64')));
  const notLater = g.emit('GreaterOrEqual', [asQuery(positions), asKey(positions)], { outputs })[0]!;
  return where(g, and(g, sameSegment, notLater), g.scalar(0), g.scalar(MASKED));
}
