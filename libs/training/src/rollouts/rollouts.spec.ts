import type { EngineEvent, GenerateRequest, TokenEngine } from '@attune/engine';
import { CancelledError, InternalError, InvalidRequestError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { generateMany } from '../generation/generate-many.js';
import { episodeReward, scaleOf, standardized } from './rewards.js';
import { sampleRollouts } from './rollout.js';

const timings = { queuedMs: 0, prefillMs: 0, decodeMs: 0 };

/** Answers a prompt with its own tokens plus one, and stops unless that would pass the limit. */
function echoEngine(
  overrides: Partial<{ reason: 'failed' | 'cancelled'; maxSeq: number }> = {},
): TokenEngine & { seen: GenerateRequest[] } {
  const seen: GenerateRequest[] = [];
  async function* generate(request: GenerateRequest): AsyncIterable<EngineEvent> {
    seen.push(request);
    const room = request.promptIds.slice(0, request.maxTokens);
    for (const token of room) yield { type: 'token', token: token + 1, logProb: -token };
    const cut = room.length < request.promptIds.length || room.length === request.maxTokens;
    yield {
      type: 'finished',
      reason: overrides.reason ?? (cut ? 'length' : 'stop'),
      stopToken: cut ? undefined : { type: 'token', token: 99, logProb: -0.5 },
      error: 'out of order',
      promptTokens: request.promptIds.length,
      cachedTokens: 0,
      completionTokens: room.length,
      timings,
    };
  }
  const stats = async () => ({ limits: { slots: 4, maxSeq: overrides.maxSeq ?? 64, tokenBudget: 64 } });
  return { seen, generate, stats } as unknown as TokenEngine & { seen: GenerateRequest[] };
}

const plan = {
  name: 'test',
  prompts: [
    [1, 2],
    [3, 4, 5],
  ],
  adapter: null,
  stopIds: [99],
  temperature: 1,
};

describe('sampling', () => {
  it('keeps the order of the prompts and counts the stop token as an action', async () => {
    const rollouts = await sampleRollouts(echoEngine(), { ...plan, maxAnswerTokens: 3, seed: 7 });
    expect(rollouts).toEqual([
      { promptIds: [1, 2], answerIds: [2, 3, 99], logProbs: [-1, -2, -0.5], ended: true },
      { promptIds: [3, 4, 5], answerIds: [4, 5, 6], logProbs: [-3, -4, -5], ended: false },
    ]);
  });
  it('gives each prompt a seed of its own, the same for the same plan', async () => {
    const seedsOf = async (seed: number) => {
      const engine = echoEngine();
      await sampleRollouts(engine, { ...plan, maxAnswerTokens: 3, seed });
      return engine.seen.map(({ sampling }) => sampling?.seed);
    };
    const [first, again, other] = [await seedsOf(1), await seedsOf(1), await seedsOf(2)];
    expect(first).toEqual(again);
    expect(new Set([...first, ...other]).size).toBe(4);
  });
  it('shortens the answer of a prompt that leaves less room, and of that one alone', async () => {
    const engine = echoEngine({ maxSeq: 5 });
    await sampleRollouts(engine, { ...plan, maxAnswerTokens: 3, seed: 7 });
    expect(engine.seen.map(({ maxTokens }) => maxTokens)).toEqual([3, 2]);
    const tooSmall = sampleRollouts(echoEngine({ maxSeq: 3 }), { ...plan, maxAnswerTokens: 3, seed: 7 });
    await expect(tooSmall).rejects.toThrow(InvalidRequestError);
  });
  it.each([
    ['failed', InternalError],
    ['cancelled', CancelledError],
  ] as const)('does not take an answer that %s for one', async (reason, error) => {
    const many = generateMany(echoEngine({ reason }), { ...plan, maxTokens: 3, seedOf: () => 1 });
    await expect(many).rejects.toThrow(error);
  });
});

describe('episode reward', () => {
  const terms = { logProbs: [-1, -2], referenceLogProbs: [-1.5, -2.25], score: 3, ended: true };

  it('charges every token for leaving the reference and pays the score at the end', () => {
    const { perToken, kl } = episodeReward(terms, 0.1, 5);
    expect([...perToken]).toEqual([Math.fround(-0.05), Math.fround(3 - 0.025)]);
    expect(kl).toBeCloseTo(0.75, 12);
  });
  it('charges an answer that was cut', () => {
    const { perToken } = episodeReward({ ...terms, ended: false }, 0, 5);
    expect([...perToken].map(Math.abs)).toEqual([0, 2]);
    expect(perToken[1]).toBe(-2);
  });
  it('costs nothing to stay with the reference', () => {
    const same = episodeReward({ ...terms, referenceLogProbs: terms.logProbs, score: 0 }, 0.1, 0);
    expect(same.kl).toBe(0);
    expect([...same.perToken].map(Math.abs)).toEqual([0, 0]);
  });
});

describe('score scale', () => {
  it('gives the preference data mean 0 and deviation 1', () => {
    const scores = [1, 2, 3, 10];
    const scaled = scores.map((score) => standardized(score, scaleOf(scores)));
    const { mean, deviation } = scaleOf(scaled);
    expect(mean).toBeCloseTo(0, 12);
    expect(deviation).toBeCloseTo(1, 12);
  });
  it('survives equal scores', () => {
    expect(standardized(4, scaleOf([4, 4]))).toBe(0);
  });
});
