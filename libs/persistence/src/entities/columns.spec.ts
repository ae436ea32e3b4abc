import { expect, it } from 'vitest';
import { storable, storableJsonText } from './columns.js';

it('replaces what PostgreSQL refuses and nothing else', () => {
  expect(storable('a\u0000b \ud83d c \udc4d \u{1f600} é')).toBe('a\ufffdb \ufffd c \ufffd \u{1f600} é');
  expect(JSON.parse(storableJsonText({ list: ['\u0000', 1, null], deep: { text: '\ud83d' } }))).toEqual({
    list: ['\ufffd', 1, null],
    deep: { text: '\ufffd' },
  });
});
