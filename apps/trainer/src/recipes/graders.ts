import { createContext, Script } from 'node:vm';
import type { ChatMessage, Grader, GraderConfig } from '@attune/contracts';
import { grade } from '@attune/graders';
import { deriveSeed, InvalidRequestError } from '@attune/platform';
import { exampleAt, familyNamed, type TaskFamily, trainFamilies } from '@attune/tasks';
import type { GradedRow } from '../curation/dataset.js';
import { batchItems } from './data-order.js';

/** A prompt whose answers a program can score, from 0 to 1. */
export interface GradedPrompt {
  readonly messages: readonly ChatMessage[];
  grade(answer: string): Promise<number>;
}

/** Prompts for the rounds of a run; a pure function of seed and round. */
export type PromptSource = (round: number, count: number) => GradedPrompt[];

/** Longest text a pattern is tried on. It bounds no work: a pattern that backtracks is exponential in the length. */
const MAX_GRADED_CHARACTERS = 4000;
/**
 * So long a pattern may try one answer: a pattern that backtracks would try some for ever. Far more than any other takes
 * on a busy machine, so that what an answer is paid never hangs on how busy it is.
 */
const PATTERN_TIMEOUT_MS = 5000;

/**
 * Where graded prompts come from: fresh tasks with their own checks, the dataset's prompts with a pattern, or the rows of
 * a file with a grader of the API.
 * @throws InvalidRequestError for an unknown or held-out family, a pattern that is none, or no prompts
 */
export function promptSource(
  grader: GraderConfig,
  prompts: readonly (readonly ChatMessage[])[],
  seed: number,
  rows: readonly GradedRow[] = [],
): PromptSource {
  switch (grader.kind) {
    case 'tasks':
      return fromTasks(familiesNamed(grader.families), seed);
    case 'regex':
      return fromPattern(grader, prompts, seed);
    case 'rows':
      return fromRows(grader.grader, rows, seed);
  }
}

function fromRows(grader: Grader, rows: readonly GradedRow[], seed: number): PromptSource {
  if (rows.length === 0) throw new InvalidRequestError('a grader of the API needs a file of rows, and there are none');
  return (round, count) =>
    batchItems(seed, rows.length, count, round).map((i) => {
      const { messages, item } = rows[i]!;
      const score = async (answer: string) => (await grade(grader, { item, sample: { output_text: answer } })).score;
      return { messages, grade: score };
    });
}

function fromTasks(families: readonly TaskFamily[], seed: number): PromptSource {
  return (round, count) =>
    Array.from({ length: count }, (_, place) => {
      const { messages, check } = exampleAt(deriveSeed(seed, 'graded'), round * count + place, families);
      return { messages, grade: (answer) => Promise.resolve(Number(check(answer))) };
    });
}

function fromPattern(
  { pattern, flags }: Extract<GraderConfig, { kind: 'regex' }>,
  prompts: readonly (readonly ChatMessage[])[],
  seed: number,
): PromptSource {
  if (prompts.length === 0)
    throw new InvalidRequestError('a pattern grades answers to the dataset’s prompts, and there are none');
  const expression = compile(pattern, flags);
  const test = boundedTest(expression);
  const matches = (answer: string) => Promise.resolve(Number(test(answer.slice(0, MAX_GRADED_CHARACTERS))));
  return (round, count) =>
    batchItems(seed, prompts.length, count, round).map((i) => ({ messages: prompts[i]!, grade: matches }));
}

function familiesNamed(names: readonly string[]): readonly TaskFamily[] {
  if (names.length === 0) return trainFamilies;
  return names.map((name) => {
    const family = familyNamed(name);
    if (family.split === 'heldout')
      throw new InvalidRequestError(`The task family "${name}" is held out; train on another`);
    return family;
  });
}

function compile(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw new InvalidRequestError(`\`${pattern}\` is no regular expression; write one as JavaScript reads it`, {
      cause,
    });
  }
}

/**
 * Whether the expression matches a text. Only a script of its own can be stopped.
 * The test throws InvalidRequestError when it cannot tell in time: no score is better than one that hangs on the clock.
 */
function boundedTest(expression: RegExp): (text: string) => boolean {
  const script = new Script('expression.test(text)');
  const context = createContext({ expression, text: '' });
  return (text) => {
    context['text'] = text;
    try {
      return script.runInContext(context, { timeout: PATTERN_TIMEOUT_MS }) as boolean;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
      throw new InvalidRequestError(
        `\`${expression.source}\` has tried an answer of ${text.length} characters for ${PATTERN_TIMEOUT_MS / 1000} s ` +
          'without an end; write it without a repeat inside a repeat',
        { cause },
      );
    }
  };
}
