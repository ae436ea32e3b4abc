import { rm } from 'node:fs/promises';
import { tuningJobConfig } from '@attune/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { row } from '../curation/fixtures.js';
import type { SplitRow } from '../curation/curated-row.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { aiRows } from './ai-rows.js';
import { defaultConstitution } from './default-constitution.js';
import { ServedJudge } from './served-judge.js';

const rows: SplitRow[] = Array.from({ length: 40 }, (_, i) => ({
  ...row({ prompt: [{ role: 'user', content: `Say ship ${i % 32}.` }] }),
  ...(i < 3 ? { kind: 'preference' as const, rejected: 'no' } : {}),
  split: i % 32 === 31 ? 'heldout' : 'train',
}));

describe('rows under a constitution, from a real engine', () => {
  let model: BaseModel;
  beforeAll(async () => {
    model = await tinyModel(['ship', 'port', 'say']);
  });
  afterAll(() => rm(model.folder, { recursive: true }));

  it('mix a judge’s preferences with people’s, on training prompts alone, the same for the same seed', async () => {
    const engine = await loadEngine(model, 1024);
    try {
      const served = { engine, adapter: null };
      const self = new ServedJudge(model, served, { kind: 'base' }, new AbortController().signal);
      const config = tuningJobConfig.parse({ ai_feedback: { revisions: 1, preference_share: 0.4 } });
      const told: string[] = [];
      const plan = { config, principles: defaultConstitution, judge: self, writer: self };
      const make = () => aiRows(rows, { ...plan, journal: { info: (text: string) => void told.push(text) } });
      const made = await make();
      expect(told[0]).toMatch(/beside 3 of people, from 31 prompts$/);
      const preferences = made.filter(({ kind }) => kind === 'preference');
      // 0.4 of the whole beside 3 of people's are 2.
      expect(preferences.length).toBe(2);
      expect(made.filter(({ kind }) => kind === 'demonstration').length).toBeGreaterThan(0);
      for (const { origin, side, feedbackId, prompt } of made) {
        expect([origin, side, feedbackId]).toEqual(['constitution', 'train', null]);
        expect(prompt[0]!.content).not.toBe('Say ship 31.');
      }
      expect(await make()).toEqual(made);
      const long = [{ role: 'user' as const, content: 'ship '.repeat(2000) }];
      expect(await self.answer([long, [{ role: 'user', content: 'Say port.' }]], 1)).toEqual([
        '',
        expect.stringMatching(/./),
      ]);
      expect(await self.letterLogProbs([long], ['A', 'B'])).toEqual([[0, 0]]);
    } finally {
      await engine.close();
    }
  });
});
