import type { OutputStructure } from '@attune/contracts';
import type { Vocabulary } from './vocabulary.js';

/** What a grammar thread is started with. */
export interface ThreadSetup {
  readonly vocabulary: Vocabulary;
  /** Size of the model's logits, which may be padded beyond the vocabulary. */
  readonly vocabSize: number;
}

/** To the thread, handled one after the other. */
export type ThreadCommand =
  | { readonly type: 'compile'; readonly key: string; readonly structure: OutputStructure }
  | { readonly type: 'drop'; readonly key: string }
  | {
      readonly type: 'open';
      readonly id: number;
      readonly key: string;
      readonly stopIds: readonly number[];
      readonly shared: SharedArrayBuffer;
    }
  | { readonly type: 'accept'; readonly id: number; readonly token: number }
  | { readonly type: 'rollback'; readonly id: number; readonly count: number }
  | { readonly type: 'close'; readonly id: number };

/** From the thread: the outcome of a compilation. Masks travel through shared memory. */
export interface ThreadReply {
  readonly key: string;
  /** Why the structure was refused; null = it is compiled. */
  readonly reason: string | null;
}

/**
 * Shared memory of a matcher, in 32-bit words: how many commands it has carried out, where it stands, then the mask, one
 * bit a token.
 */
export const DONE = 0;
export const STATE = 1;
export const MASK = 2;
/** In place of a state: the matcher failed, and carries out nothing more. */
export const BROKEN = -1;

/** Where a matcher stands: more can follow, nothing but the end can, or no token of the vocabulary fits. */
export const matcherStates = ['open', 'complete', 'stuck'] as const;
export type MatcherState = (typeof matcherStates)[number];

/** Words of a mask. One more token than the model has stands for "may end here", with or without stop tokens. */
export const maskWords = (vocabSize: number): number => Math.ceil((vocabSize + 1) / 32);
