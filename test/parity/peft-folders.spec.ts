import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readAdapter, writeAdapter } from '@attune/checkpoint';
import { collect, Engine } from '@attune/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const fixtures = path.join(import.meta.dirname, 'fixtures/peft');
const { prompt, answers } = JSON.parse(readFileSync(path.join(fixtures, 'answers.json'), 'utf8')) as {
  prompt: number[];
  answers: Record<string, { tokens: number[]; logProbs: number[] }>;
};

describe('an adapter that PEFT saved', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.load({ model: path.join(fixtures, 'model'), slots: 4, threads: 1, spinning: false });
  });
  afterAll(() => engine.close());

  it.each(Object.keys(answers))('answers as transformers answers with it: %s', async (name) => {
    const { adapter } = await engine.loadAdapter(await readAdapter(path.join(fixtures, name)));
    const greedy = { promptIds: prompt, maxTokens: 12, sampling: { temperature: 0 }, logProbs: true };
    const { tokens, logProbs } = await collect(engine.generate({ id: name, ...greedy, adapter }));
    const want = answers[name]!;
    expect(tokens).toEqual(want.tokens);
    logProbs.forEach((logProb, i) => expect(Math.abs(logProb - want.logProbs[i]!)).toBeLessThan(1e-5));
  });

  it.each(Object.keys(answers))('is the same adapter when it was written again: %s', async (name) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'attune peft '));
    try {
      const read = await readAdapter(path.join(fixtures, name));
      await writeAdapter(folder, { ...read, baseModel: 'tiny' });
      expect(await readAdapter(folder)).toEqual({ ...read, baseModel: 'tiny' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
