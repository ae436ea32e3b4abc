import { groundedSystemMessage } from '@attune/contracts';
import type { Passage } from './passage.js';

/**
 * The passages whose block in the system message takes at most `budgetTokens`, in rank order. One that is too long is
 * left out and a shorter one after it may still fit; a text that is already there (an overlap, a second copy of a
 * document) is not put in again.
 * @param countTokens tokens of a text under the model's own tokenizer
 */
export function fitPassages<P extends Pick<Passage, 'text'>>(
  passages: readonly P[],
  budgetTokens: number,
  countTokens: (text: string) => number,
): P[] {
  const chosen: P[] = [];
  for (const passage of passages) {
    if (chosen.some(({ text }) => text.includes(passage.text))) continue;
    const block = groundedSystemMessage([...chosen, passage].map(({ text }) => text));
    if (countTokens(block) <= budgetTokens) chosen.push(passage);
  }
  return chosen;
}
