import { deriveSeed, createRandom } from '@attune/platform';
import type { ChatMessage, TaskExample, TaskFamily } from './task.js';
import { isNeutralPreamble } from './preamble.js';

/** One instance in this many is kept out of training. */
const heldoutShare = 10;

/** What makes two examples the same instance: every turn but a neutral preamble. */
export function promptKey(messages: readonly ChatMessage[]): string {
  return messages
    .filter((message) => !isNeutralPreamble(message))
    .map((message) => `${message.role}: ${message.content}`)
    .join('\n');
}

/** Whether an example, by the hash of its prompt, belongs to the tenth that training never sees. */
export function isHeldoutInstance(example: Pick<TaskExample, 'messages'>): boolean {
  return deriveSeed('held-out instance', promptKey(example.messages)) % heldoutShare === 0;
}

/**
 * Whether training may show an example: neither its prompt nor an earlier turn of it, taken alone, is held out.
 * (The last turn alone may be: "What is my name?" is an instance only together with what was said before.)
 */
export function isTrainable(example: Pick<TaskExample, 'messages'>): boolean {
  const earlier = example.messages.slice(0, -1).filter((message) => message.role === 'user');
  return !isHeldoutInstance(example) && !earlier.some((message) => isHeldoutInstance({ messages: [message] }));
}

/**
 * Up to `n` different examples to measure a family with, the same for the same seed. Of a trained family only instances
 * that training never sees; a family with few phrasings may have fewer than `n` of them.
 */
export function evaluationSet(family: TaskFamily, n: number, seed: number): TaskExample[] {
  const random = createRandom(deriveSeed('evaluation set', family.name, seed));
  const chosen = new Map<string, TaskExample>();
  for (let attempt = 0; attempt < 200 * n && chosen.size < n; attempt++) {
    const example = family.generate(random);
    if (family.split === 'train' && !isHeldoutInstance(example)) continue;
    chosen.set(promptKey(example.messages), example);
  }
  return [...chosen.values()];
}
