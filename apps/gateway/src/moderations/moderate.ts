import { moderationCategories, type ModerationCategory, type ModerationResult } from '@attune/contracts';
import type { ModerationRule } from './rules.js';

const FLAGGED_FROM = 0.5;
/** Longer texts are looked at in pieces that overlap, so that no pattern runs over megabytes. */
const PIECE = 20_000;
const OVERLAP = 200;

type Compiled = readonly { readonly category: ModerationCategory; readonly weight: number; readonly pattern: RegExp }[];

/** @throws SyntaxError for a pattern that is no regular expression */
export const compileRules = (rules: readonly ModerationRule[]): Compiled =>
  rules.map(({ pattern, ...rest }) => ({ ...rest, pattern: new RegExp(pattern, 'u') }));

/**
 * What rules say of a text. Rules of one category are taken as independent: its score is 1 less the product of their
 * doubts.
 */
export function moderate(text: string, rules: Compiled): ModerationResult {
  const pieces = [...piecesOf(text.toLowerCase().replace(/[’‘]/g, "'").replace(/\s+/g, ' '))];
  const doubt = new Map<ModerationCategory, number>();
  for (const { category, weight, pattern } of rules) {
    if (pieces.some((piece) => pattern.test(piece))) doubt.set(category, (doubt.get(category) ?? 1) * (1 - weight));
  }
  const scores = byCategory((category) => 1 - (doubt.get(category) ?? 1));
  const categories = byCategory((category) => scores[category] >= FLAGGED_FROM);
  return {
    flagged: Object.values(categories).includes(true),
    categories,
    category_scores: scores,
    category_applied_input_types: byCategory(() => ['text']),
  };
}

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start === 0 || start < text.length; start += PIECE - OVERLAP) {
    yield text.slice(start, start + PIECE);
  }
}

const byCategory = <T>(value: (category: ModerationCategory) => T) =>
  Object.fromEntries(moderationCategories.map((category) => [category, value(category)])) as Record<
    ModerationCategory,
    T
  >;
