import { z } from 'zod';

/** The query string of OpenAI's cursor pages. `before` pages backwards from an entry that was seen. */
export const pageQuery = (mostRows = 100, defaultRows = 20) =>
  z.strictObject({
    after: z.string().optional(),
    before: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(mostRows).default(defaultRows),
    order: z.enum(['asc', 'desc']).default('desc'),
  });
export type PageQuery = z.output<ReturnType<typeof pageQuery>>;

/** What OpenAI's clients page by. */
export interface CursorPage<T> {
  object: 'list';
  data: T[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** Pairs of text a client may note beside a thing. */
export const MOST_PAIRS = 16;

/** Up to 16 pairs of short text, https://platform.openai.com/docs/api-reference/metadata */
export const metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= MOST_PAIRS, `at most ${MOST_PAIRS} pairs`);
export type Metadata = z.output<typeof metadata>;
