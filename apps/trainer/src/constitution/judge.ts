import type { ChatMessage } from '@attune/contracts';

/** A model that is asked for its opinion. */
export interface Judge {
  /** Its answers to conversations, in their order. */
  answer(conversations: readonly (readonly ChatMessage[])[], seed: number): Promise<string[]>;
  /** For each conversation, the log-probability with which it would answer with each of the letters, in their order. */
  letterLogProbs(conversations: readonly (readonly ChatMessage[])[], letters: readonly string[]): Promise<number[][]>;
}
