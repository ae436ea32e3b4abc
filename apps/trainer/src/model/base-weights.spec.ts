import { tuningJobConfig } from '@attune/contracts';
import type { DeviceWish, Runtime } from '@attune/runtime';
import { DeviceMemory } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '@attune/platform';
import { loadBaseModel } from './base-model.js';
import { withBaseWeights } from './base-weights.js';

describe('the weights under what a job trains', () => {
  const asked = (config: object) => tuningJobConfig.parse(config);

  it('are the model’s own unless the job says otherwise', async () => {
    const model = await loadBaseModel(loadConfig({}));
    expect(await withBaseWeights(model, asked({}))).toBe(model);
    const rounded = await withBaseWeights(model, asked({ base_weights: 'int8' }));
    expect(rounded.rounded?.size).toBeGreaterThan(model.parameters.size);
    expect(rounded.parameters).toBe(model.parameters);
  });

  it('are refused where a device is named', async () => {
    const model = await loadBaseModel(loadConfig({}));
    const memory = new DeviceMemory({ kind: 'webgpu' } as never);
    const found = (wish: DeviceWish) => ({ ...model, memory, device: { wish, device: memory.device } });
    const rounded = asked({ base_weights: 'int8' });
    await expect(withBaseWeights(found('webgpu'), rounded)).rejects.toThrow('TRAINER_DEVICE=cpu');
    expect((await withBaseWeights(found('auto'), rounded)).memory).toBeUndefined();
  });

  it('are refused where the processor would cut sums of 8-bit products off', async () => {
    const model = await loadBaseModel(loadConfig({}));
    const exactProducts = async () => false;
    const cutting = { ...model, runtime: Object.assign(Object.create(model.runtime) as Runtime, { exactProducts }) };
    await expect(withBaseWeights(cutting, asked({ base_weights: 'int8' }))).rejects.toThrow(
      /cuts them off; use .* "fp32"/,
    );
    expect(await withBaseWeights(cutting, asked({}))).toBe(cutting);
  });
});
