import type { ChatMessage, TuningJobConfig } from '@attune/contracts';
import type { ReviewedFeedback } from '../curation/curated-row.js';

/** What the model answered before anyone taught it: greedily, and a second, sampled try. */
export interface FirstAnswers {
  readonly greedy: string;
  readonly sampled: string;
}

/** A rehearsal of the whole loop with simulated people: what they ask, what they say about the answers, what counts. */
export interface Scenario {
  readonly name: string;
  /** What people ask while the model still answers in its old way. */
  readonly conversations: readonly { readonly id: string; readonly prompt: readonly ChatMessage[] }[];
  /** What they say about an answer, as reviewers approve it. */
  feedback(index: number, answers: FirstAnswers): ReviewedFeedback[];
  /** Prompts nobody gave feedback on. */
  readonly unseen: readonly (readonly ChatMessage[])[];
  /** Whether the answer to the unseen prompt of this index shows what people taught. */
  shows(answer: string, index: number): boolean;
  /** Whether it is also right, apart from how it is said. */
  isRight(answer: string, index: number): boolean;
  readonly config: TuningJobConfig;
}
