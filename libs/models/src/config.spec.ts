import { describe, expect, it } from 'vitest';
import {
  inverseFrequencies,
  linearShapes,
  parameterCount,
  parameterShapes,
  parseModelConfig,
  rotaryTables,
} from './index.js';

const json = {
  architectures: ['LlamaForCausalLM'],
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 2048,
  rope_theta: 10000,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: [2, 7],
};

describe('parseModelConfig', () => {
  it('reads config.json as Hugging Face writes it', () => {
    const config = parseModelConfig(json);
    expect(config).toMatchObject({ headDim: 64, numKvHeads: 3, rmsNormEps: 1e-6, qkvBias: false, eosTokenIds: [2, 7] });
    expect(config.ropeScaling).toEqual({ kind: 'none' });
    // SmolLM-135M's published size.
    expect(parameterCount(config)).toBe(134_515_008);
  });

  it('reads rope scaling of every supported kind, under either name', () => {
    const linear = { rope_scaling: { type: 'linear', factor: 2 } };
    expect(parseModelConfig({ ...json, ...linear }).ropeScaling).toEqual({ kind: 'linear', factor: 2 });
    const rope_parameters = {
      rope_type: 'llama3',
      rope_theta: 500000,
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const llama3 = parseModelConfig({ ...json, rope_theta: undefined, rope_parameters });
    expect(llama3.ropeTheta).toBe(500000);
    expect(llama3.ropeScaling).toMatchObject({ kind: 'llama3', originalMaxPositions: 8192 });
  });

  it('names what is missing or not supported', () => {
    expect(() => parseModelConfig({ ...json, hidden_size: undefined })).toThrow('"hidden_size"');
    expect(() => parseModelConfig({ ...json, architectures: ['MambaForCausalLM'] })).toThrow('MambaForCausalLM');
    expect(() => parseModelConfig({ ...json, rope_scaling: { rope_type: 'yarn', factor: 4 } })).toThrow('"yarn"');
    expect(() => parseModelConfig([])).toThrow('architecture');
    expect(() => parseModelConfig(null)).toThrow('JSON object');
  });
});

describe('parameters', () => {
  it('have a head of their own only when not tied, and biases only when asked for', () => {
    expect(parameterShapes(parseModelConfig(json)).has('lm_head.weight')).toBe(false);
    const config = parseModelConfig({ ...json, tie_word_embeddings: false, attention_bias: true });
    expect(parameterShapes(config).get('lm_head.weight')).toEqual([49152, 576]);
    expect(parameterShapes(config).get('model.layers.0.self_attn.k_proj.bias')).toEqual([192]);
    expect(linearShapes(config, 0).get('model.layers.0.mlp.down_proj')).toEqual([576, 1536]);
  });
});

describe('rotary tables', () => {
  it('turn position 0 by nothing and the fastest pair by one radian a position', () => {
    const { cos, sin } = rotaryTables(parseModelConfig(json), 2);
    expect([...cos.subarray(0, 32)].every((value) => value === 1)).toBe(true);
    expect([...sin.subarray(0, 32)].every((value) => value === 0)).toBe(true);
    expect(sin[32]).toBeCloseTo(Math.sin(1), 6);
  });

  it('keep short wavelengths and stretch long ones under llama3 scaling', () => {
    const plain = inverseFrequencies(parseModelConfig(json));
    const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const rope_scaling = { ...scaling, original_max_position_embeddings: 256 };
    const stretched = inverseFrequencies(parseModelConfig({ ...json, rope_scaling }));
    expect(stretched[0]).toBe(plain[0]);
    expect(stretched.at(-1)).toBeCloseTo(plain.at(-1)! / 8, 12);
    expect(stretched.every((value, i) => value <= plain[i]! && value >= plain[i]! / 8)).toBe(true);
  });
});
