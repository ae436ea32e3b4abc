import { describe, expect, it } from 'vitest';
import { curate } from './curate.js';
import { reviewed } from './fixtures.js';
import { toThumbs } from './thumbs.js';

describe('thumbs', () => {
  it('judge one answer each, liked or not', () => {
    const rows = toThumbs([reviewed(), reviewed({ feedbackId: 'fb_2', value: 'down', answer: 'Lyon.' })]);
    expect(
      rows.map(({ kind, chosen, rejected, label, feedbackId }) => [kind, chosen, rejected, label, feedbackId]),
    ).toEqual([
      ['thumb', 'Paris.', null, true, 'fb_1'],
      ['thumb', 'Lyon.', null, false, 'fb_2'],
    ]);
  });
  it('leave out a liked answer that was cut or rewritten; a disliked one still counts', () => {
    expect(toThumbs([reviewed({ answerCut: true }), reviewed({ editedText: 'Paris, of course.' })])).toEqual([]);
    expect(toThumbs([reviewed({ value: 'down', answerCut: true })])).toHaveLength(1);
  });
  it('are no matter of other feedback', () => {
    expect(toThumbs([reviewed({ type: 'correction', value: null, text: 'Paris!' })])).toEqual([]);
  });
  it('keep what people disliked however garbled it is, and both verdicts on one answer', () => {
    const loop = Array.from({ length: 30 }, () => 'la').join(' ');
    const feedback = [
      reviewed({ value: 'down', answer: loop }),
      reviewed({ feedbackId: 'fb_2', value: 'up', answer: 'Paris.' }),
      reviewed({ feedbackId: 'fb_3', value: 'down', answer: 'Paris.' }),
    ];
    const rules = { maxRowsPerUser: 9, heldoutShare: 0.2, maxTokens: 999, countTokens: () => 1, suiteQuestions: [] };
    const thumbs = curate(feedback, rules).rows.filter(({ kind }) => kind === 'thumb');
    expect(thumbs.map(({ label }) => label)).toEqual([false, true, false]);
  });
});
