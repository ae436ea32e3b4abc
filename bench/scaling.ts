/**
 * What does a step cost as things grow: the batch, the context, the adapters in it, the slots that stand idle and the
 * longest context a slot could hold? The last two must cost nothing.
 * `-- scaling [mini|smol|qwen] [--weights int8] [--kv fp32] [--batches 1,2,4,8,16,32] [--contexts 128,512,2048,8192]`
 */
import type { Adapter } from '@attune/checkpoint';
import type { KvFormat, WeightFormat } from '@attune/engine';
import { linearShapes, parseModelConfig } from '@attune/models';
import { measureQuietly } from './support/clean.js';
import { EngineContender } from './support/engine-contender.js';
import { option, shapeOption } from './support/options.js';
import { median, printResult, printTable } from './support/report.js';
import { configOf, noiseSource, randomModel, randomPrompt } from './support/shapes.js';

const shape = shapeOption('mini');
const configJson = configOf(shape);
const config = parseModelConfig(configJson);
const model = randomModel(configJson, 'bench');
const format = option('weights', 'int8') as WeightFormat;
const kv = option('kv', 'fp32') as KvFormat;
const numbers = (name: string, fallback: string) => option(name, fallback).split(',').map(Number);
const BATCHES = numbers('batches', '1,2,4,8,16,32');
const CONTEXTS = numbers('contexts', '128,512,2048,8192');
const ADAPTERS = numbers('adapters', '0,1,2,4,8,16,32,64');
const SHORT = 128;
const TOKENS = 24;
const ROUNDS = 3;
const RANK = 8;

const figures: Record<string, number> = {};
const ratios: Record<string, number> = {};
await byBatch();
await byContext();
await byAdapters();
await byIdleRoom();
printResult({ name: 'scaling', ratios, figures });

async function byBatch(): Promise<void> {
  const engine = await load({ slots: Math.max(...BATCHES), maxSeq: 256 });
  const rows = [];
  for (const batch of BATCHES) {
    const ms = await stepMs(engine, batch, SHORT);
    figures[`stepMs B=${batch}`] = ms;
    rows.push([batch, ms, (1000 * batch) / ms]);
  }
  await engine.close();
  table('batch', ['sequences', 'ms a step', 'tokens/s'], rows);
}

async function byContext(): Promise<void> {
  const engine = await load({ slots: 1, maxSeq: Math.max(...CONTEXTS) + 64 });
  const rows = [];
  for (const context of CONTEXTS) {
    const ms = await stepMs(engine, 1, context);
    figures[`stepMs context=${context}`] = ms;
    rows.push([context, ms]);
  }
  await engine.close();
  table('context', ['tokens in the cache', 'ms a step'], rows);
}

/** Sixteen sequences share a number of adapters; 0 = the base model. */
async function byAdapters(): Promise<void> {
  const batch = 16;
  const engine = await load({ slots: batch, maxSeq: 256 });
  const rows = [];
  for (const count of ADAPTERS) {
    for (let index = 0; index < count; index++) await engine.engine.loadAdapter(adapterOf(index));
    const ms = await stepMs(engine, batch, SHORT, (row) => (count === 0 ? null : `adapter-${row % count}`));
    figures[`stepMs adapters=${count}`] = ms;
    rows.push([count, Math.min(count, batch), ms, ms / figures['stepMs adapters=0']!]);
  }
  await engine.close();
  table(`adapters of rank ${RANK}, ${batch} sequences`, ['loaded', 'in the batch', 'ms a step', 'of base'], rows);
}

/** Two sequences run; what else there might be room for changes. */
async function byIdleRoom(): Promise<void> {
  const cases = [
    { slots: 2, maxSeq: 512 },
    { slots: 64, maxSeq: 512 },
    { slots: 2, maxSeq: 16_000 },
  ];
  const rows = [];
  for (const { slots, maxSeq } of cases) {
    const engine = await load({ slots, maxSeq });
    const ms = await stepMs(engine, 2, SHORT);
    await engine.close();
    figures[`stepMs slots=${slots} maxSeq=${maxSeq}`] = ms;
    rows.push([slots, maxSeq, ms]);
  }
  const [least, manySlots, longSlots] = rows.map((row) => row[2]!) as [number, number, number];
  ratios['64 slots / 2 slots'] = manySlots / least;
  ratios['room for 16,000 / 512'] = longSlots / least;
  table('idle room, 2 sequences', ['slots', 'longest context', 'ms a step'], rows);
}

function load(room: { slots: number; maxSeq: number }): Promise<EngineContender> {
  return EngineContender.load({ model, format, kv, speculation: false, tokenBudget: 512, ...room });
}

/** Median over rounds of the milliseconds between two tokens of a batch whose contexts are `context` long. */
async function stepMs(
  engine: EngineContender,
  batch: number,
  context: number,
  adapterOfRow: (row: number) => string | null = () => null,
): Promise<number> {
  const prompts = Array.from({ length: batch }, (_, i) => randomPrompt(i, context, config.vocabSize));
  const run = () => engine.decode(prompts, TOKENS, adapterOfRow);
  await run();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push((await measureQuietly([], run)).ms / TOKENS);
  return median(times);
}

function adapterOf(index: number): Adapter {
  const noise = noiseSource();
  const tensors = new Map<string, { a: Float32Array; b: Float32Array }>();
  for (let layer = 0; layer < config.numLayers; layer++)
    for (const [module, [outSize, inSize]] of linearShapes(config, layer))
      tensors.set(module, { a: noise(RANK * inSize, 0.02), b: noise(outSize * RANK, 0.02) });
  return { kind: 'lora', digest: `adapter-${index}`, rank: RANK, alpha: RANK, tensors };
}

function table(what: string, header: string[], rows: number[][]): void {
  console.log(`${shape}, ${format} weights, ${kv} cache: ${what}`);
  printTable(header, rows);
}
