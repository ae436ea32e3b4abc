import type { SamplingParams } from '../types.js';

/** Sampling parameters with every default filled in. */
export type ResolvedSampling = Required<SamplingParams>;

/** What a sampler step may know besides the logits. */
export interface SamplerContext {
  readonly params: ResolvedSampling;
  /** Token -> times it stands in the prompt. */
  readonly promptCounts: ReadonlyMap<number, number>;
  /** Token -> times it was drawn so far. */
  readonly answerCounts: ReadonlyMap<number, number>;
  /** Where only some tokens may come: bit `t & 31` of word `t >> 5` is set for those. */
  readonly allowed?: Int32Array;
}

/** Changes `logits` [V] in place; a token that may not be drawn gets −∞. At least one must stay finite. */
export type SamplerStep = (logits: Float32Array, context: SamplerContext) => void;

/** Fills in the neutral value of every parameter left out. */
export function resolveSampling(params: SamplingParams, seed: number): ResolvedSampling {
  return {
    temperature: params.temperature ?? 1,
    topK: params.topK ?? 0,
    topP: params.topP ?? 1,
    minP: params.minP ?? 0,
    typicalP: params.typicalP ?? 1,
    repetitionPenalty: params.repetitionPenalty ?? 1,
    presencePenalty: params.presencePenalty ?? 0,
    frequencyPenalty: params.frequencyPenalty ?? 0,
    logitBias: params.logitBias ?? {},
    seed: params.seed ?? seed,
  };
}
