import { z } from 'zod';

const MOST_TEXTS = 2048;
const tokens = z.array(z.number().int().min(0)).min(1);

/** POST /v1/embeddings, https://platform.openai.com/docs/api-reference/embeddings/create */
export const embeddingRequest = z.strictObject({
  model: z.string(),
  input: z
    .union([
      z.string().min(1),
      z.array(z.string().min(1)).min(1).max(MOST_TEXTS),
      tokens,
      z.array(tokens).min(1).max(MOST_TEXTS),
    ])
    .describe('A text, several, or their token ids.'),
  dimensions: z
    .number()
    .int()
    .min(1)
    .nullish()
    .describe('Keeps this many of the first numbers, brought to length 1 again.'),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().optional(),
});
export type EmbeddingRequest = z.output<typeof embeddingRequest>;

export interface EmbeddingList {
  object: 'list';
  model: string;
  /** The weights that made the vectors, the base model's at all times; vectors of others are not to be compared with them. */
  system_fingerprint: string;
  /** Numbers, or little-endian 32-bit floats in base64. */
  data: { object: 'embedding'; index: number; embedding: number[] | string }[];
  usage: { prompt_tokens: number; total_tokens: number };
}
