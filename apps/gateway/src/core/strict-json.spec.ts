import { assert, json, jsonValue, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from './strict-json.js';

const read = (text: string) => parseStrictJson(Buffer.from(text));

describe('a JSON body', () => {
  it('is read as JSON.parse reads it', () => {
    const sameAsJson = (text: string) => {
      expect(read(text)).toEqual(JSON.parse(text));
    };
    assert(property(json({ maxDepth: 6 }), sameAsJson), { seed: 1 });
    assert(
      property(jsonValue(), (value) => sameAsJson(JSON.stringify(value, null, 2))),
      { seed: 2 },
    );
    expect(read('')).toBeUndefined();
  });

  it.each([
    ['{"a":1,"b":{"a":2},"a":3}', 'duplicate_key'],
    ['[{"x":[{"y":1,"y":1}]}]', 'duplicate_key'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key'],
    ['['.repeat(200) + ']'.repeat(200), 'too_deep'],
    ['{"a":', 'invalid_json'],
    ['nonsense', 'invalid_json'],
  ])('%.40s is refused as %s', (text, code) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ kind: 'invalid_request', code }));
  });

  it('is refused where it is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expect(() => parseStrictJson(bytes)).toThrow(expect.objectContaining({ code: 'invalid_utf8' }));
  });

  it('may say the same key in different objects, and keys in strings', () => {
    expect(read('{"a":{"k":1},"b":{"k":"\\"k\\":1,{"},"c":["k","k"]}')).toBeDefined();
  });
});
