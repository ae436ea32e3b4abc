const MOST_TERMS = 40;

/**
 * The different words of a question, lower-cased, in the order they come; at most 40. Only letters, digits and marks
 * are left, so that each word is a valid tsquery by itself; PostgreSQL drops the stop words among them.
 */
export function searchTerms(question: string): string[] {
  const words = question.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return [...new Set(words)].slice(0, MOST_TERMS);
}
