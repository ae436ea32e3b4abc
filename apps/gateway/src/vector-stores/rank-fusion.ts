/** The constant of reciprocal rank fusion: how little the first places differ. */
const K = 60;

export interface Ranking {
  /** Names of what was found, best first. */
  found: readonly string[];
  weight: number;
}

/**
 * Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): each ranking gives weight / (60 + place), place from 1.
 * Divided by the most there could be, so that 1 is first in all of them.
 * @returns names and scores from 0 to 1, best first; of equals the one the earlier ranking found first
 */
export function fuseRankings(rankings: readonly Ranking[]): { name: string; score: number }[] {
  const most = rankings.reduce((sum, { weight }) => sum + weight / (K + 1), 0);
  const scores = new Map<string, number>();
  for (const { found, weight } of rankings) {
    if (weight === 0) continue;
    for (const [index, name] of found.entries()) {
      scores.set(name, (scores.get(name) ?? 0) + weight / (K + index + 1) / most);
    }
  }
  return [...scores].map(([name, score]) => ({ name, score })).toSorted((a, b) => b.score - a.score);
}
