/** One held-out prompt answered by both sides. */
export interface Comparison {
  readonly candidate: { readonly text: string; readonly score: number };
  readonly live: { readonly text: string; readonly score: number };
}

/** Share of prompts where the candidate's answer scores higher; the same answer is half a win. Null without prompts. */
export function winRate(comparisons: readonly Comparison[]): number | null {
  if (comparisons.length === 0) return null;
  return comparisons.reduce((sum, comparison) => sum + win(comparison), 0) / comparisons.length;
}

function win({ candidate, live }: Comparison): number {
  if (candidate.text === live.text || candidate.score === live.score) return 0.5;
  return candidate.score > live.score ? 1 : 0;
}
