/**
 * How many tokens a second does a training step take in on a GPU, and how many on the processor beside it? The same step
 * of the same batch, made by the same function with and without a device: full weights, and a LoRA adapter over frozen
 * ones. Weights and tokens are random: speed does not depend on them.
 *
 *   npm run bench -- gpu-train [--device webgpu|cuda] [--shape tiny|smol|half]
 *
 * Without a GPU it says so and ends with code 1. A device that is named is taken as it is: `--device webgpu --shape tiny`
 * runs on a software renderer too, which proves the script and nothing else.
 */
import { parseArgs } from 'node:util';
import { type ModelConfig, parseModelConfig } from '@attune/models';
import { createRandom, InvalidRequestError, messageOf } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import {
  AdamW,
  DeviceMemory,
  initialParameters,
  openTrainStep,
  padSequences,
  sft,
  startTuning,
  type TokenBatch,
  type TuningForm,
} from '@attune/training';
import { deviceToMeasure } from './support/device.js';
import { interleave, median, printResult, printTable } from './support/report.js';

const shapes = {
  tiny: { hidden: 64, inner: 128, layers: 2, heads: 2, kv: 1, vocabulary: 256, rows: 2, length: 16 },
  /** SmolLM2-135M */
  smol: { hidden: 576, inner: 1536, layers: 30, heads: 9, kv: 3, vocabulary: 49_152, rows: 8, length: 512 },
  /** Qwen2.5-0.5B */
  half: { hidden: 896, inner: 4864, layers: 24, heads: 14, kv: 2, vocabulary: 151_936, rows: 4, length: 512 },
} as const;
type ShapeName = keyof typeof shapes;

const forms: Readonly<Record<string, TuningForm>> = {
  full: { kind: 'full' },
  LoRA: {
    kind: 'lora',
    rank: 16,
    alpha: 32,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  },
};
const ROUNDS = 3;
const LEARNING_RATE = 1e-4;

const { values } = parseArgs({ options: { device: { type: 'string' }, shape: { type: 'string' } } });
const runtime = createRuntime();
const kind = deviceToMeasure(runtime, values.device);
const device = await runtime.openDevice(kind);
const rows: (string | number)[][] = [];
const figures: Record<string, number> = {};
const ratios: Record<string, number> = {};
for (const shape of shapesToMeasure(values.shape)) for (const form of Object.keys(forms)) await measure(shape, form);
printTable(['model', 'trains', `tokens/s on ${kind}`, 'on the CPU', 'MB of weights there'], rows);
printResult({ name: 'gpu-train', ratios, figures });
process.exit(rows.length === 0 ? 1 : 0);

function shapesToMeasure(named: string | undefined): readonly ShapeName[] {
  if (named === undefined) return ['smol', 'half'];
  if (Object.hasOwn(shapes, named)) return [named as ShapeName];
  throw new InvalidRequestError(`--shape is ${Object.keys(shapes).join(', ')}, not "${named}"`);
}

/** One line of the table; a model that the device has no room for is left out with a word. */
async function measure(shape: ShapeName, form: string): Promise<void> {
  const name = `${shape} ${form}`;
  try {
    const memory = new DeviceMemory(device);
    const [there, here] = [await stepOf(shape, form, memory), await stepOf(shape, form)];
    const megabytes = memory.bytes / 1e6;
    const rates = await interleave({ there: there.tokensPerSecond, here: here.tokensPerSecond }, ROUNDS);
    const [onDevice, onCpu] = [median(rates.there), median(rates.here)];
    rows.push([shape, form, onDevice, onCpu, megabytes]);
    figures[`${name} ${kind} tokensPerSecond`] = onDevice;
    figures[`${name} cpu tokensPerSecond`] = onCpu;
    ratios[`${name} ${kind}/cpu`] = onDevice / onCpu;
    await Promise.all([there.release(), here.release()]);
  } catch (error) {
    process.stderr.write(`${name} cannot be measured here: ${messageOf(error)}\n`);
  }
}

/** A training step of a shape and form, and how fast one of it is. */
async function stepOf(shape: ShapeName, form: string, memory?: DeviceMemory) {
  const config = configOf(shape);
  const base = initialParameters(config, createRandom(1));
  const tuned = startTuning(config, forms[form]!, base, createRandom(2));
  const optimizer = new AdamW({ weightDecay: 0 });
  const step = await openTrainStep({ config, objective: sft(), ...tuned, optimizer, clipNorm: 1, runtime, memory });
  const batch = randomBatch(shape);
  const tokensPerSecond = async () => {
    const startedMs = performance.now();
    await step.run([batch], LEARNING_RATE);
    return (shapes[shape].rows * shapes[shape].length * 1000) / (performance.now() - startedMs);
  };
  return { tokensPerSecond, release: () => step.release() };
}

/** Full rows of random tokens that all count. */
function randomBatch(shape: ShapeName): TokenBatch {
  const { rows: numRows, length, vocabulary } = shapes[shape];
  const random = createRandom(3);
  const ids = () => Array.from({ length }, () => random.int(vocabulary));
  return padSequences(Array.from({ length: numRows }, () => ({ ids: ids(), weights: Array<number>(length).fill(1) })));
}

function configOf(shape: ShapeName): ModelConfig {
  const { hidden, inner, layers, heads, kv, vocabulary, length } = shapes[shape];
  return parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kv,
    vocab_size: vocabulary,
    max_position_embeddings: length,
    tie_word_embeddings: true,
  });
}
