import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OutputStructure } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import {
  CALL,
  END,
  fits,
  idsOf,
  LITERAL,
  open,
  person,
  tags,
  useCompilers,
  walk,
} from '../../../test/support/ascii-structures.js';
import { allows } from './matcher.js';
import { settleEnd } from './shared-matcher.js';
import { readVocabulary } from './vocabulary.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const compiler = useCompilers();

describe('a structure', () => {
  it.each<[OutputStructure, string[], string[]]>([
    [{ type: 'json_object' }, ['{}', '{"a": [1, {"b": null}]}'], ['[1]', '"a"', '{"a"}']],
    [
      { type: 'json_schema', schema: person },
      ['{"name": "Ann", "age": 3}'],
      ['{"name": "Ann"}', '{"name": 3, "age": 3}', '{}', 'Ann'],
    ],
    [{ type: 'regex', pattern: '[0-9]{2,3}-(x|y)' }, ['12-x', '123-y'], ['1-x', '12-z', '1234-x']],
    [
      { type: 'choice', choices: ['yes', 'yesterday', 'no "way"\n'] },
      ['yes', 'yesterday', 'no "way"\n'],
      ['yest', 'maybe'],
    ],
    [{ type: 'grammar', ebnf: 'root ::= "a" digits\ndigits ::= [0-9]+' }, ['a1', 'a123'], ['a', '1']],
    [
      tags(),
      ['', 'hello', 'so <tool>{"name": "find", "arguments": {"q": "x"}}</tool> and on', 'a <b'],
      ['<tool>', 'x <tool>{"name": "other"'],
    ],
    [tags({ atLeastOne: true }), ['<tool>{"name": "send", "arguments": {"q": ""}}</tool>'], ['', 'hello']],
    [
      tags({ stopAfterFirst: true }),
      ['hi', 'x<tool>{"name": "send", "arguments": {"q": ""}}</tool>'],
      ['<tool>{"name": "send", "arguments": {"q": ""}}</tool>y'],
    ],
  ])('%j lets through what fits it and nothing else', async (structure, good, bad) => {
    const on = compiler();
    for (const text of good) expect([text, await fits(structure, text, on)]).toEqual([text, true]);
    for (const text of bad) expect([text, await fits(structure, text, on)]).toEqual([text, false]);
  });

  it('is complete when nothing but the end can follow, with and without stop tokens', async () => {
    const choice: OutputStructure = { type: 'choice', choices: ['yes', 'yesterday'] };
    const on = compiler();
    for (const stopIds of [[END], []]) {
      const matcher = await open(choice, on, stopIds);
      idsOf('yes').forEach((id) => matcher.accept(id));
      expect(matcher.state).toBe('open');
      expect(allows(matcher.mask(), END)).toBe(stopIds.length > 0);
      idsOf('terday').forEach((id) => matcher.accept(id));
      expect(matcher.state).toBe('complete');
    }
  });

  it('can be walked back, as far as the beginning', async () => {
    const matcher = await open({ type: 'choice', choices: ['abc', 'xyz'] }, compiler());
    const start = matcher.mask().slice();
    idsOf('ab').forEach((id) => matcher.accept(id));
    const middle = matcher.mask().slice();
    matcher.accept(idsOf('c')[0]!);
    matcher.rollback(1);
    expect(matcher.mask()).toEqual(middle);
    matcher.rollback(2);
    expect(matcher.mask()).toEqual(start);
    expect(allows(start, LITERAL)).toBe(true); // the token "ab" fits just as well
  });

  it('never lets a control token through as text, except in tags that spell it out', async () => {
    const any = await open({ type: 'regex', pattern: '.*' }, compiler());
    expect(allows(any.mask(), CALL)).toBe(false);
    expect(allows(any.mask(), END)).toBe(true);
    const on = compiler();
    const tag = { begin: '<call>', schema: { type: 'integer' }, end: '.' };
    const matcher = await open(tags({ triggers: ['<call>'], tags: [tag], atLeastOne: true }), on);
    expect(allows(matcher.mask(), CALL)).toBe(true);
    matcher.accept(CALL);
    expect(walk(matcher, '12.')).toMatchObject({ taken: '12.', mayEnd: true });
  });

  it('allows stop tokens exactly where it may end', () => {
    const end = Int32Array.of(0b10001, 1);
    expect(settleEnd(end, [1], 32)).toBe('open');
    expect([...end]).toEqual([0b10011, 0]);
    const middle = Int32Array.of(0b10011, 0);
    expect(settleEnd(middle, [1], 32)).toBe('open');
    expect([...middle]).toEqual([0b10001, 0]);
    expect(settleEnd(Int32Array.of(0b10, 1), [1], 32)).toBe('complete');
    expect(settleEnd(Int32Array.of(0b10, 0), [1], 32)).toBe('stuck');
  });

  it('ends with an error, not in waiting, when its thread is gone', async () => {
    const on = compiler();
    const matcher = await open({ type: 'regex', pattern: 'a*' }, on);
    matcher.mask();
    on.close();
    matcher.accept(idsOf('a')[0]!);
    expect(() => matcher.mask()).toThrow(/thread .* ended/);
  });

  it('that fits no token of the vocabulary is stuck, not complete', async () => {
    expect((await open({ type: 'choice', choices: ['é'] }, compiler())).state).toBe('stuck');
  });
});

describe('a real tokenizer', () => {
  const bundled = path.join(root, 'models/attune-mini/tokenizer.json');
  const stories = path.join(root, '../shared/data/weights/stories260K/hf/tokenizer.json');
  const files = [bundled, stories].filter((file) => existsSync(file));

  it.each(files)('%s reaches every text of a grammar, with the space its decoder drops', async (file) => {
    const vocabulary = await readVocabulary(file);
    expect(vocabulary.stripsFirstSpace).toBe(true);
    const size = vocabulary.pieces.length;
    const on = compiler({ vocabulary: async () => vocabulary, vocabSize: size });
    const matcher = await open({ type: 'choice', choices: ['the dog'] }, on, []);
    let text = '';
    while (matcher.state === 'open') {
      const mask = matcher.mask();
      const token = Array.from({ length: size }, (_, id) => id).findLast((id) => allows(mask, id))!;
      matcher.accept(token);
      text += vocabulary.pieces[token]!.replaceAll(/[▁Ġ]/g, ' ');
    }
    expect(text).toBe(' the dog');
    expect(matcher.state).toBe('complete');
  });
});
