import { rm } from 'node:fs/promises';
import { tuningJobConfig } from '@attune/contracts';
import { roundedNames } from '@attune/models';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BaseModel } from '../model/base-model.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { memoryContext } from './memory-context.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['ship', 'port', 'sea']);
});
afterAll(() => rm(model.folder, { recursive: true }));

it('rehearses over the base weights that the job asks for', async () => {
  const nothing = () => undefined;
  const journal = { step: nothing, progress: nothing, info: nothing, warn: nothing, flush: async () => undefined };
  const contextOf = (config: object) => memoryContext({ model, journal }, tuningJobConfig.parse(config));
  expect((await contextOf({})).model.rounded).toBeUndefined();
  const { rounded } = (await contextOf({ base_weights: 'int8' })).model;
  expect(rounded?.has(roundedNames('model.layers.0.mlp.up_proj.weight').rows)).toBe(true);
});
