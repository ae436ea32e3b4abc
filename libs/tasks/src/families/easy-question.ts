import type { Random } from '@attune/platform';
import { isHeldoutInstance } from '../instances.js';
import { animalSound, capitalOf, opposite, pastTense, pluralOf } from './knowledge.js';
import { firstLetter } from './letters.js';

const easyFamilies = [capitalOf, opposite, pluralOf, animalSound, pastTense, firstLetter];

/**
 * A one-turn question with a short answer, for families that are about something around the question.
 * Never a held-out instance, or training on those families would give its answer away.
 */
export function easyQuestion(random: Random): { question: string; answer: string } {
  for (;;) {
    const example = random.pick(easyFamilies).generate(random);
    if (!isHeldoutInstance(example)) return { question: example.messages.at(-1)!.content, answer: example.answer };
  }
}
