export interface Advantages {
  readonly advantages: Float32Array;
  /** advantages + values: what the value head is trained towards. */
  readonly returns: Float32Array;
}

/**
 * Generalised advantage estimation over one answer (Schulman et al. 2016, eq. 16): δₜ = rₜ + γVₜ₊₁ − Vₜ,
 * Aₜ = δₜ + γλAₜ₊₁. The answer's end is terminal, so the value after the last token is 0.
 */
export function generalisedAdvantages(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  { gamma, lambda }: { readonly gamma: number; readonly lambda: number },
): Advantages {
  const advantages = new Float32Array(rewards.length);
  const returns = new Float32Array(rewards.length);
  let [next, nextValue] = [0, 0];
  for (let t = rewards.length - 1; t >= 0; t--) {
    const delta = rewards[t]! + gamma * nextValue - values[t]!;
    next = delta + gamma * lambda * next;
    nextValue = values[t]!;
    advantages[t] = next;
    returns[t] = next + values[t]!;
  }
  return { advantages, returns };
}

/**
 * Per-token rewards of one answer: −β(log π − log ref) for every token and the reward model's score on the last
 * (Ouyang et al. 2022, eq. 2; Ziegler et al. 2019, eq. 2).
 */
export function shapedRewards(
  score: number,
  logProbs: ArrayLike<number>,
  referenceLogProbs: ArrayLike<number>,
  klCoef: number,
): Float32Array {
  const rewards = Float32Array.from(logProbs, (logProb, t) => -klCoef * (logProb - referenceLogProbs[t]!));
  if (rewards.length > 0) rewards[rewards.length - 1]! += score;
  return rewards;
}

/** Shifts (unless told not to) and scales several arrays, as one population, to mean 0 and standard deviation 1. */
export function whiten(arrays: readonly Float32Array[], { shift = true } = {}): Float32Array[] {
  const count = arrays.reduce((all, { length }) => all + length, 0);
  const mean = total(arrays, (x) => x) / count;
  const deviation = Math.sqrt(total(arrays, (x) => (x - mean) ** 2) / Math.max(1, count - 1));
  const scale = 1 / (deviation + 1e-8);
  return arrays.map((array) => array.map((x) => (x - mean) * scale + (shift ? 0 : mean)));
}

/** 1 − Var(returns − values) / Var(returns): 1 = the value head predicts perfectly, ≤ 0 = no better than a constant. */
export function explainedVariance(values: readonly Float32Array[], returns: readonly Float32Array[]): number {
  const errors = returns.map((array, i) => array.map((x, t) => x - values[i]![t]!));
  const spread = variance(returns);
  return spread === 0 ? 0 : 1 - variance(errors) / spread;
}

function variance(arrays: readonly Float32Array[]): number {
  const count = arrays.reduce((all, { length }) => all + length, 0);
  const mean = total(arrays, (x) => x) / count;
  return total(arrays, (x) => (x - mean) ** 2) / count;
}

function total(arrays: readonly Float32Array[], of: (x: number) => number): number {
  let sum = 0;
  for (const array of arrays) for (const x of array) sum += of(x);
  return sum;
}
