import { tuningJobConfig } from '@attune/contracts';
import type { DeviceWish } from '@attune/runtime';
import { DeviceMemory } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '@attune/platform';
import { loadBaseModel } from './base-model.js';
import { withBaseWeights } from './base-weights.js';

describe('the weights under what a job trains', () => {
  const asked = (config: object) => tuningJobConfig.parse(config);

  it('are the model’s own unless the job says otherwise', async () => {
    const model = await loadBaseModel(loadConfig({}));
    expect(withBaseWeights(model, asked({}))).toBe(model);
    const rounded = withBaseWeights(model, asked({ base_weights: 'int8' }));
    expect(rounded.rounded?.size).toBeGreaterThan(model.parameters.size);
    expect(rounded.parameters).toBe(model.parameters);
  });

  it('are refused where nothing stands still, or a device is named', async () => {
    const model = await loadBaseModel(loadConfig({}));
    expect(() => withBaseWeights(model, asked({ base_weights: 'int8', form: 'full' }))).toThrow('use form "lora"');
    const memory = new DeviceMemory({ kind: 'webgpu' } as never);
    const found = (wish: DeviceWish) => ({ ...model, memory, device: { wish, device: memory.device } });
    const rounded = asked({ base_weights: 'int8' });
    expect(() => withBaseWeights(found('webgpu'), rounded)).toThrow('TRAINER_DEVICE=cpu');
    expect(withBaseWeights(found('auto'), rounded).memory).toBeUndefined();
  });
});
