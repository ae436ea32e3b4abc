/**
 * How retrieved passages stand in the system message. Part of the contract between the gateway, which writes it,
 * and the bundled model, which was trained on it.
 */
export const GROUNDING_INSTRUCTION = 'Answer from the passages.';

/** `passages` in rank order; numbers count from 1. */
export function groundedSystemMessage(passages: readonly string[]): string {
  return [GROUNDING_INSTRUCTION, ...passages.map((text, index) => `[${index + 1}] ${text}`)].join('\n');
}
