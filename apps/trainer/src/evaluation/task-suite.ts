import type { GateReport } from '@attune/contracts';
import { scoreSuite, type SuiteScore, taskSuite, type TaskSuite } from '@attune/tasks';
import { answerAll, type AnswerOptions } from './answers.js';

/** One seed for all jobs and both sides: scores of different days may be compared. */
const SUITE_SEED = 20_26;

/** The questions the gate asks. */
export const gateSuite = (examplesPerFamily: number): TaskSuite => taskSuite(examplesPerFamily, SUITE_SEED);

export interface SuiteComparison {
  readonly candidate: number;
  readonly live: number;
  readonly byFamily: GateReport['suite'];
}

/** Exact match of some weights on the suite: everything is asked at once, so that the engine's slots stay full. */
export async function measureSuite(suite: TaskSuite, options: AnswerOptions): Promise<SuiteScore> {
  const prompts = suite.groups.flatMap(({ examples }) => examples.map(({ messages }) => messages));
  const answers = await answerAll(prompts, { ...options, temperature: 0 });
  const texts = new Map(prompts.map((prompt, i) => [prompt, answers[i]!.text]));
  return scoreSuite(suite, (messages) => Promise.resolve(texts.get(messages as (typeof prompts)[number])!));
}

/** Both sides over all examples, and family by family. */
export function compareSuites(candidate: SuiteScore, live: SuiteScore): SuiteComparison {
  return {
    candidate: exactMatch(candidate),
    live: exactMatch(live),
    byFamily: candidate.perFamily.map(({ family, exactMatch: share }, i) => ({
      family,
      candidate: share,
      live: live.perFamily[i]!.exactMatch,
    })),
  };
}

function exactMatch({ perFamily }: SuiteScore): number {
  const asked = perFamily.reduce((sum, family) => sum + family.asked, 0);
  return perFamily.reduce((sum, family) => sum + family.right, 0) / asked;
}
