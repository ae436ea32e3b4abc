import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SamplingParams } from '../types.js';
import { allowedTokens } from './allowed-tokens.js';
import { expNegative } from './exp.js';
import { frequencyPenalty } from './frequency-penalty.js';
import { logSumExp, topLogProbs } from './log-probs.js';
import { logitBias } from './logit-bias.js';
import { minP } from './min-p.js';
import { presencePenalty } from './presence-penalty.js';
import { repetitionPenalty } from './repetition-penalty.js';
import { resolveSampling, type SamplerContext, type SamplerStep } from './sampler-step.js';
import { argmax, describeToken, draw, sampleToken } from './sampler.js';
import { temperature } from './temperature.js';
import { topK } from './top-k.js';
import { topP } from './top-p.js';
import { typicalP } from './typical-p.js';

const context = (params: SamplingParams, more: Partial<SamplerContext> = {}): SamplerContext => ({
  params: resolveSampling(params, 1),
  promptCounts: new Map(),
  answerCounts: new Map(),
  ...more,
});

function after(step: SamplerStep, logits: number[], params: SamplingParams, more: Partial<SamplerContext> = {}) {
  const values = Float32Array.from(logits);
  step(values, context(params, more));
  return [...values];
}

const logitArrays = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 1, maxLength: 40 });
const kept = (values: number[]) => values.flatMap((value, i) => (value === -Infinity ? [] : [i]));

it.each([0, 1])('draws nothing where nothing is allowed, at temperature %d', (heat) => {
  const allowed = new Int32Array(1);
  const given = context({ temperature: heat }, { allowed });
  expect(() => sampleToken(Float32Array.of(1, 2, 3), given, 0)).toThrow(/no token may be drawn/);
});

describe('sampler steps', () => {
  it('temperature divides', () => {
    expect(after(temperature, [1, -2, 4], { temperature: 0.5 })).toEqual([2, -4, 8]);
  });

  it('top_k keeps exactly the k largest, the earlier of equals', () => {
    expect(kept(after(topK, [1, 5, 3, 5, 5, 2], { topK: 2 }))).toEqual([1, 3]);
    fc.assert(
      fc.property(logitArrays, fc.integer({ min: 1, max: 50 }), (logits, k) => {
        const order = logits.map((_, i) => i).sort((a, b) => logits[b]! - logits[a]! || a - b);
        const want = order.slice(0, k).sort((a, b) => a - b);
        expect(kept(after(topK, logits, { topK: k }))).toEqual(want);
      }),
    );
  });

  it('top_p keeps the smallest set of likeliest tokens that reaches p', () => {
    expect(kept(after(topP, [0.5, 0.3, 0.15, 0.05].map(Math.log), { topP: 0.75 }))).toEqual([0, 1]);
    expect(kept(after(topP, [0.5, 0.3, 0.15, 0.05].map(Math.log), { topP: 0.01 }))).toEqual([0]);
    fc.assert(
      fc.property(logitArrays, fc.double({ min: 0.05, max: 0.99, noNaN: true }), (logits, p) => {
        const total = logSumExp(Float32Array.from(logits));
        const mass = (tokens: number[]) => tokens.reduce((sum, i) => sum + Math.exp(logits[i]! - total), 0);
        const set = kept(after(topP, logits, { topP: p }));
        const least = set.toSorted((a, b) => logits[a]! - logits[b]! || b - a)[0]!;
        expect(mass(set)).toBeGreaterThan(p - 1e-6);
        expect(mass(set.filter((i) => i !== least))).toBeLessThan(p + 1e-6);
        for (let i = 0; i < logits.length; i++)
          if (!set.includes(i)) expect(logits[i]).toBeLessThanOrEqual(logits[least]!);
      }),
    );
  });

  it('min_p drops what is below its share of the likeliest', () => {
    expect(kept(after(minP, [0.5, 0.3, 0.15, 0.05].map(Math.log), { minP: 0.25 }))).toEqual([0, 1, 2]);
  });

  it('typical_p keeps the tokens nearest to the expected surprise, as a sort of them all would', () => {
    // Surprises of 0.4, 0.3, 0.2, 0.1: entropy 1.28 nats, nearest first 0.3, 0.2, 0.4, 0.1.
    const logits = [0.4, 0.3, 0.2, 0.1].map(Math.log);
    expect(kept(after(typicalP, logits, { typicalP: 0.25 }))).toEqual([1]);
    expect(kept(after(typicalP, logits, { typicalP: 0.45 }))).toEqual([1, 2]);
    fc.assert(
      fc.property(logitArrays, fc.double({ min: 0.05, max: 0.99, noNaN: true }), (values, p) => {
        const total = logSumExp(Float32Array.from(values));
        const surprise = values.map((logit) => total - logit);
        const entropy = surprise.reduce((sum, each) => sum + Math.exp(-each) * each, 0);
        const distance = surprise.map((each) => Math.abs(each - entropy));
        const set = kept(after(typicalP, values, { typicalP: p }));
        const mass = (tokens: number[]) => tokens.reduce((sum, i) => sum + Math.exp(-surprise[i]!), 0);
        const farthest = set.toSorted((a, b) => distance[b]! - distance[a]! || b - a)[0]!;
        expect(mass(set)).toBeGreaterThan(p - 1e-5);
        expect(mass(set.filter((i) => i !== farthest))).toBeLessThan(p + 1e-5);
        for (let i = 0; i < values.length; i++)
          if (!set.includes(i)) expect(distance[i]).toBeGreaterThan(distance[farthest]! - 1e-4);
      }),
    );
  });

  it('a mask leaves the allowed tokens only', () => {
    expect(kept(after(allowedTokens, Array(40).fill(1), {}, { allowed: Int32Array.of(1 << 3, 0b10) }))).toEqual([
      3, 33,
    ]);
  });

  it('presence, frequency and repetition penalties touch seen tokens only', () => {
    const seen = { answerCounts: new Map([[1, 3]]), promptCounts: new Map([[2, 1]]) };
    expect(after(presencePenalty, [4, 4, 4, 4], { presencePenalty: 0.5 }, seen)).toEqual([4, 3.5, 4, 4]);
    expect(after(frequencyPenalty, [4, 4, 4, 4], { frequencyPenalty: 0.5 }, seen)).toEqual([4, 2.5, 4, 4]);
    expect(after(repetitionPenalty, [4, 4, -4, 4], { repetitionPenalty: 2 }, seen)).toEqual([4, 2, -8, 4]);
  });

  it('logit_bias adds, and ignores ids beyond the vocabulary', () => {
    expect(after(logitBias, [1, 1], { logitBias: { 1: -3, 99: 5 } })).toEqual([1, -2]);
  });
});

describe('sampleToken', () => {
  const logits = Float32Array.of(0.3, 2.1, -1, 2, 0.7, -0.4);

  it('takes the likeliest token at temperature 0, after penalties and bias', () => {
    expect(sampleToken(logits, context({ temperature: 0 }), 0)).toBe(1);
    expect(sampleToken(logits, context({ temperature: 0, logitBias: { 1: -1 } }), 0)).toBe(3);
    expect(sampleToken(logits, context({ temperature: 0, topK: 3, topP: 0.5 }), 0)).toBe(1);
  });

  it('takes only allowed tokens, whatever bias and penalties would rather have', () => {
    const allowed = Int32Array.of(0b10100); // tokens 2 and 4
    const biased = { logitBias: { 1: 100 } };
    expect(sampleToken(logits, context({ temperature: 0, ...biased }, { allowed }), 0)).toBe(4);
    const drawn = Array.from({ length: 200 }, (_, i) =>
      sampleToken(logits, context({ seed: 3, ...biased }, { allowed }), i),
    );
    expect([...new Set(drawn)].sort()).toEqual([2, 4]);
  });

  it('draws the same token from the few that top_k leaves as from all with the others masked', () => {
    const values = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i * 7.1) * 5);
    for (let i = 0; i < 50; i++) {
      const narrow = context({ seed: 9, topK: 12, topP: 0.8, minP: 0.02, temperature: 0.7 });
      const masked = Float32Array.from(after(topK, [...values], { topK: 12 }));
      expect(sampleToken(values, narrow, i)).toBe(sampleToken(masked, context({ ...narrow.params, topK: 0 }), i));
    }
  });

  it('leaves the logits as they are', () => {
    const copy = logits.slice();
    sampleToken(copy, context({ temperature: 0.5, topK: 2, logitBias: { 0: 4 } }), 0);
    expect([...copy]).toEqual([...logits]);
  });

  it('gives the same tokens for the same seed and others for another', () => {
    const tokens = (seed: number) =>
      Array.from({ length: 64 }, (_, i) => sampleToken(logits, context({ seed }), i)).join();
    expect(tokens(7)).toBe(tokens(7));
    expect(tokens(7)).not.toBe(tokens(8));
  });

  it('draws as often as the probabilities say', () => {
    const draws = 20_000;
    const counts = new Float64Array(logits.length);
    for (let i = 0; i < draws; i++) counts[sampleToken(logits, context({ seed: 5 }), i)]! += 1;
    const total = logSumExp(logits);
    const expected = [...logits].map((logit) => draws * Math.exp(logit - total));
    const chiSquare = expected.reduce((sum, want, i) => sum + (counts[i]! - want) ** 2 / want, 0);
    expect(chiSquare).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
  });
});

describe('draw', () => {
  it('gives every token its share of [0, 1)', () => {
    const logits = Float32Array.from([0.5, 0.25, 0, 0.25].map(Math.log));
    expect([0, 0.49, 0.51, 0.74, 0.76, 0.9999999].map((u) => draw(logits, u))).toEqual([0, 0, 1, 1, 3, 3]);
  });

  it('never gives a masked token, even where rounding runs over', () => {
    expect(draw(Float32Array.of(-Infinity, 1, -Infinity), 0.99999999)).toBe(1);
  });
});

describe('expNegative', () => {
  it('is the exponential to 3e-9, and 0 for what is masked', () => {
    fc.assert(
      fc.property(fc.double({ min: -60, max: 0, noNaN: true }), (x) => {
        expect(Math.abs(expNegative(x) / Math.exp(x) - 1)).toBeLessThan(3e-9);
      }),
    );
    expect([0, -64, -1e9, -Infinity].map(expNegative)).toEqual([1, 0, 0, 0]);
    expect(expNegative(NaN)).toBeNaN();
  });
});

describe('log-probs', () => {
  it('are normalised and ordered, and survive large logits', () => {
    const logits = Float32Array.of(1000, 1001, 999);
    const all = topLogProbs(logits, 3);
    expect(all.map(({ token }) => token)).toEqual([1, 0, 2]);
    expect(all.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0)).toBeCloseTo(1);
    expect(topLogProbs(logits, 2)).toEqual(all.slice(0, 2));
    expect(argmax(logits)).toBe(1);
  });

  it('describe the token that was drawn, only when asked', () => {
    const logits = Float32Array.of(0, Math.log(3));
    expect(describeToken(logits, 0, false, 5)).toEqual({ type: 'token', token: 0 });
    expect(describeToken(logits, 0, true, 0).logProb).toBeCloseTo(Math.log(0.25));
    expect(describeToken(logits, 0, true, 1).top).toEqual([{ token: 1, logProb: expect.closeTo(Math.log(0.75)) }]);
  });
});
