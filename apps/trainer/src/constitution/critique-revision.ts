import type { ChatMessage } from '@attune/contracts';
import { createRandom, deriveSeed } from '@attune/platform';
import type { DataExample } from '../datasets/example.js';
import type { Judge } from './judge.js';
import type { Principle } from './principle.js';

export interface RevisionPlan {
  readonly prompts: readonly (readonly ChatMessage[])[];
  readonly principles: readonly Principle[];
  /** Rounds of critique and revision, each under another principle. */
  readonly rounds: number;
  readonly seed: number;
}

/**
 * The supervised half of Constitutional AI (Bai et al. 2022, section 3): the model answers, criticises its answer under a
 * principle and rewrites it, round after round; the last revision is a demonstration. A revision that says nothing, or
 * what was said before, is no lesson and is left out. Earlier answers of the conversation are context only.
 */
export async function reviseAnswers(judge: Judge, plan: RevisionPlan): Promise<DataExample[]> {
  const { prompts, principles, rounds, seed } = plan;
  const first = await judge.answer(prompts, deriveSeed(seed, 'answer'));
  let answers = first;
  for (let round = 0; round < rounds; round++) {
    const rules = prompts.map((_, i) => createRandom(deriveSeed(seed, 'principle', round, i)).pick(principles));
    const asked = prompts.map((prompt, i) => critiqueOf(prompt, answers[i]!, rules[i]!));
    const critiques = await judge.answer(asked, deriveSeed(seed, 'critique', round));
    const revising = asked.map((messages, i) => revisionOf(messages, critiques[i]!, rules[i]!));
    answers = (await judge.answer(revising, deriveSeed(seed, 'revision', round))).map((text) => text.trim());
  }
  return prompts.flatMap((prompt, i): DataExample[] => {
    const answer = answers[i]!;
    if (answer === '' || answer === first[i]!.trim()) return [];
    const untrained = prompt.flatMap(({ role }, place) => (role === 'assistant' ? [place] : []));
    const messages: ChatMessage[] = [...prompt, { role: 'assistant', content: answer }];
    return [{ kind: 'conversation', messages, ...(untrained.length > 0 ? { untrained } : {}) }];
  });
}

function critiqueOf(prompt: readonly ChatMessage[], answer: string, { critique }: Principle): ChatMessage[] {
  return [
    ...prompt,
    { role: 'assistant', content: answer },
    { role: 'user', content: `${critique} Do not answer again.` },
  ];
}

function revisionOf(criticised: readonly ChatMessage[], critique: string, { revision }: Principle): ChatMessage[] {
  return [
    ...criticised,
    { role: 'assistant', content: critique },
    { role: 'user', content: `${revision} Give the new answer alone.` },
  ];
}
