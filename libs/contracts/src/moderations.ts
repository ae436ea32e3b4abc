import { z } from 'zod';

export const moderationCategories = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
] as const;
export type ModerationCategory = (typeof moderationCategories)[number];

const textInput = z.strictObject({ type: z.literal('text'), text: z.string() });

/** POST /v1/moderations, https://platform.openai.com/docs/api-reference/moderations/create. Text only. */
export const moderationRequest = z.strictObject({
  input: z.union([z.string(), z.array(z.string()).min(1).max(1000), z.array(textInput).min(1).max(1000)]),
  model: z.string().optional().describe('Any name: there is one set of rules.'),
});
export type ModerationRequest = z.output<typeof moderationRequest>;

export interface ModerationResult {
  flagged: boolean;
  categories: Record<ModerationCategory, boolean>;
  category_scores: Record<ModerationCategory, number>;
  category_applied_input_types: Record<ModerationCategory, 'text'[]>;
}
export interface ModerationObject {
  id: string;
  /** The digest of the rules that spoke. */
  model: string;
  results: ModerationResult[];
}
