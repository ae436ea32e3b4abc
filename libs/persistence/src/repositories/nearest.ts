export interface Near<Key> {
  key: Key;
  /** Cosine, for vectors of length 1. */
  similarity: number;
}

/** Vectors of one length, one after the other. */
export interface VectorRows<Key> {
  values: Float32Array;
  /** Numbers a vector has. */
  width: number;
  keyOf(row: number): Key;
}

/**
 * The `limit` vectors nearest to `vector`, nearest first; of equals the one that came first. Looks at each, and holds
 * at most three times `limit` of their keys. Vectors of another length (made by another model) are passed over.
 */
export async function nearestOf<Key>(
  vector: Float32Array,
  groups: AsyncIterable<VectorRows<Key>>,
  limit: number,
): Promise<Near<Key>[]> {
  let best: Near<Key>[] = [];
  let least = -Infinity;
  const prune = () => {
    best = best.toSorted((a, b) => b.similarity - a.similarity).slice(0, limit);
    if (best.length === limit) least = best[limit - 1].similarity;
  };
  for await (const { values, width, keyOf } of groups) {
    if (width !== vector.length) continue;
    for (let row = 0; row * width < values.length; row++) {
      const similarity = dot(vector, values, row * width);
      if (similarity <= least) continue;
      best.push({ key: keyOf(row), similarity });
      if (best.length >= 3 * limit) prune();
    }
  }
  prune();
  return best;
}

function dot(a: Float32Array, b: Float32Array, from: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[from + i];
  return sum;
}
