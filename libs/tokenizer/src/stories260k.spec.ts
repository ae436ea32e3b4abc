import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from './tokenizer.js';

const weights = path.resolve('../shared/data/weights/stories260K');
const present = existsSync(weights);

/** A real tokenizer of the sentencepiece kind: "▁" for spaces, byte fallback, BOS added by the post-processor. */
describe.skipIf(!present)(`stories260K${present ? '' : ' (skipped: ../shared/data is absent)'}`, () => {
  let tokenizer: Tokenizer;
  let story: string;
  beforeAll(async () => {
    tokenizer = await Tokenizer.fromFolder(path.join(weights, 'hf'));
    story = readFileSync(path.join(weights, 'expected_greedy.txt'), 'utf8');
  });

  it('gives back a story and unknown characters exactly', () => {
    for (const text of [story, 'Lily – 日本 é 🎉', ' two  spaces']) {
      expect(tokenizer.decode(tokenizer.encode(text, { addSpecial: true }))).toBe(text);
    }
  });

  it('adds BOS only when asked to', () => {
    expect(tokenizer.bosId).toBe(1);
    expect(tokenizer.encode('Once', { addSpecial: true })).toEqual([1, ...tokenizer.encode('Once')]);
  });

  it('streams the spaces between words although its decoder strips the first one', () => {
    const stream = tokenizer.streamDecoder();
    const text =
      tokenizer
        .encode(`${story} é日`)
        .map((id) => stream.push(id))
        .join('') + stream.flush();
    expect(text).toBe(`${story} é日`);
  });

  it('has no chat template, so messages reach it as plain text', () => {
    const ids = tokenizer.encodeChat([{ role: 'user', content: 'Once upon a time' }], { addGenerationPrompt: true });
    expect(ids[0]).toBe(1);
    expect(tokenizer.decode(ids).trim()).toBe('Once upon a time');
  });
});
