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
  return { answers: answers.map((answer) => answerSequence(tokenizer, prompt, answer).ids) };
}

/** The one order in which every answer stands directly above the next and no pair says otherwise; null when there is none. */
function asChain(pairs: readonly Preference[]): string[] | null {
  const below = new Map<string, Set<string>>();
  for (const { chosen, rejected } of pairs) below.set(chosen, (below.get(chosen) ?? new Set()).add(rejected));
  const answers = new Set(pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]));
  const beaten = new Set(pairs.map(({ rejected }) => rejected));
  const tops = [...answers].filter((answer) => !beaten.has(answer));
  if (tops.length !== 1) return null;
  const longest = longestFrom(tops[0]!, below, answers.size);
  const places = new Map(longest.map((answer, place) => [answer, place]));
  const agrees = pairs.every(({ chosen, rejected }) => (places.get(chosen) ?? 0) < (places.get(rejected) ?? 0));
  return longest.length === answers.size && places.size === answers.size && agrees ? longest : null;
}

/** The longest way down from an answer; ways longer than there are answers run in circles and are given up. */
function longestFrom(answer: string, below: ReadonlyMap<string, ReadonlySet<string>>, limit: number): string[] {
  if (limit === 0) return [];
  let longest: string[] = [];
  for (const worse of below.get(answer) ?? []) {
    const way = longestFrom(worse, below, limit - 1);
    if (way.length > longest.length) longest = way;
  }
  return [answer, ...longest];
}
