import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dataDigest } from './publish-model.js';
import { recipe } from './recipe.js';

const manifest = JSON.parse(
  readFileSync(new URL('../../../../models/attune-mini/manifest.json', import.meta.url), 'utf8'),
);

it('the bundled model comes from the recipe and the data that this repository has', () => {
  expect(manifest.recipe).toEqual(recipe);
  expect(dataDigest(recipe.seed)).toBe(manifest.dataSha256);
});
