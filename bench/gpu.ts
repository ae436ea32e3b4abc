/**
 * How fast does a GPU decode, and how near is that to what its memory allows? Every decoded token reads all weights once,
 * so bytes of weights times tokens a second, over the bandwidth the same card reaches in a plain sum, is the share of the
 * bound that is used. Shapes of 0.5 and 7 billion parameters, weights at random: speed does not depend on them.
 *
 *   npm run bench -- gpu [--device webgpu|cuda] [--shape mini|half|seven] [--format full|int4]
 *
 * Without a GPU it says so and ends with code 1. A device that is named is taken as it is: `--device webgpu --shape mini`
 * runs on a software renderer too, which proves the script and nothing else.
 */
import { parseArgs } from 'node:util';
import { encodeModel, Graph } from '@attune/graph';
import { deviceGraph, type ModelConfig, parseModelConfig, servingLayout, type WeightFormat } from '@attune/models';
import { messageOf } from '@attune/platform';
import {
  type AnyTensor,
  createRuntime,
  type Device,
  type DeviceTensor,
  float32,
  hostTensor,
  int32,
  int64,
} from '@attune/runtime';
import { deviceToMeasure } from './support/device.js';
import { median, printResult, printTable } from './support/report.js';

const shapes = {
  mini: { hidden_size: 192, intermediate_size: 512, num_hidden_layers: 2, num_attention_heads: 6, vocab_size: 2048 },
  /** Qwen2.5-0.5B */
  half: {
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    vocab_size: 151_936,
  },
  /** Qwen2.5-7B */
  seven: {
    hidden_size: 3584,
    intermediate_size: 18_944,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    vocab_size: 152_064,
  },
} as const;
type ShapeName = keyof typeof shapes;
const kvHeads: Record<ShapeName, number> = { mini: 3, half: 2, seven: 4 };

const CONTEXT = 1024;
const START = 512;
const STEPS = 160;
const LONG_ENOUGH_MS = 3_000;
const BATCHES = [1, 8];
const GIB = 1 << 30;

const { values } = parseArgs({
  options: { device: { type: 'string' }, shape: { type: 'string' }, format: { type: 'string' } },
});
const runtime = createRuntime({ threads: 1 });
const kind = deviceToMeasure(runtime, values.device);
const device = await runtime.openDevice(kind);
const real = kind === 'cuda' ? 'float16' : 'float32';
const bandwidth = await measureBandwidth();
process.stdout.write(`${kind}: ${(bandwidth / GIB).toFixed(0)} GiB/s in a plain sum\n\n`);

const figures: Record<string, number> = { bandwidthGiBPerSecond: bandwidth / GIB };
const ratios: Record<string, number> = {};
const rows: (string | number)[][] = [];
for (const shape of pick<ShapeName>(values.shape, ['half', 'seven']))
  for (const format of pick<'full' | 'int4'>(values.format, ['full', 'int4'])) await measure(shape, format);
printTable(['model', 'sequences', 'tokens/s', '% of the bound'], rows);
printResult({ name: 'gpu', ratios, figures });
if (rows.length === 0) process.exitCode = 1;

function pick<T extends string>(given: string | undefined, all: readonly T[]): readonly T[] {
  return given ? [given as T] : all;
}

/** Bytes a second of y = x + x over 256 MiB: one read, one write. */
async function measureBandwidth(): Promise<number> {
  const size = kind === 'webgpu' && values.shape === 'mini' ? 1 << 18 : 1 << 26;
  const g = new Graph('bandwidth');
  const x = g.input('x', 'float32', [size]);
  const y = g.emit('Add', [x, x])[0]!;
  g.output('y', y);
  // One number comes back, so that the run is over when it returns.
  g.output('end', g.emit('Slice', [y, g.ints([0]), g.ints([1])], { outputs: [{ dtype: 'float32', shape: [1] }] })[0]!);
  const session = await runtime.createSession(encodeModel(g), { device });
  const [from, to] = [await device.tensor('float32', [size], float32([size])), await device.tensor('float32', [size])];
  const run = session.bind({ x: from }, { y: to, end: float32([1]) });
  const seconds = await time(() => run.run(), 40);
  session.release();
  for (const tensor of [from, to]) tensor.release();
  return (2 * 4 * size) / seconds;
}

async function measure(shape: ShapeName, format: 'full' | 'int4'): Promise<void> {
  const name = `${shape} ${format === 'int4' ? 'int4' : real}`;
  try {
    const config = configOf(shape);
    const model = await place(device, config, format === 'int4' ? 'int4' : 'fp32');
    for (const sequences of BATCHES) {
      const tokensPerSecond = await decode(model, sequences);
      const share = ((tokensPerSecond / sequences) * model.weightBytes) / bandwidth;
      rows.push([name, sequences, tokensPerSecond, 100 * share]);
      figures[`${name} B=${sequences} tokensPerSecond`] = tokensPerSecond;
      ratios[`${name} B=${sequences} / bandwidth bound`] = share;
    }
    for (const tensor of Object.values(model.weights)) tensor.release();
  } catch (error) {
    process.stderr.write(`${name} cannot be measured here: ${messageOf(error)}\n`);
  }
}

function configOf(shape: ShapeName): ModelConfig {
  return parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    ...shapes[shape],
    num_key_value_heads: kvHeads[shape],
    max_position_embeddings: CONTEXT,
    tie_word_embeddings: shape !== 'seven',
  });
}

interface Placed {
  readonly config: ModelConfig;
  readonly format: WeightFormat;
  readonly weights: Readonly<Record<string, DeviceTensor>>;
  /** Bytes that a step reads of them. */
  readonly weightBytes: number;
}

function optionsOf(format: WeightFormat, sequences: number) {
  return { format, real, rows: sequences, maxSeq: CONTEXT, adapters: [] } as const;
}

/** Random weights on the device, tensor by tensor, so that the host never holds the model. */
async function place(to: Device, config: ModelConfig, format: WeightFormat): Promise<Placed> {
  const weights: Record<string, DeviceTensor> = {};
  let bytes = 0;
  for (const { name, dtype, shape } of deviceGraph(config, optionsOf(format, 1)).inputs) {
    if (/^(ids|pick|last|total|past)\b/.test(name)) continue;
    const dims = shape as readonly number[];
    const made = hostTensor(dtype as 'uint8', dims);
    fill(made.data);
    weights[name] = await to.tensor(made.dtype, dims, made);
    // Of the embedding one row is read, unless it is the head as well.
    const isRead = name !== 'embedding' || (config.tieWordEmbeddings && format === 'fp32');
    if (isRead) bytes += made.data.byteLength;
  }
  return { config, format, weights, weightBytes: bytes };
}

/** Numbers around 0.01, whatever the type: float16 0x211f, bytes any. */
function fill(data: Uint8Array | Uint16Array | Float32Array): void {
  if (data instanceof Float32Array) data.fill(0.01);
  else if (data instanceof Uint16Array) data.fill(0x211f);
  else for (let i = 0; i < data.length; i++) data[i] = (i * 37) & 0xff;
}

/** Tokens a second of greedy decoding, all sequences together. */
async function decode({ config, format, weights }: Placed, sequences: number): Promise<number> {
  const graph = deviceGraph(config, optionsOf(format, sequences));
  const session = await runtime.createSession(encodeModel(graph), { device });
  const inputs: Record<string, AnyTensor> = {
    ...weights,
    ids: int64([sequences, 1]),
    temperature: float32([sequences, 1]),
    uniform: float32([sequences, 1]),
    pick: int64(
      [sequences],
      BigInt64Array.from({ length: sequences }, (_, i) => BigInt(i)),
    ),
  };
  const outputs: Record<string, AnyTensor> = { drawn: int64([sequences]), logProb: float32([sequences]) };
  const lengths = Array.from({ length: sequences }, () => ({ last: int32([1]), total: int32([]) }));
  const caches: DeviceTensor[] = [];
  const shape = [1, config.numKvHeads, CONTEXT, servingLayout(config).headDim];
  const nothing = hostTensor(real, shape);
  for (let row = 0; row < sequences; row++) {
    Object.assign(inputs, { [`last.${row}`]: lengths[row]!.last, [`total.${row}`]: lengths[row]!.total });
    for (let layer = 0; layer < config.numLayers; layer++)
      for (const side of ['key', 'value']) {
        const cache = await device.tensor(real, shape, nothing);
        caches.push(cache);
        inputs[`past.${row}.${layer}.${side}`] = outputs[`present.${row}.${layer}.${side}`] = cache;
      }
  }
  const run = session.bind(inputs, outputs);
  let position = START;
  const step = async () => {
    position = position + 1 < CONTEXT ? position + 1 : START;
    for (const { last, total } of lengths) [last.data[0], total.data[0]] = [position, position + 1];
    await run.run();
  };
  const seconds = await time(step, STEPS);
  session.release();
  for (const cache of caches) cache.release();
  return sequences / seconds;
}

/** Seconds of one call: the median over `most` calls or three seconds of them, after a first that compiles. */
async function time(call: () => Promise<void>, most: number): Promise<number> {
  await call();
  const seconds: number[] = [];
  const begin = performance.now();
  while (seconds.length < most && performance.now() - begin < LONG_ENOUGH_MS) {
    const start = performance.now();
    await call();
    seconds.push((performance.now() - start) / 1000);
  }
  return median(seconds);
}
