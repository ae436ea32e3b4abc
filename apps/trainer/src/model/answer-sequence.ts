import type { ChatMessage } from '@attune/contracts';
import type { Tokenizer } from '@attune/tokenizer';
import type { WeightedSequence } from '@attune/training';

/** A prompt with one answer, as the engine would have read and written it: the answer ends with the end-of-turn token. */
export interface AnswerSequence {
  readonly ids: readonly number[];
  /** Index of the answer's first token. */
  readonly answerStart: number;
}

/** The ids of a prompt answered so, without what a template prints after the end of the turn. */
export function answerSequence(tokenizer: Tokenizer, prompt: readonly ChatMessage[], answer: string): AnswerSequence {
  const { ids, mask } = tokenizer.encodeChatWithMask([...prompt, { role: 'assistant', content: answer }]);
  const end = mask.lastIndexOf(1) + 1;
  // Only the last turn is what was approved; earlier assistant turns are context.
  const answerStart = mask.lastIndexOf(0, end - 1) + 1;
  return { ids: ids.slice(0, end), answerStart };
}

/** The sequence with weight 1 on every token of the answer: what supervised training reads. */
export function toWeighted({ ids, answerStart }: AnswerSequence): WeightedSequence {
  return { ids, weights: ids.map((_, index) => (index >= answerStart ? 1 : 0)) };
}

/** Tokens of a conversation that ends with an assistant's answer. */
export function countTokens(tokenizer: Tokenizer, messages: readonly ChatMessage[]): number {
  return tokenizer.encodeChat(messages).length;
}

/** The prompt as the engine is given it. */
export function promptIds(tokenizer: Tokenizer, prompt: readonly ChatMessage[]): number[] {
  return tokenizer.encodeChat(prompt, { addGenerationPrompt: true });
}
