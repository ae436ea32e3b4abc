import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curate, type CurationRules } from './curate.js';
import { toDataset } from './dataset.js';
import { reviewed, row } from './fixtures.js';
import { splitHeldout } from './heldout-split.js';

const rules: CurationRules = {
  maxRowsPerUser: 100,
  heldoutShare: 0.2,
  maxTokens: 100,
  countTokens: (messages) => messages.map(({ content }) => content).join(' ').length / 4,
  suiteQuestions: ['What is 2 + 2?'],
};
const conversation = (i: number) => `conv_${i}`;
const question = (content: unknown) => [{ role: 'user' as const, content: String(content) }];

describe('held-out split', () => {
  const rows = Array.from({ length: 2000 }, (_, i) =>
    row({ conversationId: conversation(i >> 1), prompt: question(i) }),
  );
  const split = splitHeldout(rows, 0.2);

  it('never puts one conversation on both sides', () => {
    const sides = new Map<string, Set<string>>();
    for (const { conversationId, split: side } of split)
      sides.set(conversationId, (sides.get(conversationId) ?? new Set()).add(side));
    expect([...sides.values()].every((side) => side.size === 1)).toBe(true);
  });
  it('never puts one question on both sides, whoever asked it and however it was spelt', () => {
    const spellings = ['Where is it?', ' where IS it', 'Where is it'];
    const asked = Array.from({ length: 300 }, (_, i) =>
      row({ conversationId: conversation(i), userId: `user_${i}`, prompt: question(spellings[i % 3]) }),
    );
    expect(new Set(splitHeldout(asked, 0.2).map(({ split: side }) => side)).size).toBe(1);
  });
  it('keeps together what a conversation and a question link', () => {
    const linked = (first: string, second: string) => [
      row({ conversationId: `${first}-a`, prompt: question(first) }),
      row({ conversationId: `${first}-b`, prompt: question(second) }),
      row({ conversationId: `${first}-b`, prompt: question(first) }),
      row({ conversationId: `${first}-c`, prompt: question(second) }),
    ];
    const numChains = 100;
    const chained = splitHeldout(Array.from({ length: numChains }, (_, i) => linked(`q${i}`, `r${i}`)).flat(), 0.2);
    const sides = Array.from({ length: numChains }, (_, i) => chained.slice(4 * i, 4 * i + 4).map((r) => r.split));
    for (const ofChain of sides) expect(new Set(ofChain).size).toBe(1);
    expect(new Set(sides.flat()).size).toBe(2);
  });
  it('holds out about the share asked for', () => {
    const share = split.filter((r) => r.split === 'heldout').length / split.length;
    expect(share).toBeGreaterThan(0.16);
    expect(share).toBeLessThan(0.24);
  });
  it('never trains on a held-out conversation when more arrive later', () => {
    const early = splitHeldout(rows.slice(0, 500), 0.2);
    expect(split.slice(0, 500)).toEqual(early);
  });
  it('always has something to measure and something to train on, given two conversations about different things', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 4 }), (ids) => {
        const heldout = splitHeldout(
          ids.map((conversationId, i) => row({ conversationId, prompt: question(i) })),
          0.05,
        ).filter(({ split: side }) => side === 'heldout');
        return heldout.length >= 1;
      }),
    );
  });
});

describe('curate', () => {
  const corrections = Array.from({ length: 40 }, (_, i) =>
    reviewed({
      type: 'correction',
      value: null,
      text: `It is ${i}. Over.`,
      feedbackId: `fb_${i}`,
      conversationId: conversation(i),
      prompt: [{ role: 'user', content: `What comes before ${i + 1}?` }],
    }),
  );

  it('keeps the feedback of every row', () => {
    const { rows } = curate(corrections, rules);
    expect(rows).toHaveLength(80);
    expect(new Set(rows.map(({ feedbackId }) => feedbackId)).size).toBe(40);
  });
  it('counts what each filter dropped', () => {
    const suite = reviewed({ prompt: [{ role: 'user', content: 'What is 2 + 2?' }] });
    const { dropped } = curate([...corrections, corrections[0]!, suite, reviewed({ answer: '' })], rules);
    // A liked answer is a demonstration and a thumb.
    expect(dropped).toEqual({ quality: 2, duplicates: 2, 'task suite': 2, length: 0, 'per user': 0 });
  });
  it('sorts rows by what they train', () => {
    const { train, heldout } = toDataset(curate(corrections, rules).rows);
    expect(train.demonstrations.length + heldout.demonstrations.length).toBe(40);
    expect(train.prompts).toHaveLength(train.demonstrations.length);
    expect(train.preferences[0]).toMatchObject({ chosen: expect.stringContaining('Over.'), rejected: 'Paris.' });
  });
});
