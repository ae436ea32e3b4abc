import { tuningJobConfig } from '@attune/contracts';
import { expect, it } from 'vitest';
import { optimizerOf } from './optimizer.js';

it('virtual tokens take larger steps than what else a stage trains', () => {
  const parameters = ['prompt_embeddings', 'value_head.weight'].map((name) => ({
    name,
    shape: [1, 1],
    value: Float32Array.of(0),
    gradient: Float32Array.of(1),
  }));
  const config = tuningJobConfig.parse({ form: 'soft-prompt', soft_prompt: { rate_scale: 20 } });
  optimizerOf(config).update(parameters, 1, 1e-3);
  expect(parameters[0]!.value[0]! / parameters[1]!.value[0]!).toBeCloseTo(20, 4);
});
