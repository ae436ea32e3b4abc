import { describe, expect, it } from 'vitest';
import { ChunkBudget, LEAST_PREFILL } from './chunk-budget.js';

describe('the chunk budget', () => {
  const limits = { tokenBudget: 256, gapMs: 100 };

  it('is what the step has left until something was measured, and whenever nobody decodes', () => {
    const budget = new ChunkBudget(limits);
    expect(budget.tokens(3)).toBe(253);
    budget.observe(256, 5_000);
    expect(budget.tokens(0)).toBe(256);
  });

  it('fits the gap beside running answers', () => {
    const budget = new ChunkBudget(limits);
    budget.observe(200, 200); // 1 ms a token
    expect(budget.tokens(4)).toBe(96); // whole multiples of 16
    for (let i = 0; i < 50; i++) budget.observe(200, 400);
    expect(budget.tokens(4)).toBe(48);
    for (let i = 0; i < 50; i++) budget.observe(200, 20);
    expect(budget.tokens(4)).toBe(252);
  });

  it('never starves prompts, however slow the machine, nor mistakes a short chunk for a slow one', () => {
    const budget = new ChunkBudget(limits);
    budget.observe(1, 16);
    expect(budget.tokens(1)).toBe(96);
    budget.observe(16, 160_000);
    expect(budget.tokens(1)).toBe(LEAST_PREFILL);
  });
});
