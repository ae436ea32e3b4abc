import { describe, expect, it } from 'vitest';
import { toDemonstrations } from './demonstrations.js';
import { reviewed } from './fixtures.js';
import { toPreferences } from './preferences.js';

const pairsOf = (...feedback: Parameters<typeof toPreferences>[0]) =>
  toPreferences(feedback).map(({ chosen, rejected }) => [chosen, rejected]);

describe('demonstrations', () => {
  it('learns a correction, not the answer it corrects', () => {
    const [row] = toDemonstrations([reviewed({ type: 'correction', value: null, text: 'Paris. Over.' })]);
    expect(row).toMatchObject({ kind: 'demonstration', chosen: 'Paris. Over.', rejected: null, feedbackId: 'fb_1' });
  });
  it('learns a liked answer', () => {
    expect(toDemonstrations([reviewed()])[0]?.chosen).toBe('Paris.');
  });
  it('learns no answer that was cut, but what people wrote in its place', () => {
    expect(toDemonstrations([reviewed({ answerCut: true })])).toEqual([]);
    const corrected = reviewed({ type: 'correction', value: null, text: 'Paris.', answer: 'It is P', answerCut: true });
    expect(toDemonstrations([corrected])[0]?.chosen).toBe('Paris.');
  });
  it('learns the reviewer’s wording before the user’s', () => {
    const edited = reviewed({ type: 'correction', value: null, text: 'paris', editedText: 'It is Paris.' });
    expect(toDemonstrations([edited])[0]?.chosen).toBe('It is Paris.');
  });
  it('learns nothing from a dislike, a comment or a bare choice', () => {
    const feedback = [
      reviewed({ value: 'down' }),
      reviewed({ type: 'comment', value: null }),
      reviewed({ type: 'choice', value: null, rejectedAnswer: 'Rome.' }),
    ];
    expect(toDemonstrations(feedback)).toEqual([]);
  });
});

describe('preferences', () => {
  it('prefers the chosen answer', () => {
    expect(pairsOf(reviewed({ type: 'choice', value: null, rejectedAnswer: 'Rome.' }))).toEqual([['Paris.', 'Rome.']]);
  });
  it('prefers no answer that was cut, but others to it', () => {
    const choice = reviewed({
      type: 'choice',
      value: null,
      rejectedAnswer: 'Rome.',
      answer: 'It is P',
      answerCut: true,
    });
    expect(pairsOf(choice)).toEqual([]);
    expect(pairsOf({ ...choice, editedText: 'It is Paris.' })).toEqual([['It is Paris.', 'It is P']]);
  });
  it('prefers a correction to the answer it corrects', () => {
    expect(pairsOf(reviewed({ type: 'correction', value: null, text: 'Lyon.' }))).toEqual([['Lyon.', 'Paris.']]);
  });
  it('puts a reviewer’s edit above both answers of a choice', () => {
    const edited = reviewed({ type: 'choice', value: null, rejectedAnswer: 'Rome.', editedText: 'It is Paris.' });
    expect(pairsOf(edited)).toEqual([
      ['It is Paris.', 'Paris.'],
      ['Paris.', 'Rome.'],
    ]);
  });
  it('makes no pair of a thumb alone: thumbs are never the only reward', () => {
    expect(pairsOf(reviewed(), reviewed({ value: 'down' }))).toEqual([]);
  });
});
