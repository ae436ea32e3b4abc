import type { ChatMessage } from './chat.js';

/**
 * How retrieved passages stand in the system message. Part of the contract between the gateway, which writes it,
 * and the bundled model, which was trained on it.
 */
export const GROUNDING_INSTRUCTION = 'Answer from the passages.';

/** `passages` in rank order; numbers count from 1. */
export function groundedSystemMessage(passages: readonly string[]): string {
  return [GROUNDING_INSTRUCTION, ...passages.map((text, index) => `[${index + 1}] ${text}`)].join('\n');
}

/**
 * The messages as the model sees them: the passages' block stands first in the system message, the client's own system
 * text on the lines after it. Serving and curation both call this, so training sees the prompts that were served.
 */
export function groundMessages(messages: readonly ChatMessage[], passages: readonly string[]): ChatMessage[] {
  if (passages.length === 0) return [...messages];
  const block = groundedSystemMessage(passages);
  const [first, ...rest] = messages;
  return first?.role === 'system'
    ? [{ role: 'system', content: `${block}\n${first.content}` }, ...rest]
    : [{ role: 'system', content: block }, ...messages];
}
