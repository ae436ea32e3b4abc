/** A sequence whose prompt is being read. */
export interface ReadingView {
  readonly tokens: readonly number[];
  readonly computed: number;
  readonly weights: string;
}

/** Fewer tokens are read again sooner than they are waited for. */
const WORTH_WAITING = 32;

/**
 * Whether a prompt should wait for one that is being read: they begin alike, and more of that beginning is still to come
 * than the caches hold already. n answers to one question, sent together, so cost one prompt.
 * @param cached prompt tokens that need not be computed if the request started now
 * @returns the sequence to wait for and the number of its tokens that are worth it
 */
export function worthWaitingFor<T extends ReadingView>(
  prompt: readonly number[],
  weights: string,
  cached: number,
  reading: readonly T[],
): { readonly sequence: T; readonly until: number } | null {
  let best: { sequence: T; until: number } | null = null;
  for (const sequence of reading) {
    if (sequence.weights !== weights) continue;
    const until = commonPrefix(prompt, sequence.tokens, prompt.length - 1);
    const gain = until - Math.max(cached, sequence.computed);
    if (gain >= WORTH_WAITING && until > (best?.until ?? 0)) best = { sequence, until };
  }
  return best;
}

/** How many tokens two lists begin with alike, at most `most`. */
export function commonPrefix(a: readonly number[], b: readonly number[], most: number): number {
  const end = Math.min(a.length, b.length, most);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
