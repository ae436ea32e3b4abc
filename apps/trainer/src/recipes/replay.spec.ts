import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BaseModel } from '../model/base-model.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { microBatches, partOf } from './micro-batches.js';
import { replayedBeside } from './replay.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['over', 'and', 'out']);
});
afterAll(() => rm(model.folder, { recursive: true }));

const total = (weights: readonly number[]) => weights.reduce((sum, weight) => sum + weight, 0);

describe('tasks replayed beside judged answers', () => {
  it('are half as many, and in a mean over the answers each counts alike, as much as the coefficient in all', () => {
    const tasks = replayedBeside({ model }, { coef: 0.5, seed: 3, step: 0, numItems: 6 });
    expect(tasks).toHaveLength(3);
    for (const { weights } of tasks) expect(total(weights) / 6).toBeCloseTo(0.5 / 3, 10);
  });

  it('are other ones at every step, the same for a seed, and none without a coefficient', () => {
    const at = (step: number, coef = 1) => replayedBeside({ model }, { coef, seed: 3, step, numItems: 4 });
    expect(at(0)).toEqual(at(0));
    expect(at(0)).not.toEqual(at(1));
    expect(at(0, 0)).toEqual([]);
  });

  it.each([1, 2, 3, 5])('are shared out whole among parts of %i answers', (size) => {
    const tasks = ['a', 'b', 'c', 'd'];
    const parts = microBatches([1, 2, 3, 4, 5, 6, 7], size);
    expect(parts.flatMap((_, i) => partOf(tasks, i, parts.length))).toEqual(tasks);
  });
});
