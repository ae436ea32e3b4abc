import type { SamplingParams } from '@attune/contracts';

/** A prompt ready to run. */
export interface InferenceRequest {
  id: string;
  promptIds: number[];
  maxTokens: number;
  sampling: SamplingParams;
  /** Texts that end the answer. */
  stop: string[];
  /** Waiting requests of different users take turns. */
  user: string;
}

/** One run gives: started, text*, finished; or it throws. Durations in milliseconds. */
export type InferenceEvent =
  | { type: 'started'; fingerprint: string; adapter: string | null; seed: number; cachedTokens: number }
  /** A token and the text it completes (perhaps none), or text that was held back (no token). */
  | { type: 'text'; text: string; token?: number; logProb?: number }
  | { type: 'finished'; reason: 'stop' | 'length' | 'cancelled'; queuedMs: number; prefillMs: number };
