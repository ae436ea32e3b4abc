import { adapterInputs, adapterSites, parameterShapes, parseModelConfig } from '@attune/models';
import type { Runtime, Session } from '@attune/runtime';
import { expect, it } from 'vitest';
import type { LayerUpdate } from '../adapters-prepared.js';
import { ServingSessions } from './serving-sessions.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  vocab_size: 32,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
});
const shapes = new Map(parameterShapes(config));
const read = (name: string) => new Float32Array(shapes.get(name)!.reduce((all, dim) => all * dim, 1)).fill(0.5);

/** A runtime that makes so many sessions and then has no memory left. */
function runtimeFor(numSessions: number, exactProducts = true) {
  const open = new Set<number>();
  let made = 0;
  const runtime = {
    shareWeights: () => ({}),
    trimMemory: () => {},
    exactProducts: async () => exactProducts,
    createSession: async () => {
      const number = made++;
      if (number >= numSessions) throw new Error('out of memory');
      open.add(number);
      return { release: () => void open.delete(number) } as unknown as Session;
    },
  };
  return { runtime: runtime as unknown as Runtime, open };
}

it('leaves no session behind when the second cannot be made', async () => {
  const { runtime, open } = runtimeFor(1);
  const options = { format: 'int4', kv: 'fp32', maxSeq: 32 } as const;
  await expect(ServingSessions.open(runtime, config, read, options)).rejects.toThrow('out of memory');
  expect(open.size).toBe(0);
});

it('asks the processor for 8-bit products only where it sums them exactly', async () => {
  const options = { format: 'int4', kv: 'fp32', maxSeq: 32 } as const;
  for (const [isExact, wanted] of [
    [true, 'dq8r'],
    [false, 'int8'],
  ] as const) {
    const { runtime, open } = runtimeFor(2, isExact);
    const sessions = await ServingSessions.open(runtime, config, read, options);
    expect([...sessions.formats]).toEqual(['int4', wanted]);
    expect(sessions.formatFor(32)).toBe(wanted);
    expect(open.size).toBe(2);
  }
});

it('goes on with its own sessions when a welded adapter finds no room for its second', async () => {
  const { runtime, open } = runtimeFor(3);
  const options = { format: 'int4', kv: 'fp32', maxSeq: 32 } as const;
  const sessions = await ServingSessions.open(runtime, config, read, options);
  const update: LayerUpdate = { kind: 'lora', packed: adapterInputs(config, null), inputs: {} };
  await expect(sessions.withWelded(update)).rejects.toThrow('out of memory');
  expect([...open]).toEqual([0, 1]);
});

it('holds nothing of a welded adapter beside its graphs', async () => {
  const { runtime, open } = runtimeFor(4);
  const options = { format: 'int4', kv: 'fp32', maxSeq: 32 } as const;
  const sessions = await ServingSessions.open(runtime, config, read, options);
  const packed = adapterInputs(config, null);
  for (const { name, inSize, outSize } of adapterSites(config, 'lora')) {
    packed[`${name}.down`] = { dtype: 'float32', shape: [inSize, 32], data: new Float32Array(inSize * 32).fill(0.5) };
    packed[`${name}.up`] = { dtype: 'float32', shape: [32, outSize], data: new Float32Array(32 * outSize).fill(0.5) };
  }
  const made = await sessions.withWelded({ kind: 'lora', packed, inputs: {} });
  expect(made['welded']!.widths.size).toBeGreaterThan(0);
  expect(made['welded']!.weights).toEqual({});
  await made.release();
  expect([...open]).toEqual([0, 1]);
});
