import { evaluationSet } from './instances.js';
import { families as allFamilies } from './registry.js';
import type { ChatMessage, FamilySplit, TaskExample, TaskFamily } from './task.js';

/** Gives the model's answer to a conversation; batching and sampling are the caller's. */
export type Answerer = (messages: readonly ChatMessage[]) => Promise<string>;

/** Fixed examples per family, the same for the same seed. */
export interface TaskSuite {
  seed: number;
  groups: readonly { family: TaskFamily; examples: readonly TaskExample[] }[];
}

export interface FamilyScore {
  family: string;
  split: FamilySplit;
  asked: number;
  right: number;
  /** Share of exact matches, 0 to 1. */
  exactMatch: number;
  /** A few wrong answers, for people who read the report. */
  misses: { prompt: string; wanted: string; got: string }[];
}

export interface SuiteScore {
  perFamily: FamilyScore[];
  /** Mean over families of the exact match on unseen instances of trained families. */
  seen: number;
  /** Mean over held-out families. */
  heldout: number;
}

/** `n` examples of each family; families with few phrasings have fewer. */
export function taskSuite(n: number, seed: number, families: readonly TaskFamily[] = allFamilies): TaskSuite {
  return { seed, groups: families.map((family) => ({ family, examples: evaluationSet(family, n, seed) })) };
}

export async function scoreSuite(suite: TaskSuite, answer: Answerer): Promise<SuiteScore> {
  const perFamily: FamilyScore[] = [];
  for (const { family, examples } of suite.groups) perFamily.push(await scoreFamily(family, examples, answer));
  return { perFamily, seen: meanScore(perFamily, 'train'), heldout: meanScore(perFamily, 'heldout') };
}

/** All examples of a family are asked at once, so that an engine can batch them. */
export async function scoreFamily(
  family: TaskFamily,
  examples: readonly TaskExample[],
  answer: Answerer,
): Promise<FamilyScore> {
  const outputs = await Promise.all(examples.map((example) => answer(example.messages)));
  const wrong = examples.flatMap((example, i) =>
    example.check(outputs[i])
      ? []
      : [{ prompt: example.messages.at(-1)!.content, wanted: example.answer, got: outputs[i] }],
  );
  const right = examples.length - wrong.length;
  return {
    family: family.name,
    split: family.split,
    asked: examples.length,
    right,
    exactMatch: examples.length === 0 ? 0 : right / examples.length,
    misses: wrong.slice(0, 3),
  };
}

function meanScore(scores: readonly FamilyScore[], split: FamilySplit): number {
  const chosen = scores.filter((score) => score.split === split && score.asked > 0);
  return chosen.length === 0 ? 0 : chosen.reduce((sum, score) => sum + score.exactMatch, 0) / chosen.length;
}
