import type { Engine } from '@attune/engine';
import type { ChatMessage } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import { generateMany } from '@attune/training';
import { type AnswerSequence, promptIds } from '../model/answer-sequence.js';
import type { BaseModel } from '../model/base-model.js';

/** Longest answer that is compared, in tokens. */
export const MAX_ANSWER_TOKENS = 96;

export interface Answer {
  readonly text: string;
  /** Prompt and answer with its stop token, where it had one. */
  readonly sequence: AnswerSequence;
  /** Log-prob of each answer token under the weights that sampled it. */
  readonly logProbs: readonly number[];
}

export interface AnswerOptions {
  readonly engine: Engine;
  readonly model: BaseModel;
  /** Digest of a loaded adapter; null = the base model. */
  readonly adapter: string | null;
  /** 0 = greedy. */
  readonly temperature: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** What some weights answer to some prompts, in their order. */
export async function answerAll(
  prompts: readonly (readonly ChatMessage[])[],
  { engine, model, adapter, temperature, seed, signal }: AnswerOptions,
): Promise<Answer[]> {
  const { tokenizer } = model;
  const ids = prompts.map((prompt) => promptIds(tokenizer, prompt));
  const answers = await generateMany(engine, {
    name: `evaluate-${adapter ?? 'base'}-${seed}`,
    prompts: ids,
    adapter,
    maxTokens: MAX_ANSWER_TOKENS,
    stopIds: tokenizer.eosIds,
    temperature,
    seedOf: (index) => deriveSeed(seed, index),
    signal,
  });
  return answers.map(({ tokens, logProbs, stop }, i) => ({
    text: tokenizer.decode(tokens),
    sequence: { ids: [...ids[i]!, ...tokens, ...(stop ? [stop.token] : [])], answerStart: ids[i]!.length },
    logProbs: stop ? [...logProbs, stop.logProb] : logProbs,
  }));
}
