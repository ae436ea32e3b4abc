import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffWords } from './diff.js';

const join = (parts: ReturnType<typeof diffWords>, left: 'removed' | 'added') =>
  parts
    .filter((part) => part.kind === 'same' || part.kind === left)
    .map((part) => part.text)
    .join('');

describe('diffWords', () => {
  it('marks only the words that changed', () => {
    expect(diffWords('The sky is green today.', 'The sky is blue today.')).toEqual([
      { kind: 'same', text: 'The sky is ' },
      { kind: 'removed', text: 'green' },
      { kind: 'added', text: 'blue' },
      { kind: 'same', text: ' today.' },
    ]);
    expect(diffWords('Paris', 'It is Paris.')).toEqual([
      { kind: 'added', text: 'It is ' },
      { kind: 'same', text: 'Paris' },
      { kind: 'added', text: '.' },
    ]);
  });

  it('gives both texts back, whatever they are', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ' ', '\n'), { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = diffWords(before, after);
        expect(join(parts, 'removed')).toBe(before);
        expect(join(parts, 'added')).toBe(after);
      }),
    );
  });

  it('still ends when both texts are long and share nothing', () => {
    const parts = diffWords('a b '.repeat(4000), 'c d '.repeat(4000));
    expect(parts.map((part) => part.kind)).toContain('removed');
    expect(join(parts, 'added')).toBe('c d '.repeat(4000));
  });
});
