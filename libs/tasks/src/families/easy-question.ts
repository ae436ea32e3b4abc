import type { Random } from '@attune/platform';
import { animalSound, capitalOf, opposite, pastTense, pluralOf } from './knowledge.js';
import { firstLetter } from './edit.js';

const easyFamilies = [capitalOf, opposite, pluralOf, animalSound, pastTense, firstLetter];

/** A one-turn question with a short answer, for families that are about something around the question. */
export function easyQuestion(random: Random): { question: string; answer: string } {
  const example = random.pick(easyFamilies).generate(random);
  return { question: example.messages.at(-1)!.content, answer: example.answer };
}
