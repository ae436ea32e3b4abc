import type { OutputStructure, SamplingParams, TokenLogprob } from '@attune/contracts';

/** A prompt ready to run. */
export interface InferenceRequest {
  id: string;
  promptIds: number[];
  maxTokens: number;
  sampling: SamplingParams;
  /** Texts that end the answer. */
  stop: string[];
  /** Whose request it is, by the API key: what waits for different keys is taken in turns. */
  user: string;
  /** What the answer must look like. */
  structure?: OutputStructure;
  /** Tell each token's likelihood and that of this many rivals. */
  topLogprobs?: number;
  /** Go on after the end of the turn. */
  ignoreEos?: boolean;
  /** Digest of a loaded adapter, null for the base weights; left out = whatever is live. */
  adapter?: string | null;
  /** Wait behind requests that are in a hurry, and for as long as it takes. */
  patient?: boolean;
  /** Special tokens whose names belong to the text: marks of tool calls. */
  keepTokens?: readonly string[];
}

/** One run gives: started, text*, finished; or it throws. Durations in milliseconds. */
export type InferenceEvent =
  | { type: 'started'; fingerprint: string; adapter: string | null; seed: number; cachedTokens: number }
  /**
   * A token and the text it completes (perhaps none), or text that was held back (no token). `logprobs`, where they were
   * asked for, are of the tokens this text is made of.
   */
  | { type: 'text'; text: string; token?: number; logProb?: number; logprobs?: TokenLogprob[] }
  | { type: 'finished'; reason: 'stop' | 'length' | 'cancelled'; queuedMs: number; prefillMs: number };
