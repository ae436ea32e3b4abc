import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../config.js';
import { adapterInputs } from './adapter.js';
import { servingLayout } from './layout.js';
import { blockSizeFor, linearFormatFor, linearFormatsOf } from './formats.js';
import { quantizeColumns, quantizeRows } from './quantize.js';
import { quantizeInt4 } from './quantize-int4.js';
import { servingWeights } from './weights.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  hidden_size: 8,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  vocab_size: 5,
});

describe('the serving layout', () => {
  it('pads heads to 16 and keeps both rotary halves at the start of their padded half', () => {
    const { headDim, layers } = servingLayout(config);
    expect(headDim).toBe(16);
    const [q, k, v] = layers[0]!.qkv.parts;
    expect([...q!.outMap]).toEqual([0, 1, 8, 9, 16, 17, 24, 25]);
    expect([...k!.outMap]).toEqual([32, 33, 40, 41]);
    expect([...v!.outMap]).toEqual([48, 49, 50, 51]);
    expect([...layers[0]!.output.inMap]).toEqual([0, 1, 2, 3, 16, 17, 18, 19]);
  });

  it('puts fused weights where the layout says, transposed for fp32', () => {
    const read = (name: string) => {
      const size = name.includes('q_proj') ? 64 : name.includes('norm') ? 8 : 48;
      return Float32Array.from({ length: size }, (_, i) => (name.includes('q_proj') ? i + 1 : 0));
    };
    const weights = servingWeights(config, read, { format: 'fp32', maxSeq: 4 });
    const { shape, data } = weights['0.qkv.weight']!;
    expect(shape).toEqual([8, 64]);
    // Row 2 of q_proj (head 0, second rotary half) is column 8 of the fused matrix.
    expect([0, 1, 7].map((column) => data[column * 64 + 8])).toEqual([17, 18, 24]);
    expect(data.filter((value) => value !== 0).length).toBe(64);
  });
});

describe('adapter inputs', () => {
  const module = (name: string) => `model.layers.0.${name}`;

  it('keep fused modules independent and fold alpha / rank in', () => {
    const tensors = new Map([
      [module('mlp.gate_proj'), { a: new Float32Array(8).fill(1), b: new Float32Array(6).fill(2) }],
      [module('mlp.up_proj'), { a: new Float32Array(8).fill(3), b: new Float32Array(6).fill(4) }],
    ]);
    const inputs = adapterInputs(config, { rank: 1, alpha: 0.5, tensors });
    expect(inputs['0.gate_up.down']!.shape).toEqual([8, 2]);
    expect([...inputs['0.gate_up.down']!.data.subarray(0, 4)]).toEqual([1, 3, 1, 3]);
    const zeros = Array(6).fill(0) as number[];
    expect([...inputs['0.gate_up.up']!.data]).toEqual([...Array(6).fill(1), ...zeros, ...zeros, ...Array(6).fill(2)]);
    expect(inputs['0.qkv.down']!.shape).toEqual([8, 0]);
  });

  it('are parts of one piece of memory, whatever was in it', () => {
    const tensors = new Map([[module('mlp.up_proj'), { a: new Float32Array(16).fill(3), b: new Float32Array(12).fill(4) }]]);
    const adapter = { rank: 2, alpha: 1, tensors };
    const rooms: Float32Array[] = [];
    const dirty = (count: number) => (rooms.push(new Float32Array(count).fill(NaN)), rooms.at(-1)!);
    const inputs = adapterInputs(config, adapter, dirty);
    expect(inputs).toEqual(adapterInputs(config, adapter));
    expect(rooms.length).toBe(1);
    for (const { data } of Object.values(inputs)) expect(data.buffer).toBe(rooms[0]!.buffer);
  });

  it('refuse modules and sizes the model does not have', () => {
    const one = new Float32Array(1);
    const unknown = new Map([['model.layers.7.mlp.up_proj', { a: one, b: one }]]);
    expect(() => adapterInputs(config, { rank: 1, alpha: 1, tensors: unknown })).toThrow(/layers.7.*does not have/);
    const small = new Map([[module('mlp.up_proj'), { a: one, b: one }]]);
    expect(() => adapterInputs(config, { rank: 1, alpha: 1, tensors: small })).toThrow(/has 1 numbers; .* needs 8/);
  });
});

const QUANT_BLOCK = 128;

describe('quantizeRows', () => {
  it('rounds within half a step of every block, and pads the last one with zeros', () => {
    const columns = QUANT_BLOCK + 3;
    const matrix = Float32Array.from({ length: 2 * columns }, (_, i) => Math.sin(i * 7) * (i < columns ? 1 : 100));
    const { values, scales, numBlocks } = quantizeRows(matrix, 2, columns, QUANT_BLOCK);
    expect(numBlocks).toBe(2);
    for (let row = 0; row < 2; row++)
      for (let column = 0; column < columns; column++) {
        const scale = scales[row * 2 + Math.floor(column / QUANT_BLOCK)]!;
        const restored = (values[row * 2 * QUANT_BLOCK + column]! - 128) * scale;
        expect(Math.abs(restored - matrix[row * columns + column]!)).toBeLessThanOrEqual(scale * 0.5001);
      }
    expect([...values.subarray(columns, 2 * QUANT_BLOCK)].every((value) => value === 128)).toBe(true);
  });
});

describe('quantizeColumns', () => {
  it('rounds within half a step of every output, and transposes', () => {
    const [rows, columns] = [70, 5];
    const matrix = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 7) * (1 + (i % 3)));
    const { values, scales } = quantizeColumns(matrix, rows, columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        expect(Math.abs(values[column * rows + row]! * scales[row]! - matrix[row * columns + column]!)).toBeLessThanOrEqual(
          scales[row]! * 0.5001,
        );
  });
});

describe('quantizeInt4', () => {
  const columns = 100;
  const block = 64;
  // Sums of unrelated waves are close to normally distributed, as weights are.
  const wave = (i: number) => [7, 11.3, 19.7, 29.1].reduce((sum, pace) => sum + Math.sin(i * pace), 0);
  const matrix = Float32Array.from({ length: 3 * columns }, (_, i) => wave(i));

  /** What MatMulNBits reads: two weights a byte, low half first, around 8. */
  const restore = (rounding: 'plain' | 'least-error') => {
    const { values, scales, numBlocks } = quantizeInt4(matrix, 3, columns, block, rounding);
    return matrix.map((_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const at = row * numBlocks * block + column;
      const nibble = (values[at >> 1]! >> (4 * (at & 1))) & 15;
      return (nibble - 8) * scales[row * numBlocks + Math.floor(column / block)]!;
    });
  };
  const errors = (restored: Float32Array) => {
    const byBlock = new Map<string, number>();
    restored.forEach((value, i) => {
      const key = `${Math.floor(i / columns)}/${Math.floor((i % columns) / block)}`;
      byBlock.set(key, (byBlock.get(key) ?? 0) + (value - matrix[i]!) ** 2);
    });
    return [...byBlock.values()];
  };

  it('keeps the extreme weight of a block exactly, when rounded plainly', () => {
    const restored = restore('plain');
    const extreme = matrix.subarray(0, block).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    expect(restored[matrix.indexOf(extreme)]).toBeCloseTo(extreme, 6);
  });

  it('loses less with scales of least error than with plain ones, and never more in any block', () => {
    const [plain, fitted] = [errors(restore('plain')), errors(restore('least-error'))];
    fitted.forEach((error, i) => expect(error).toBeLessThanOrEqual(plain[i]! * 1.000001));
    const total = (all: number[]) => all.reduce((a, b) => a + b, 0);
    expect(total(fitted)).toBeLessThan(0.9 * total(plain));
  });

  it('spends its precision on columns with large gains', () => {
    const gains = Float32Array.from({ length: columns }, (_, column) => (column % 2 ? 10 : 0.1));
    const [even, weighted] = [null, gains].map((given) => {
      const { values, scales, numBlocks } = quantizeInt4(matrix, 3, columns, block, 'least-error', given);
      let error = 0;
      matrix.forEach((value, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const at = row * numBlocks * block + column;
        const step = ((values[at >> 1]! >> (4 * (at & 1))) & 15) - 8;
        const restored = step * scales[row * numBlocks + Math.floor(column / block)]!;
        error += (gains[column]! * (restored - value)) ** 2;
      });
      return error;
    });
    expect(weighted!).toBeLessThan(even!);
  });

  it('keeps a block of zeros zero', () => {
    const { values } = quantizeInt4(new Float32Array(64), 1, 64, 64);
    expect([...values].every((byte) => byte === 0x88)).toBe(true);
  });
});

describe('the graph for a number of rows', () => {
  it('is the exact one for fp32 whatever the rows, and int4 only for few', () => {
    expect([1, 8, 512].map((rows) => linearFormatFor('fp32', rows, true))).toEqual(['fp32', 'fp32', 'fp32']);
    expect([1, 8, 512].map((rows) => linearFormatFor('int8', rows, true))).toEqual(['dq8r', 'dq8r', 'dq8r']);
    expect([1, 3, 4, 512].map((rows) => linearFormatFor('int4', rows, true))).toEqual(['int4', 'int4', 'dq8r', 'dq8r']);
    expect(linearFormatsOf('int8', true)).toEqual(['dq8r']);
    expect(linearFormatsOf('int4', true)).toEqual(['int4', 'dq8r']);
  });

  it('is never one whose sums the processor would cut off', () => {
    expect(linearFormatsOf('fp32', false)).toEqual(['fp32']);
    expect(linearFormatsOf('int8', false)).toEqual(['int8']);
    expect([1, 3, 4, 512].map((rows) => linearFormatFor('int4', rows, false))).toEqual(['int4', 'int4', 'int8', 'int8']);
    expect(linearFormatsOf('int4', false)).toEqual(['int4', 'int8']);
  });
});

describe('the block size', () => {
  it('is as wide as pads a row by at most an eighth', () => {
    expect([896, 576, 192, 172, 64, 48].map(blockSizeFor)).toEqual([128, 128, 64, 64, 64, 32]);
  });
});
