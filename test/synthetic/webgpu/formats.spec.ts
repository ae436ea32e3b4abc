import { fileURLToPath } from 'node:url';
import { encodeModel } from '@attune/graph';
import { deviceGraph, parseModelConfig, servingLayout, servingWeights, type WeightFormat } from '@attune/models';
import { type AnyTensor, createRuntime, type Device, float32, hostTensor, int32, int64 } from '@attune/runtime';
import { expect, it } from 'vitest';
import { relativeError } from '../../parity/fixtures.js';
import { describeOnSwiftShader } from '../../support/swiftshader.js';
import { randomModel, tinyConfig } from '../engine/tiny-models.js';

const config = parseModelConfig(tinyConfig);
const model = randomModel(1);
const runtime = createRuntime({ prefer: 'capi', threads: 1 });
const MAX_SEQ = 32;
const prompt = [3, 1, 4, 1, 5];

/** Logits after the prompt, by the same graph wherever it runs. */
async function logits(format: WeightFormat, device?: Device): Promise<Float32Array> {
  const graph = deviceGraph(config, { format, real: 'float32', rows: 1, maxSeq: MAX_SEQ, adapters: [] });
  const session = await runtime.createSession(encodeModel(graph), { device });
  const inputs: Record<string, AnyTensor> = {
    ids: int64([1, prompt.length], BigInt64Array.from(prompt, BigInt)),
    pick: int64([1], BigInt64Array.of(BigInt(prompt.length - 1))),
    'last.0': int32([1], Int32Array.of(prompt.length - 1)),
    'total.0': int32([], Int32Array.of(prompt.length)),
    temperature: float32([1, 1]),
    uniform: float32([1, 1]),
  };
  const weights = servingWeights(config, (name) => model.tensor(name).data, { format, maxSeq: MAX_SEQ });
  for (const [name, { dtype, shape, data }] of Object.entries(weights))
    if (session.inputNames.includes(name)) inputs[name] = hostTensor(dtype, shape, data as never);
  const result = float32([1, config.vocabSize]);
  const outputs: Record<string, AnyTensor> = { logits: result };
  for (const name of session.inputNames.filter((input) => input.startsWith('past.'))) {
    const cache = float32([1, config.numKvHeads, MAX_SEQ, servingLayout(config).headDim]);
    inputs[name] = outputs[name.replace('past', 'present')] = cache;
  }
  await session.run(inputs, outputs);
  session.release();
  return result.data;
}

describeOnSwiftShader('weights of every format on WebGPU', fileURLToPath(import.meta.url), () => {
  it.each(['fp32', 'int8', 'int4'] as const)('multiply as they do on the CPU: %s', async (format) => {
    const device = await runtime.openDevice('webgpu');
    expect(relativeError(await logits(format), await logits(format, device))).toBeLessThan(1e-5);
  });
});
