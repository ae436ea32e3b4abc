import type { Passage } from './passage.js';

export interface RelevanceOptions {
  /** Share of the question's content words that a passage must hold. */
  readonly minCoverage: number;
  /** Share of the best passage's score that a passage must reach. */
  readonly minShareOfBest: number;
}

/** Measured on Cranfield's documents: 97 % of its own questions keep a passage, 10 % of 800 trivia questions do. */
const defaultRelevance: RelevanceOptions = { minCoverage: 0.34, minShareOfBest: 0.5 };

/**
 * Leaves out what a ranked search returns only because it must return something: a greeting or a sum should be answered
 * without passages. Scores of a search say nothing about the next one, so what counts is how much of the question a
 * passage speaks about, and how far it falls behind the best.
 */
export function relevantPassages<P extends Pick<Passage, 'text' | 'score'>>(
  question: string,
  passages: readonly P[],
  { minCoverage, minShareOfBest }: RelevanceOptions = defaultRelevance,
): P[] {
  const best = Math.max(0, ...passages.map(({ score }) => score));
  return passages.filter(
    ({ text, score }) => score >= minShareOfBest * best && coverage(question, text) >= minCoverage,
  );
}

/** Share of the question's different content words whose stem the text holds; 0 for a question without any. */
export function coverage(question: string, text: string): number {
  const asked = new Set(contentWords(question).map(stem));
  const held = new Set(contentWords(text).map(stem));
  if (asked.size === 0) return 0;
  return [...asked].filter((word) => held.has(word)).length / asked.size;
}

function contentWords(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.filter((word) => !STOP_WORDS.has(word));
}

/** Five letters tell most words apart and join most of their forms: employee, employees; install, installation. */
const stem = (word: string) => word.slice(0, 5);

const STOP_WORDS = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by
  can could did do does doing don down during each few for from further get give had has have having he her here hers
  him his how i if in into is it its itself just let ll may me might more most must my no nor not now of off on once
  only or other our out over own please re s same say shall she should so some such t tell than thank thanks that the
  their them then there these they this those through to too under until up us ve very was we were what when where
  which while who whom whose why will with would you your yours hi hello hey ok yes`.split(/\s+/),
);
