import { headName, parseModelConfig, roundedBytes, roundedNames } from '@attune/models';
import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { estimateTrainingMemory } from './memory.js';
import { initialParameters } from './parameters.js';
import { roundBase } from './rounded-base.js';

const configOf = (isTied: boolean) =>
  parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    vocab_size: 96,
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    tie_word_embeddings: isTied,
  });

describe.each([true, false])('weights in 8 bits, the head tied: %s', (isTied) => {
  const config = configOf(isTied);
  const base = initialParameters(config, createRandom(1));
  const rounded = roundBase(config, base);

  it('are kept only as graphs read them: the head, whose derivative is in fp32, by column alone', () => {
    const names = roundedNames(headName(config));
    expect(rounded.has(names.columns)).toBe(true);
    expect(rounded.has(names.rows)).toBe(false);
    expect(rounded.get(headName(config))).toBe(base.get(headName(config)));
  });

  it('are counted in the estimate, the embeddings among them', () => {
    const made = [...rounded].filter(([name]) => !base.has(name));
    const bytes = made.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    expect(bytes).toBe(roundedBytes(config));
    const weightsOf = (baseWeights: 'fp32' | 'int8') =>
      estimateTrainingMemory(config, { kind: 'soft-prompt', numTokens: 1 }, { rows: 1, length: 8 }, {}, baseWeights)
        .weights;
    const columns = made.filter(([name]) => name.endsWith('.columns'));
    const packed = columns.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    expect(weightsOf('int8') - weightsOf('fp32')).toBe(bytes + packed);
  });
});
