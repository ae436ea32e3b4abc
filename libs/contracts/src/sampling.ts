import { z } from 'zod';

/** One row a sampling parameter: wire name, range, default, sentence. The engine applies them in the order of its sampler. */
export const samplingFields = {
  temperature: z
    .number()
    .min(0)
    .max(2)
    .nullish()
    .describe('Divides the logits; 0 always takes the likeliest token. Default 1.'),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .nullish()
    .describe('Keeps the likeliest tokens whose probabilities sum to this. Default 1.'),
  top_k: z.number().int().min(0).nullish().describe('Keeps this many of the likeliest tokens; 0 keeps all. Default 0.'),
  min_p: z
    .number()
    .min(0)
    .max(1)
    .nullish()
    .describe('Drops tokens below this share of the likeliest token’s probability. Default 0.'),
  typical_p: z
    .number()
    .gt(0)
    .max(1)
    .nullish()
    .describe('Keeps the tokens nearest to the expected surprise up to this mass (Meister et al. 2022). Default 1.'),
  repetition_penalty: z
    .number()
    .gt(0)
    .max(10)
    .nullish()
    .describe('Divides the logits of tokens seen in prompt or answer (CTRL, Keskar et al. 2019). Default 1.'),
  seed: z
    .number()
    .int()
    .nullish()
    .describe('The same seed and weights give the same tokens. Default: random, and told in the log.'),
  presence_penalty: z
    .number()
    .min(-2)
    .max(2)
    .nullish()
    .describe('Subtracted once from the logit of each token already generated. Default 0.'),
  frequency_penalty: z
    .number()
    .min(-2)
    .max(2)
    .nullish()
    .describe('Subtracted for every time a token was generated. Default 0.'),
} as const;

/** Token id (as text, JSON has no other keys) -> what is added to its logit. */
export const logitBias = z
  .record(z.string().regex(/^\d{1,9}$/, 'keys are token ids'), z.number().min(-100).max(100))
  .refine((bias) => Object.keys(bias).length <= 1024, 'it may name 1024 tokens')
  .describe('Added to the logits of these tokens; -100 bans a token, 100 all but forces it.');

/** Sampling as the engine takes it: everything decided. */
export interface SamplingParams {
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  typicalP: number;
  repetitionPenalty: number;
  presencePenalty: number;
  frequencyPenalty: number;
  /** Unsigned 32-bit. */
  seed: number;
  /** By token id. */
  logitBias?: Record<number, number>;
}
type WireSampling = { [K in keyof typeof samplingFields]?: z.output<(typeof samplingFields)[K]> } & {
  logit_bias?: Record<string, number> | null;
};

/** Fills in the defaults; `randomSeed` is used when the request names none. */
export function resolveSampling(wire: WireSampling, randomSeed: number): SamplingParams {
  return {
    temperature: wire.temperature ?? 1,
    topP: wire.top_p ?? 1,
    topK: wire.top_k ?? 0,
    minP: wire.min_p ?? 0,
    presencePenalty: wire.presence_penalty ?? 0,
    frequencyPenalty: wire.frequency_penalty ?? 0,
    typicalP: wire.typical_p ?? 1,
    repetitionPenalty: wire.repetition_penalty ?? 1,
    seed: (wire.seed ?? randomSeed) >>> 0,
    ...(wire.logit_bias && Object.keys(wire.logit_bias).length > 0 && { logitBias: wire.logit_bias }),
  };
}
