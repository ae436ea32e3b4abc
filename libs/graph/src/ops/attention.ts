import type { Graph } from '../graph.js';
import { and, equal, or, where } from './elementwise.js';
import { matmul } from './matmul.js';
import { softmax } from './reduce.js';
import { reshape } from './shape.js';
import type { Tensor } from '../types.js';

/** What a masked score gets added: large enough to vanish in a softmax, finite so that nothing becomes NaN. */
export const MASKED = -1e9;

/**
 * softmax(scale · q kᵀ + mask) v. Grouped queries ride on the time axis, so keys and values are never repeated:
 * q [B, kvHeads, group · T, headDim], k and v [B, kvHeads, T, headDim], mask additive, broadcastable to
 * [B, kvHeads, group · T, T].
 */
export function attention(g: Graph, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: number): Tensor {
  const build = () => {
    const scores = matmul(g, q, k, { transB: true, alpha: scale });
    const masked = g.emit('Add', [scores, mask], { outputs: [{ dtype: scores.dtype, shape: scores.shape }] })[0]!;
    const probabilities = softmax(g, masked);
    const output = matmul(g, probabilities, v);
    return { outputs: [output], saved: { probabilities, output } };
  };
  return g.composite('Attention', [q, k, v], build, { scale })[0]!;
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
