import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { expect, it } from 'vitest';
import {
  dpo,
  grpo,
  initialParameters,
  initialRewardHead,
  initialValueHead,
  ipo,
  kto,
  ModelGraph,
  type Objective,
  ppo,
  rewardModel,
  rloo,
  sft,
} from '../index.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 7,
  hidden_size: 4,
  intermediate_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  tie_word_embeddings: true,
});
const random = createRandom(1);
const parameters = new Map([
  ...initialParameters(config, random),
  ...initialRewardHead(config, random),
  ...initialValueHead(config),
]);
const objectives: readonly Objective<never>[] = [
  sft(),
  rewardModel({ thumbCoef: 1 }),
  dpo({ beta: 0.1 }),
  ipo({ beta: 0.1 }),
  kto({ beta: 0.1, desirableWeight: 1, undesirableWeight: 1 }),
  ppo({ clipRange: 0.2, valueClipRange: 0.2, valueCoef: 0.1, klCoef: 0.1, ptxCoef: 1 }),
  grpo({ clipRange: 0.2, klCoef: 0.1 }),
  rloo({ clipRange: 0.2 }),
];

it.each(objectives.map((objective) => [objective.name, objective] as const))(
  'docs/metrics.md explains every metric of %s',
  (_, objective) => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../../../../docs/metrics.md'), 'utf8');
    const { metricSums = {} } = objective.build(new ModelGraph('metrics', config, parameters, 1));
    for (const name of Object.keys(metricSums)) {
      const logged = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      expect(page, name).toContain(`| \`${logged}\` `);
    }
  },
);
