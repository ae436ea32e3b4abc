const BUCKETS = 1024;

/**
 * Keeps the entries with the smallest keys whose weights reach `mass`, at least one, and sets the others to −∞; of
 * equal keys the earlier entry counts first. Sorts only the bucket of keys in which that is reached, so that the time
 * grows with the vocabulary and no faster.
 * @param keys none negative; +∞ for entries that are out already
 */
export function keepMass(logits: Float32Array, keys: Float32Array, weights: Float64Array, mass: number): void {
  const widest = largestFinite(keys);
  const scale = widest > 0 ? (BUCKETS - 1) / widest : 0;
  const sums = new Float64Array(BUCKETS);
  for (let i = 0; i < keys.length; i++) if (keys[i]! < Infinity) sums[(keys[i]! * scale) | 0]! += weights[i]!;
  let below = 0;
  let last = 0;
  while (last < BUCKETS - 1 && below + sums[last]! < mass) below += sums[last++]!;
  const undecided: number[] = [];
  for (let i = 0; i < keys.length; i++) {
    const bucket = keys[i] === Infinity ? BUCKETS : (keys[i]! * scale) | 0;
    if (bucket === last) undecided.push(i);
    else if (bucket > last) logits[i] = -Infinity;
  }
  undecided.sort((a, b) => keys[a]! - keys[b]! || a - b);
  undecided.forEach((entry, place) => {
    const isFirst = place === 0 && below === 0;
    if (below >= mass && !isFirst) logits[entry] = -Infinity;
    below += weights[entry]!;
  });
}

function largestFinite(values: Float32Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > most && values[i]! < Infinity) most = values[i]!;
  return most;
}
