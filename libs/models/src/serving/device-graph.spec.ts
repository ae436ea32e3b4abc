import { encodeModel } from '@attune/graph';
import { createRandom } from '@attune/platform';
import { type AnyTensor, createRuntime, float32, type HostTensor, hostTensor, int32, int64 } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../config.js';
import { parameterShapes } from '../parameters.js';
import { deviceGraph, type DeviceGraphOptions } from './device-graph.js';
import { servingLayout } from './layout.js';
import { servingWeights } from './weights.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 40,
  max_position_embeddings: 32,
  tie_word_embeddings: true,
});
const MAX_SEQ = 16;
const runtime = createRuntime({ threads: 1 });
const random = createRandom(4);
const parameters = new Map(
  [...parameterShapes(config)].map(([name, shape]) => {
    const size = shape.reduce((all, dim) => all * dim, 1);
    return [name, Float32Array.from({ length: size }, () => (shape.length === 1 ? 1 : 0.3 * random.normal()))];
  }),
);

/** IEEE half precision, by way of the number's own rounding; small enough to be read beside the test. */
function toHalf(values: Float32Array): Uint16Array {
  const [single, bits] = [new Float32Array(1), new Uint32Array(1)];
  const view = new Uint32Array(single.buffer);
  return Uint16Array.from(values, (value) => {
    single[0] = value;
    bits[0] = view[0]!;
    const sign = (bits[0]! >>> 16) & 0x8000;
    const exponent = ((bits[0]! >>> 23) & 0xff) - 112;
    if (exponent <= 0) return sign; // the test's numbers are never that small but for zero
    return sign + ((exponent << 10) | ((bits[0]! >>> 13) & 0x3ff)) + ((bits[0]! >>> 12) & 1);
  });
}

const inType = (real: DeviceGraphOptions['real'], tensor: HostTensor): HostTensor =>
  real === 'float16' && tensor.dtype === 'float32'
    ? hostTensor('float16', tensor.shape, toHalf(tensor.data as Float32Array))
    : tensor;

/** The graph on the CPU, which knows both types: a prompt for each row, then one token for all rows at once. */
async function decode(
  real: DeviceGraphOptions['real'],
  prompts: readonly number[][],
  { temperature, uniform } = { temperature: 0, uniform: 0 },
) {
  const weights = servingWeights(config, (name) => parameters.get(name)!, { format: 'fp32', maxSeq: MAX_SEQ });
  const placed = Object.fromEntries(
    Object.entries(weights).map(([name, { dtype, shape, data }]) => [
      name,
      inType(real, hostTensor(dtype, shape, data as never)),
    ]),
  );
  const shape = [1, config.numKvHeads, MAX_SEQ, servingLayout(config).headDim];
  const caches = prompts.map(() =>
    Object.fromEntries(
      [0, 1].flatMap((layer) =>
        ['key', 'value'].map((kind) => [`${layer}.${kind}`, inType(real, float32(shape))] as const),
      ),
    ),
  );
  const run = async (rows: readonly number[], tokens: readonly number[][], lengths: readonly number[]) => {
    const options = { format: 'fp32', real, rows: rows.length, maxSeq: MAX_SEQ, adapters: [] } as const;
    const session = await runtime.createSession(encodeModel(deviceGraph(config, options)));
    const columns = tokens[0]!.length;
    const ids = BigInt64Array.from(tokens.flat(), BigInt);
    const picks = rows.map((_, row) => BigInt(row * columns + columns - 1));
    const inputs: Record<string, AnyTensor> = { ...placed, ids: int64([rows.length, columns], ids) };
    const logits = float32([rows.length, config.vocabSize]);
    const [drawn, logProb] = [int64([rows.length]), float32([rows.length])];
    const outputs: Record<string, AnyTensor> = { logits, drawn, logProb };
    inputs['temperature'] = float32([rows.length, 1], Float32Array.from(rows, () => temperature));
    inputs['uniform'] = float32([rows.length, 1], Float32Array.from(rows, () => uniform));
    inputs['pick'] = int64([rows.length], BigInt64Array.from(picks));
    rows.forEach((cache, row) => {
      inputs[`last.${row}`] = int32([1], Int32Array.of(lengths[row]! - 1));
      inputs[`total.${row}`] = int32([], Int32Array.of(lengths[row]!));
      for (const [name, tensor] of Object.entries(caches[cache]!)) {
        inputs[`past.${row}.${name}`] = tensor;
        outputs[`present.${row}.${name}`] = tensor;
      }
    });
    await session.run(inputs, outputs);
    session.release();
    return { logits: logits.data, drawn: Array.from(drawn.data, Number), logProbs: [...logProb.data] };
  };
  for (const [row, prompt] of prompts.entries()) await run([row], [prompt], [prompt.length]);
  const lengths = prompts.map(({ length }) => length + 1);
  return run(
    [...prompts.keys()],
    prompts.map((_, row) => [row + 5]),
    lengths,
  );
}

function logProbsOf(logits: readonly number[]): number[] {
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit) => logit - total);
}

describe('the graph for devices', () => {
  const prompts = [[1, 2, 3], [7, 8, 9, 10, 11, 12]];

  it('gives rows of different lengths what each gets alone, and the likeliest token without the logits', async () => {
    const together = await decode('float32', prompts);
    const size = config.vocabSize;
    const alone = await decode('float32', [prompts[0]!]);
    together.logits.subarray(0, size).forEach((logit, i) => expect(logit).toBeCloseTo(alone.logits[i]!, 4));
    together.drawn.forEach((token, row) => {
      const logits = [...together.logits.subarray(row * size, (row + 1) * size)];
      expect(token).toBe(logits.indexOf(Math.max(...logits)));
      expect(together.logProbs[row]).toBeCloseTo(logProbsOf(logits)[token]!, 4);
    });
  });

  it.each([0, 0.1, 0.37, 0.62, 0.95, 1 - 2 ** -24])('draws at %f of the cumulative probability', async (uniform) => {
    const temperature = 0.7;
    const { logits: all, drawn, logProbs } = await decode('float32', prompts, { temperature, uniform });
    drawn.forEach((token, row) => {
      const logits = [...all.subarray(row * config.vocabSize, (row + 1) * config.vocabSize)];
      const probs = logProbsOf(logits.map((logit) => logit / temperature)).map(Math.exp);
      const before = probs.slice(0, token).reduce((sum, p) => sum + p, 0);
      expect(before).toBeLessThanOrEqual(uniform + 1e-5);
      expect(before + probs[token]!).toBeGreaterThan(uniform - 1e-5);
      expect(logProbs[row]).toBeCloseTo(logProbsOf(logits)[token]!, 4);
    });
  });

  it('says in float16 what it says in float32, to the precision of float16', async () => {
    const [single, half] = [await decode('float32', prompts), await decode('float16', prompts)];
    const largest = Math.max(...single.logits.map(Math.abs));
    const error = Math.max(...single.logits.map((logit, i) => Math.abs(logit - half.logits[i]!)));
    expect(error / largest).toBeGreaterThan(0);
    expect(error / largest).toBeLessThan(1e-2);
    expect(half.drawn).toEqual(single.drawn);
  });
});
