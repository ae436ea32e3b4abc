import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fillSettings } from './print-settings.js';

it('docs/objectives.md has the settings as they are; if not, run `node scripts/print-objectives.mjs`', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/objectives.md'), 'utf8');
  expect(page).toContain('<!-- settings: ppo -->');
  expect(page).toBe(fillSettings(page));
});

it('fills a block and leaves the rest alone', () => {
  const page = fillSettings('before\n<!-- settings: lora -->\nold\n<!-- /settings -->\nafter');
  expect(page).toMatch(/^before\n/);
  expect(page).toMatch(/after$/);
  expect(page).not.toContain('old');
  expect(page).toMatch(/\| `rank` +\| `16` +\| Inner width of the two factors\. +\|/);
  expect(() => fillSettings('<!-- settings: nothing -->x<!-- /settings -->')).toThrow('called "nothing"');
});
