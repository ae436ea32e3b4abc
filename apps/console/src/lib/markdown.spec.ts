import { describe, expect, it } from 'vitest';
import { parseInline, parseMarkdown } from './markdown.js';

describe('parseMarkdown', () => {
  it('reads the blocks of a chat answer', () => {
    const blocks = parseMarkdown(
      '# Title\nline one\nline two\n\n- a\n- b\n\n3. c\n4. d\n\n> said\n\n```ts\nx < 1\n```',
    );
    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'quote', 'code']);
    expect(blocks[1]).toMatchObject({ lines: [[{ text: 'line one' }], [{ text: 'line two' }]] });
    expect(blocks[3]).toMatchObject({ ordered: true, start: 3 });
    expect(blocks[5]).toEqual({ kind: 'code', language: 'ts', text: 'x < 1' });
  });

  it('shows an unfinished fence as code while it streams', () => {
    expect(parseMarkdown('see\n```js\nlet a')).toMatchObject([
      { kind: 'paragraph' },
      { kind: 'code', language: 'js', text: 'let a' },
    ]);
  });

  it('leaves HTML the text it is', () => {
    expect(parseMarkdown('<img src=x onerror=alert(1)>')).toEqual([
      { kind: 'paragraph', lines: [[{ kind: 'text', text: '<img src=x onerror=alert(1)>' }]] },
    ]);
  });
});

describe('parseInline', () => {
  it('reads code, strong, emphasis, links and references', () => {
    expect(
      parseInline('a `**b**` **c** *d* _e_ [f](https://g.org/h) [2]').filter((part) => part.kind !== 'text'),
    ).toEqual([
      { kind: 'code', text: '**b**' },
      { kind: 'strong', children: [{ kind: 'text', text: 'c' }] },
      { kind: 'emphasis', children: [{ kind: 'text', text: 'd' }] },
      { kind: 'emphasis', children: [{ kind: 'text', text: 'e' }] },
      { kind: 'link', href: 'https://g.org/h', text: 'f' },
      { kind: 'reference', number: 2 },
    ]);
  });

  it.each(['[x](javascript:alert(1))', '2 * 3 * 4', 'snake_case_name', '** not strong **'])(
    'keeps %s as text',
    (text) => {
      expect(parseInline(text)).toEqual([{ kind: 'text', text }]);
    },
  );
});
