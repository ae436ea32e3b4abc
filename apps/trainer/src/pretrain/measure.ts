import { taskSuite, type FamilySplit, type TaskFamily } from '@attune/tasks';
import type { Tokenizer } from '@attune/tokenizer';
import type { GreedyMatch } from '@attune/training';
import { weightedSequence } from './example-batches.js';

export interface FamilyMatch {
  readonly family: string;
  readonly split: FamilySplit;
  readonly exactMatch: number;
}
export interface Measurement {
  /** Mean exact match of greedy answers over trained families, on instances that training never sees. */
  readonly seen: number;
  /** The same over families that were never trained on. */
  readonly heldout: number;
  readonly families: readonly FamilyMatch[];
}

/** Exact match by family: would greedy decoding give the reference answer, token for token? */
export async function measure(
  match: GreedyMatch,
  tokenizer: Tokenizer,
  families: readonly TaskFamily[],
  examplesPerFamily: number,
  seed = 99,
): Promise<Measurement> {
  const results: FamilyMatch[] = [];
  for (const { family, examples } of taskSuite(examplesPerFamily, seed, families).groups) {
    const verdicts = await match.run(examples.map((example) => weightedSequence(tokenizer, example, 0)));
    const right = verdicts.filter(Boolean).length;
    results.push({ family: family.name, split: family.split, exactMatch: right / Math.max(1, verdicts.length) });
  }
  return { seen: mean(results, 'train'), heldout: mean(results, 'heldout'), families: results };
}

function mean(results: readonly FamilyMatch[], split: FamilySplit): number {
  const chosen = results.filter((result) => result.split === split);
  return chosen.reduce((sum, { exactMatch }) => sum + exactMatch, 0) / Math.max(1, chosen.length);
}
