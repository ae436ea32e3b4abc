import type { ChatMessage } from '@attune/contracts';
import { createRandom, deriveSeed } from '@attune/platform';
import type { DataExample } from '../datasets/example.js';
import type { Judge } from './judge.js';
import type { Principle } from './principle.js';

/** Two answers of the policy to one prompt. */
export interface AnswerPair {
  readonly prompt: readonly ChatMessage[];
  readonly answers: readonly [string, string];
}

export interface AiPreference {
  readonly example: Extract<DataExample, { kind: 'preference' }>;
  /** How sure the judge is of it: P(chosen), above 0.5. */
  readonly confidence: number;
}

const LETTERS = ['A', 'B'] as const;
/** Closer to even than this, the judge has no opinion. */
const LEAST_CONFIDENCE = 0.55;

/**
 * Preference labels of a model (Bai et al. 2022, section 4.1): which of two answers a principle prefers, by the
 * log-probability of the choice letters. Each pair is shown in both orders and the two opinions are averaged, for judges
 * lean towards a letter (Zheng et al. 2023, section 3.3); pairs it cannot tell apart are left out.
 */
export async function labelPairs(
  judge: Judge,
  pairs: readonly AnswerPair[],
  principles: readonly Principle[],
  seed: number,
): Promise<AiPreference[]> {
  const different = pairs.filter(({ answers: [one, other] }) => one.trim() !== other.trim());
  const rules = different.map((_, i) => createRandom(deriveSeed(seed, 'choice', i)).pick(principles));
  const questions = different.flatMap(({ prompt, answers: [one, other] }, i) => [
    question(prompt, [one, other], rules[i]!),
    question(prompt, [other, one], rules[i]!),
  ]);
  const logProbs = await judge.letterLogProbs(questions, LETTERS);
  return different.flatMap(({ prompt, answers: [one, other] }, i) => {
    const first = (share(logProbs[2 * i]!) + 1 - share(logProbs[2 * i + 1]!)) / 2;
    const confidence = Math.max(first, 1 - first);
    if (confidence < LEAST_CONFIDENCE) return [];
    const [better, worse] = first > 0.5 ? [one, other] : [other, one];
    return [
      { confidence, example: { kind: 'preference' as const, prompt, chosen: says(better), rejected: says(worse) } },
    ];
  });
}

/** How many of a judge's preferences go with so many of people's, that they make up `share` of the whole. */
export function numMixed(numHuman: number, numLabelled: number, wantedShare: number): number {
  if (numHuman === 0) return numLabelled;
  return Math.min(numLabelled, Math.round((wantedShare / (1 - wantedShare)) * numHuman));
}

/** The question a judge is asked about two answers. */
export function question(
  prompt: readonly ChatMessage[],
  [a, b]: readonly [string, string],
  { choice }: Principle,
): ChatMessage[] {
  const said = prompt.map(({ role, content }) => `${role}: ${content}`).join('\n');
  const content = [
    'Here is a conversation and two answers to it.',
    said,
    `(A) ${a}`,
    `(B) ${b}`,
    `${choice} Answer with A or B alone.`,
  ].join('\n\n');
  return [{ role: 'user', content }];
}

/** P(A) among the two letters. */
function share([a, b]: readonly number[]): number {
  return 1 / (1 + Math.exp(b! - a!));
}

const says = (content: string): ChatMessage => ({ role: 'assistant', content });
