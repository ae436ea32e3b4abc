import type { ChatMessage, GraderConfig } from '@attune/contracts';
import { deriveSeed, InvalidRequestError } from '@attune/platform';
import { exampleAt, familyNamed, type TaskFamily, trainFamilies } from '@attune/tasks';
import { batchItems } from './data-order.js';

/** A prompt whose answers a program can score, from 0 to 1. */
export interface GradedPrompt {
  readonly messages: readonly ChatMessage[];
  grade(answer: string): number;
}

/** Prompts for the rounds of a run; a pure function of seed and round. */
export type PromptSource = (round: number, count: number) => GradedPrompt[];

/** Longest text a pattern is tried on, so that a costly one cannot stall a run. */
const MAX_GRADED_CHARACTERS = 4000;

/**
 * Where graded prompts come from: fresh tasks with their own checks, or the dataset's prompts with a pattern.
 * @throws InvalidRequestError for an unknown or held-out family, a pattern that is none, or no prompts
 */
export function promptSource(
  grader: GraderConfig,
  prompts: readonly (readonly ChatMessage[])[],
  seed: number,
): PromptSource {
  return grader.kind === 'tasks' ? fromTasks(familiesNamed(grader.families), seed) : fromPattern(grader, prompts, seed);
}

function fromTasks(families: readonly TaskFamily[], seed: number): PromptSource {
  return (round, count) =>
    Array.from({ length: count }, (_, place) => {
      const { messages, check } = exampleAt(deriveSeed(seed, 'graded'), round * count + place, families);
      return { messages, grade: (answer) => Number(check(answer)) };
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
  const grade = (answer: string) => Number(expression.test(answer.slice(0, MAX_GRADED_CHARACTERS)));
  return (round, count) =>
    batchItems(seed, prompts.length, count, round).map((i) => ({ messages: prompts[i]!, grade }));
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
