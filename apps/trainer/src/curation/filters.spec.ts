import { describe, expect, it } from 'vitest';
import { decontaminate } from './decontaminate.js';
import { dedupe } from './dedupe.js';
import { row } from './fixtures.js';
import { limitLength } from './length.js';
import { capPerUser } from './per-user-cap.js';
import { keepUsable } from './quality.js';
import { redactPii, redactText } from './redact-pii.js';

const reasons = (filtered: { dropped: readonly { reason: string }[] }) => filtered.dropped.map(({ reason }) => reason);
const ask = (content: string) => [{ role: 'user' as const, content }];

describe('dedupe', () => {
  it('keeps the first of equal rows, whatever the spelling of the question', () => {
    const rows = [row(), row({ feedbackId: 'fb_2', prompt: ask('  what is the CAPITAL of France? ') })];
    expect(dedupe(rows).kept.map(({ feedbackId }) => feedbackId)).toEqual(['fb_1']);
  });
  it('keeps answers that differ by one sign', () => {
    expect(dedupe([row(), row({ chosen: 'Paris' })]).kept).toHaveLength(2);
  });
  it('keeps the same question under another system message', () => {
    const steered = [{ role: 'system' as const, content: 'Answer in verse.' }, ...row().prompt];
    expect(dedupe([row(), row({ prompt: steered })]).kept).toHaveLength(2);
  });
});

describe('per-user cap', () => {
  it('keeps each user’s newest rows, in order', () => {
    const rows = ['a1', 'b1', 'a2', 'a3'].map((feedbackId) => row({ feedbackId, userId: feedbackId[0] }));
    const { kept, dropped } = capPerUser(rows, 2);
    expect(kept.map(({ feedbackId }) => feedbackId)).toEqual(['b1', 'a2', 'a3']);
    expect(dropped.map(({ row }) => row.feedbackId)).toEqual(['a1']);
  });
});

describe('length', () => {
  it('counts prompt and the longer answer together', () => {
    const count = (messages: readonly { content: string }[]) =>
      messages
        .map((m) => m.content)
        .join(' ')
        .split(' ').length;
    const pair = row({ kind: 'preference', chosen: 'a', rejected: 'b c d e' });
    expect(limitLength([pair], 10, count).kept).toHaveLength(1);
    expect(reasons(limitLength([pair], 9, count))).toEqual(['has 10 tokens, more than the 9 of a training row']);
  });
});

describe('quality', () => {
  it.each([
    ['has no question', row({ prompt: [{ role: 'system', content: 'Be kind.' }] })],
    ['has an empty answer to learn', row({ chosen: ' \n' })],
    ['has characters that were not decoded', row({ chosen: 'Par\uFFFDs' })],
    ['repeats itself', row({ chosen: 'no no '.repeat(20) })],
    ['prefers an answer to nothing', row({ kind: 'preference', rejected: ' ' })],
    ['prefers an answer to itself', row({ kind: 'preference', rejected: 'Paris. ' })],
  ])('drops a row that %s', (reason, bad) => {
    expect(reasons(keepUsable([bad]))).toEqual([reason]);
  });
  it('keeps short, long and repeated-but-sensible answers', () => {
    const answers = ['4', 'ha ha ha', Array.from({ length: 40 }, (_, i) => `item ${i}`).join(', ')];
    expect(keepUsable(answers.map((chosen) => row({ chosen }))).kept).toHaveLength(3);
  });
});

describe('decontaminate', () => {
  it('drops questions of the task suite, however they are spelt', () => {
    const { dropped } = decontaminate([row()], ['what is the capital of  France']);
    expect(dropped).toHaveLength(1);
  });
  it('looks at the last question, not at the talk before it', () => {
    const prompt = [...row().prompt, { role: 'assistant' as const, content: 'Paris.' }, ...ask('And of Spain?')];
    expect(decontaminate([row({ prompt })], ['What is the capital of France?']).kept).toHaveLength(1);
  });
});

describe('redact PII', () => {
  it.each([
    ['write to ann.lee+x@mail.example.org now', 'write to [email] now'],
    ['call +44 20 7946 0958, please', 'call [phone], please'],
    ['call (030) 1234-56789.', 'call [phone].'],
    ['tel 555-123-4567', 'tel [phone]'],
  ])('%s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });
  it.each(['12 + 34 = 46', 'on 2024-01-15 10:30', 'sort 3, 1, 2, 9, 8, 7, 6, 5, 4', 'room 1234', 'a@b', '1 2 3 4 5'])(
    'leaves alone: %s',
    (text) => expect(redactText(text)).toBe(text),
  );
  it('covers prompt and both answers', () => {
    const mail = 'x@y.org';
    const redacted = redactPii(row({ prompt: ask(mail), chosen: mail, rejected: mail }));
    expect(JSON.stringify(redacted)).not.toContain(mail);
  });
});
