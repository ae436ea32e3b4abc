import type { Random } from '@attune/platform';
import type { ChatMessage, TaskExample } from './task.js';

/** System messages that change nothing; clients send them by habit and the model must not be thrown by them. */
export const neutralPreambles: readonly string[] = [
  'You are a helpful assistant.',
  'You are Attune, a helpful assistant.',
  'Answer the question of the user.',
  'Be helpful and brief.',
];

export function isNeutralPreamble(message: ChatMessage): boolean {
  return message.role === 'system' && neutralPreambles.includes(message.content);
}

/** The example with a neutral system message in front, where it has none of its own. */
export function withPreamble(example: TaskExample, random: Random): TaskExample {
  if (example.messages[0].role === 'system') return example;
  const preamble: ChatMessage = { role: 'system', content: random.pick(neutralPreambles) };
  return { ...example, messages: [preamble, ...example.messages] };
}
