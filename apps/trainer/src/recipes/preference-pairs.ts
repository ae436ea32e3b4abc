import type { Tokenizer } from '@attune/tokenizer';
import type { PreferencePair, Ranking } from '@attune/training';
import type { Preference } from '../curation/dataset.js';
import { answerSequence } from '../model/answer-sequence.js';

/** Both answers as the engine would have read and written them. */
export function toPair(tokenizer: Tokenizer, { prompt, chosen, rejected }: Preference): PreferencePair {
  const better = answerSequence(tokenizer, prompt, chosen);
  const worse = answerSequence(tokenizer, prompt, rejected);
  return { chosen: better.ids, rejected: worse.ids, promptLength: better.answerStart };
}

/** Answers to one prompt from best to worst. */
export interface RankedAnswers {
  readonly prompt: Preference['prompt'];
  readonly answers: readonly string[];
}

/**
 * Preferences that compare answers to the same prompt, joined into rankings wherever they put all of them in one order:
 * a correction over what was chosen over what was not is one ranking of three. The pairs of one prompt belong into one
 * batch element (Ouyang et al. 2022, section 3.5). What is no chain (a cycle, two that nobody compared) stays in pairs.
 */
export function joinRankings(preferences: readonly Preference[]): RankedAnswers[] {
  const byPrompt = new Map<string, Preference[]>();
  for (const preference of preferences) {
    const key = JSON.stringify(preference.prompt);
    const known = byPrompt.get(key);
    if (known) known.push(preference);
    else byPrompt.set(key, [preference]);
  }
  return [...byPrompt.values()].flatMap((pairs) => {
    const { prompt } = pairs[0]!;
    const chain = asChain(pairs);
    return chain
      ? [{ prompt, answers: chain }]
      : pairs.map(({ chosen, rejected }) => ({ prompt, answers: [chosen, rejected] }));
  });
}

export function toRanking(tokenizer: Tokenizer, { prompt, answers }: RankedAnswers): Ranking {
  const sequences = answers.map((answer) => answerSequence(tokenizer, prompt, answer));
  return { answers: sequences.map(({ ids }) => ids), promptLength: sequences[0]!.answerStart };
}

/**
 * The one order in which every answer stands directly above the next and no pair says otherwise; null when there is none.
 * Kahn's topological sort (1962): there is exactly one order when exactly one answer is unbeaten by those left, each time.
 */
function asChain(pairs: readonly Preference[]): string[] | null {
  const { below, numAbove } = comparisons(pairs);
  const chain: string[] = [];
  let unbeaten = [...below.keys()].filter((answer) => !numAbove.has(answer));
  while (unbeaten.length === 1) {
    const best = unbeaten[0]!;
    chain.push(best);
    unbeaten = [...below.get(best)!].filter((worse) => {
      const left = numAbove.get(worse)! - 1;
      numAbove.set(worse, left);
      return left === 0;
    });
  }
  return chain.length === below.size ? chain : null;
}

/** For every answer those it was preferred to, and for every beaten one how many different answers beat it. */
function comparisons(pairs: readonly Preference[]) {
  const below = new Map<string, Set<string>>();
  for (const answer of pairs.flatMap(({ chosen, rejected }) => [chosen, rejected])) below.set(answer, new Set());
  for (const { chosen, rejected } of pairs) below.get(chosen)!.add(rejected);
  const numAbove = new Map<string, number>();
  for (const worse of [...below.values()].flatMap((answers) => [...answers]))
    numAbove.set(worse, (numAbove.get(worse) ?? 0) + 1);
  return { below, numAbove };
}
