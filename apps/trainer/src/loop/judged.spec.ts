import { deriveSeed } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { judge } from './judged.js';
import { preference, PREFERENCE_CONFIG } from './preference.js';
import { questions, SIGN_OFF, signedOff } from './sign-off.js';
import { thumbs, THUMBS_CONFIG } from './thumbs.js';

const asked = questions(3);

describe('answers are judged', () => {
  it('by how they end and by what stands before it, apart and together', () => {
    const texts = [asked[0]!.answer + SIGN_OFF, asked[1]!.answer, `nonsense${SIGN_OFF}`];
    const { shown, right, satisfied } = judge(signedOff(asked), texts);
    expect([shown, right, satisfied].map((share) => share * 3)).toEqual([2, 2, 1]);
  });
});

describe('simulated people', () => {
  it('are others with other questions under another seed, and the same under the same', () => {
    const prompts = (seed: number) => preference({ ...PREFERENCE_CONFIG, seed }).conversations;
    expect(prompts(17)).toEqual(prompts(17));
    expect(prompts(17)).not.toEqual(prompts(18));
  });

  it('are never asked what is kept for measuring', () => {
    const { conversations, unseen } = thumbs(THUMBS_CONFIG);
    const taught = new Set(conversations.map(({ prompt }) => JSON.stringify(prompt)));
    expect(unseen.filter((prompt) => taught.has(JSON.stringify(prompt)))).toEqual([]);
  });

  it('give a thumb to each different answer, up for what is right', () => {
    const example = questions(1, deriveSeed(THUMBS_CONFIG.seed, 'people'))[0]!;
    const { feedback } = thumbs(THUMBS_CONFIG);
    const given = feedback(0, { greedy: example.answer, sampled: 'nonsense' });
    expect(given.map(({ value }) => value)).toEqual(['up', 'down']);
    expect(feedback(0, { greedy: 'nonsense', sampled: 'nonsense' })).toHaveLength(1);
  });
});
