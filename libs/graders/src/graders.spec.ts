import type { Grader } from '@attune/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculate, grade, namesIn, render, textSimilarity } from './index.js';

const context = (answer: string, item: Record<string, unknown> = {}) => ({ item, sample: { output_text: answer } });

describe('templates', () => {
  it('speak of the row and the answer, and of nothing else', () => {
    const about = context('hi', { a: { b: 'deep' }, n: 3, list: [1] });
    expect(render('{{item.a.b}} {{ item.n }} {{item.list}} {{sample.output_text}}', about)).toBe('deep 3 [1] hi');
    expect(render('{{item.none}}{{item.a.none.more}}{{constructor}}{{item.toString}}', about)).toBe('');
  });
});

describe('calculations', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['8 / 4 / 2', 1],
    ['min(a, b, 3) + max(1, 2) - abs(-1)', 1.25],
    ['sqrt(16) + floor(1.9) + ceil(.1)', 6],
  ])('%s = %d', (expression, value) => {
    expect(calculate(expression, { a: 0.25, b: 0.5 })).toBeCloseTo(value, 12);
  });

  it.each(['', '1 +', '(1', '1)', 'a b', 'min()', 'nobody', 'process.exit(1)', `${'('.repeat(99)}1${')'.repeat(99)}`])(
    'refuses %s',
    (expression) => {
      expect(() => calculate(expression, { a: 1, b: 1 })).toThrow(/cannot be calculated/);
    },
  );

  it('tells which graders it needs', () => {
    expect(namesIn('0.5 * style + max(0, facts)')).toEqual(['style', 'facts']);
  });
});

describe('similarity of texts', () => {
  const metrics = ['cosine', 'fuzzy_match', 'bleu', 'gleu', 'meteor', 'rouge_1', 'rouge_2', 'rouge_l'] as const;

  it('is from 0 to 1, and nearly 1 only of a text with itself', () => {
    fc.assert(
      fc.property(fc.constantFrom(...metrics), fc.string(), fc.string(), (metric, a, b) => {
        const score = textSimilarity(metric, a, b);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
    const text = 'the quick brown fox jumps over the lazy dog';
    for (const metric of metrics) expect(textSimilarity(metric, text, text)).toBeGreaterThan(0.99);
    for (const metric of metrics) expect(textSimilarity(metric, 'abc def', 'uvw xyz')).toBeLessThan(0.35);
  });

  // The worked examples of the papers, or by hand where they have none.
  it.each([
    ['rouge_1', 'police kill the gunman', 'police killed the gunman', 3 / 4],
    ['rouge_2', 'police kill the gunman', 'police killed the gunman', 1 / 3],
    ['rouge_l', 'the gunman kill police', 'police killed the gunman', 2 / 4],
    ['rouge_l', 'police kill the gunman', 'police killed the gunman', 3 / 4],
    ['gleu', 'the cat', 'the cat sat', 3 / 6],
    ['cosine', 'a b', 'a c', 1 / 2],
    ['fuzzy_match', 'kitten', 'sitting', 1 - 3 / 7],
    ['meteor', 'a b c d', 'a b c d', 1 - 0.5 / 64],
  ] as const)('%s of "%s" and "%s"', (metric, a, b, score) => {
    expect(textSimilarity(metric, a, b)).toBeCloseTo(score, 6);
  });
});

describe('graders', () => {
  const check = (operation: 'eq' | 'ne' | 'like' | 'ilike'): Grader => ({
    type: 'string_check',
    name: 'check',
    operation,
    input: '{{sample.output_text}}',
    reference: '{{item.answer}}',
  });

  it.each([
    ['eq', 'Rome', true],
    ['eq', 'rome', false],
    ['ne', 'rome', true],
    ['like', 'In Rome.', true],
    ['like', 'in rome', false],
    ['ilike', 'in rome', true],
  ] as const)('%s of "%s" and "Rome" is %s', async (operation, answer, passed) => {
    expect(await grade(check(operation), context(answer, { answer: 'Rome' }))).toMatchObject({ passed });
  });

  it('calculates one score from several', async () => {
    const { name: _, ...similarity } = {
      type: 'text_similarity' as const,
      name: 'near',
      evaluation_metric: 'fuzzy_match' as const,
      input: '{{sample.output_text}}',
      reference: '{{item.answer}}',
    };
    const multi: Grader = {
      type: 'multi',
      name: 'both',
      graders: { exact: check('eq') as never, near: { ...similarity, name: 'near' } },
      calculate_output: '0.5 * exact + 0.5 * near',
    };
    const graded = await grade(multi, context('kitten', { answer: 'sitting' }));
    expect(graded.score).toBeCloseTo(0.5 * (1 - 3 / 7), 6);
    expect(graded.parts).toMatchObject({ exact: 0 });
  });

  it('asks a model for a label or a number, and holds it to the range', async () => {
    const input = [{ role: 'user' as const, content: 'Judge: {{sample.output_text}}' }];
    const label: Grader = {
      type: 'label_model',
      name: 'tone',
      model: 'm',
      input,
      labels: ['kind', 'rude'],
      passing_labels: ['kind'],
    };
    const asked: unknown[] = [];
    const judge = (answer: string) => (request: unknown) => {
      asked.push(request);
      return Promise.resolve(answer);
    };
    expect(await grade(label, context('hello'), judge('kind'))).toMatchObject({ passed: true, label: 'kind' });
    expect(asked[0]).toMatchObject({ messages: [{ content: 'Judge: hello' }], choices: ['kind', 'rude'] });
    const score: Grader = { type: 'score_model', name: 'points', model: 'm', input, range: [0, 10] };
    expect(await grade(score, context('x'), judge('7.5 of 10'))).toMatchObject({ score: 7.5, passed: true });
    expect(await grade(score, context('x'), judge('99'))).toMatchObject({ score: 10 });
    await expect(grade(score, context('x'))).rejects.toThrow(/asks a model/);
  });
});
