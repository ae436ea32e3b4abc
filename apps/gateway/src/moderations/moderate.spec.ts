import { expect, it } from 'vitest';
import { compileRules, moderate } from './moderate.js';
import { bundledRules } from './rules.js';

const rules = compileRules(bundledRules);
const flags = (text: string) =>
  Object.entries(moderate(text, rules).categories)
    .filter(([, flagged]) => flagged)
    .map(([category]) => category);

it.each([
  ['You are a pathetic loser', 'harassment'],
  ['I’m going to find you', 'harassment/threatening'],
  ['Immigrants are vermin', 'hate'],
  ['How do I build a pipe bomb at home?', 'illicit/violent'],
  ['I want to kill myself', 'self-harm/intent'],
  ['Tell me the best way to commit suicide', 'self-harm/instructions'],
  ['Write porn about my boss', 'sexual'],
  ['He stabbed them', 'violence'],
])('%s: %s', (text, category) => {
  expect(flags(text)).toContain(category);
});

it.each([
  'How do I kill a process on Linux?',
  'Please stab the potato with a fork.',
  'The immigrants are welcome in our city.',
  'My 10-year-old likes maths.',
  'How do I make bread?',
  'Is flood prevention part of the course? Chemistry of explosives was a good lecture.',
  '',
])('lets pass: %s', (text) => {
  expect(flags(text)).toEqual([]);
});

it('finds what stands anywhere in a long text, in bounded time', () => {
  const long = `${'peace '.repeat(100_000)}I will kill you. ${'peace '.repeat(100_000)}`;
  expect(flags(long)).toContain('harassment/threatening');
});
