import type { ModelConfig, ParameterReader, WeightFormat } from '@attune/models';
import { createRandom, type Random } from '@attune/platform';
import type { Runtime } from '@attune/runtime';
import { ModelRunner, type ModelRunnerOptions } from '../running/model-runner.js';
import type { FormatMeasure } from './choose-format.js';

type MeasureOptions = Omit<ModelRunnerOptions, 'format' | 'slots'>;

/** Tokens of the text that all formats are compared on: written by the exact model itself at temperature 1. */
const TEXT = 48;
const PREFILL = 64;
const PREFILL_TRIES = 3;
const FORMATS = ['fp32', 'int8', 'int4'] as const;

/** Loads the model in one format after another and measures each; the exact one comes first. */
export async function measureFormats(
  runtime: Runtime,
  config: ModelConfig,
  read: ParameterReader,
  options: MeasureOptions,
): Promise<[FormatMeasure, ...FormatMeasure[]]> {
  const measures: FormatMeasure[] = [];
  const reference: Float64Array[] = [];
  const text: number[] = [];
  for (const format of FORMATS) {
    const maxSeq = Math.min(options.maxSeq, Math.max(TEXT, PREFILL) + 1);
    const runner = await ModelRunner.load(runtime, config, read, { ...options, format, slots: 1, maxSeq });
    try {
      measures.push(await measure(runner, format, text, reference));
    } finally {
      await runner.release();
    }
  }
  return measures as [FormatMeasure, ...FormatMeasure[]];
}

/** Decodes the text; the first format writes it, and its distributions are what the others are compared with. */
async function measure(runner: ModelRunner, format: WeightFormat, text: number[], reference: Float64Array[]) {
  const random = createRandom(1);
  const { vocabSize, bosTokenId } = runner.config;
  if (text.length === 0) text.push(bosTokenId ?? random.int(vocabSize));
  const times: number[] = [];
  let divergence = 0;
  const length = Math.min(TEXT, runner.cache.shape.maxSeq - 1);
  for (let at = 0; at < length; at++) {
    const start = performance.now();
    const found = logProbs(await runner.decode(0, [text[at]!], [at], [null]));
    times.push(performance.now() - start);
    if (format === FORMATS[0]) {
      reference.push(found);
      text.push(draw(found, random));
    } else divergence += divergenceOf(reference[at]!, found) / length;
  }
  return { format, decodeMs: median(times), prefillMs: await prefillMs(runner, random), divergence };
}

async function prefillMs(runner: ModelRunner, random: Random): Promise<number> {
  const length = Math.min(PREFILL, runner.cache.shape.maxSeq);
  const prompt = Array.from({ length }, () => random.int(runner.config.vocabSize));
  const times: number[] = [];
  for (let i = 0; i < PREFILL_TRIES; i++) {
    const start = performance.now();
    await runner.prefill(0, prompt, 0, null, true);
    times.push((performance.now() - start) / length);
  }
  return median(times);
}

function logProbs(logits: Float32Array): Float64Array {
  let most = -Infinity;
  for (const logit of logits) most = Math.max(most, logit);
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - most);
  const shift = most + Math.log(total);
  return Float64Array.from(logits, (logit) => logit - shift);
}

/** Σ p · (log p − log q), in nats. */
function divergenceOf(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += Math.exp(p[i]!) * (p[i]! - q[i]!);
  return sum;
}

function draw(distribution: Float64Array, random: Random): number {
  let left = random.next();
  for (let token = 0; token < distribution.length; token++) {
    left -= Math.exp(distribution[token]!);
    if (left < 0) return token;
  }
  return distribution.length - 1;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
