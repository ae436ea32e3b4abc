import { describe, expect, it } from 'vitest';
import { readPassages } from '../read-passages.js';
import { markdownSections } from './markdown-sections.js';

const split = async (filename: string, text: string, chunkCharacters = 100, overlapCharacters = 20) =>
  (await readPassages({ filename, content: Buffer.from(text) }, { chunkCharacters, overlapCharacters })).passages;

const sentences = Array.from({ length: 40 }, (_, index) => `Sentence number ${index} speaks of thing ${index}.`);

describe('passages', () => {
  it('are no longer than asked, and lose no word', async () => {
    const passages = await split('a.txt', sentences.join(' '));
    expect(Math.max(...passages.map((passage) => passage.length))).toBeLessThanOrEqual(100);
    for (const sentence of sentences) expect(passages.some((passage) => passage.includes(sentence))).toBe(true);
  });

  it('end where sentences end, full stop included', async () => {
    for (const passage of await split('a.txt', sentences.join(' '))) expect(passage).toMatch(/^Sentence .*\.$/s);
  });

  it('break words only when a word alone is too long', async () => {
    const passages = await split('a.txt', `${'x'.repeat(250)} end`, 100, 0);
    expect(passages.join('').replaceAll(' ', '')).toBe(`${'x'.repeat(250)}end`);
  });

  it('share their edges, so that nothing is lost at a cut', async () => {
    const words = Array.from({ length: 100 }, (_, index) => `w${index}`).join(' ');
    const passages = await split('a.txt', words);
    for (let i = 1; i < passages.length; i++) {
      expect(passages[i - 1]).toContain(passages[i].split(' ')[0]);
    }
  });

  it('terminate even when the overlap asked for is longer than the passage', async () => {
    expect((await split('a.txt', sentences.join(' '), 100, 500)).length).toBeLessThan(200);
  });

  it('are never mere punctuation', async () => {
    expect(await split('a.md', 'Text.\n\n---\n\n***\n\n# Next\n\nMore.')).toEqual(['Text.\n---\n***', 'Next\nMore.']);
    await expect(split('a.txt', '--- ***')).rejects.toThrow('a.txt holds no words');
  });
});

describe('markdown passages', () => {
  it('begin with the headings they stand under', async () => {
    const passages = await split(
      'a.md',
      `# Handbook\n\n## Leave\n\n${sentences.slice(0, 6).join(' ')}\n\n## Pay\n\nMonthly.`,
    );
    expect(passages.length).toBeGreaterThan(3);
    for (const passage of passages.slice(0, -1)) expect(passage).toMatch(/^Handbook > Leave\n/);
    expect(passages.at(-1)).toBe('Handbook > Pay\nMonthly.');
    expect(Math.max(...passages.map((passage) => passage.length))).toBeLessThanOrEqual(100);
  });

  it('take no comment in a code block for a heading', () => {
    expect(markdownSections('# A\n```sh\n# comment\n```\n### C ##\nx\n## B\ny')).toEqual([
      { headings: ['A'], text: '```sh\n# comment\n```' },
      { headings: ['A', 'C'], text: 'x' },
      { headings: ['A', 'B'], text: 'y' },
    ]);
  });
});
