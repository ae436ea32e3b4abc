import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { splitByPrompt } from './polite-pairs.js';

describe('the split of pairs', () => {
  const pair = (question: string, chosen: string) => ({
    prompt: [{ role: 'user' as const, content: question }],
    chosen,
    rejected: 'no',
  });
  const pairs = Array.from({ length: 60 }, (_, i) => pair(`question ${i % 20}`, `answer ${i}`));

  it('keeps every prompt on one side, and loses no pair', () => {
    const { heldout, rest } = splitByPrompt(pairs, 10, createRandom(4));
    const asked = (side: typeof pairs) => new Set(side.map(({ prompt }) => prompt[0]!.content));
    expect([...asked(heldout)].filter((question) => asked(rest).has(question))).toEqual([]);
    expect(heldout).toHaveLength(12);
    expect(new Set([...heldout, ...rest]).size).toBe(60);
  });
  it('is another with another seed', () => {
    const chosen = (seed: number) => splitByPrompt(pairs, 10, createRandom(seed)).heldout.map((one) => one.chosen);
    expect(chosen(1)).toEqual(chosen(1));
    expect(chosen(1)).not.toEqual(chosen(2));
  });
});
