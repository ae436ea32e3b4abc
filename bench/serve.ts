/**
 * How fast is the engine beside llama.cpp (Q4_0, as node-llama-cpp ships it) and transformers.js (4-bit), on the same
 * shapes, threads and prompts? Contenders run in turn; a measurement during which other programs used the cores is done
 * again. `-- serve [smol|qwen|mini] [--context 512] [--rounds 5] [--threads 2] [--weights int4] [--kv int8]`
 * Weights are random: speed does not depend on them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import type { KvFormat, LoadedModel, WeightFormat } from '@attune/engine';
import { parseModelConfig } from '@attune/models';
import { measureQuietly } from './support/clean.js';
import { writeDecoderFolder } from './support/decoder-folder.js';
import { EngineContender } from './support/engine-contender.js';
import { writeGguf } from './support/gguf.js';
import { option, shapeOption } from './support/options.js';
import { median, printResult, printTable } from './support/report.js';
import { installRivals, Rival } from './support/rival.js';
import { type Quoting, quotingModel, quotingPrompt } from './support/quoting.js';
import { configOf, randomModel, randomPrompt } from './support/shapes.js';

const shape = shapeOption('smol');
const CONTEXT = Number(option('context', '512'));
const ROUNDS = Number(option('rounds', '5'));
const THREADS = Number(option('threads', String(Math.min(2, availableParallelism()))));
const STREAMS = option('streams', '1,2,4,8,16').split(',').map(Number);
const FORMAT = option('weights', 'int4') as WeightFormat;
const KV = option('kv', 'fp32') as KvFormat;
const TOKENS = 32;
/** transformers.js copies its cache at every step: a few tokens and streams tell enough. */
const SLOW_TOKENS = 8;

/** What answers quote of their prompts: a passage here and there, or nearly everything (an edit). */
const quotes: Readonly<Record<string, Quoting>> = { passages: { run: 20, gap: 6 }, edit: { run: 60, gap: 3 } };
const QUOTED_TOKENS = 128;

const configJson = configOf(shape);
const config = parseModelConfig(configJson);
const maxSeq = CONTEXT + QUOTED_TOKENS + 16;
const slots = Math.max(...STREAMS);
const folder = mkdtempSync(path.join(tmpdir(), 'attune-bench-'));

interface Contender {
  readonly name: string;
  readonly pids: readonly number[];
  prefill(prompt: number[]): Promise<number>;
  decode(prompts: number[][], count: number): Promise<number>;
}

interface Task {
  readonly name: string;
  readonly tokens: number;
  readonly run: (contender: Contender, round: number) => Promise<number>;
  readonly contenders: readonly Contender[];
}

installRivals();
const ours = await ourEngine(randomModel(configJson, 'bench'), slots);
const quoting = await ourEngine(quotingModel(configJson, 'quoting'), 1);
const llama = await llamaCpp();
const hub = CONTEXT <= 512 ? await transformersJs() : null;
try {
  await compare();
} finally {
  await ours.close();
  await quoting.close();
  llama.rival.close();
  hub?.rival.close();
  rmSync(folder, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const rates = new Map<string, number[]>();
  const loads: number[] = [];
  const tasks = tasksOf();
  // Ended early, it tells what it has.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      report(tasks, rates, loads);
      rmSync(folder, { recursive: true, force: true });
      process.exit(0);
    });
  for (let round = -1; round < ROUNDS; round++)
    for (const { name, tokens, run, contenders } of tasks)
      for (const contender of contenders) {
        const { ms, foreign } = await measureQuietly(contender.pids, () => run(contender, round));
        if (round < 0) continue; // the warm-up
        loads.push(foreign);
        const key = `${name} ${contender.name}`;
        rates.set(key, [...(rates.get(key) ?? []), (1000 * tokens) / ms]);
      }
  report(tasks, rates, loads);
}

function tasksOf(): Task[] {
  const both = [ours, llama];
  const prompts = (count: number) =>
    Array.from({ length: count }, (_, i) => randomPrompt(i, CONTEXT, config.vocabSize));
  const prefill: Task = {
    name: `prefill ${CONTEXT}`,
    tokens: CONTEXT,
    run: (contender, round) => contender.prefill(randomPrompt(1000 + round, CONTEXT, config.vocabSize)),
    contenders: both,
  };
  const decode = STREAMS.map((streams) => ({
    name: `decode B=${streams}`,
    tokens: streams * TOKENS,
    run: (contender: Contender) => contender.decode(prompts(streams), TOKENS),
    contenders: both,
  }));
  const slow = (hub ? [1] : []).map((streams) => ({
    name: `decode B=${streams} (${SLOW_TOKENS} tokens)`,
    tokens: streams * SLOW_TOKENS,
    run: (contender: Contender) => contender.decode(prompts(streams), SLOW_TOKENS),
    contenders: [ours, hub!],
  }));
  const quote = Object.entries(quotes).map(([name, kind]) => ({
    name: `B=1, answer quotes ${name}`,
    tokens: QUOTED_TOKENS,
    run: (contender: Contender, round: number) => {
      const isOurs = contender === quoting;
      const prompt = isOurs
        ? quotingPrompt(round, config.vocabSize, CONTEXT, QUOTED_TOKENS, kind)
        : randomPrompt(0, CONTEXT, config.vocabSize);
      return contender.decode([prompt], QUOTED_TOKENS);
    },
    contenders: [quoting, llama],
  }));
  return [prefill, ...decode, ...quote, ...slow];
}

function report(tasks: readonly Task[], rates: ReadonlyMap<string, readonly number[]>, loads: readonly number[]): void {
  const ratios: Record<string, number> = {};
  const figures: Record<string, number> = { foreignLoad: median(loads), mostForeignLoad: Math.max(...loads) };
  const rows: (string | number)[][] = [];
  for (const { name, contenders } of tasks) {
    const [mine, other] = contenders.map(({ name: who }) => rates.get(`${name} ${who}`) ?? []) as [number[], number[]];
    const complete = Math.min(mine.length, other.length);
    if (complete === 0) continue;
    const rival = contenders[1]!.name;
    const pairs = mine.slice(0, complete).map((rate, i) => rate / other[i]!);
    ratios[`${name} vs ${rival}`] = median(pairs);
    figures[`${name} tokensPerSecond`] = median(mine);
    figures[`${name} tokensPerSecond ${rival}`] = median(other);
    rows.push([
      name,
      rival,
      median(mine),
      median(other),
      complete,
      median(pairs),
      Math.min(...pairs),
      Math.max(...pairs),
    ]);
  }
  console.log(`${shape}, context ${CONTEXT}, ${THREADS} threads, ${FORMAT} weights, ${KV} cache`);
  printTable(['task', 'rival', 'ours tok/s', 'rival tok/s', 'pairs', 'ratio', 'least', 'most'], rows);
  printResult({ name: 'serve', ratios, figures });
}

async function ourEngine(model: LoadedModel, room: number): Promise<Contender & { close(): Promise<void> }> {
  const engine = await EngineContender.load({
    model,
    format: FORMAT,
    kv: KV,
    slots: room,
    maxSeq,
    threads: THREADS,
    tokenBudget: 512,
  });
  return {
    name: 'attune',
    pids: [],
    prefill: (prompt) => engine.prefill(prompt),
    decode: (prompts, count) => engine.decode(prompts, count),
    close: () => engine.close(),
  };
}

async function llamaCpp() {
  const file = path.join(folder, 'model.gguf');
  writeGguf(file, config);
  const rival = new Rival('llama-cpp');
  await rival.call('load', { file, slots, maxSeq, threads: THREADS });
  return { ...asContender('llama.cpp', rival), rival };
}

async function transformersJs() {
  const modelFolder = path.join(folder, 'decoder');
  writeDecoderFolder(modelFolder, config, configJson);
  const rival = new Rival('transformers-js');
  await rival.call('load', { folder: modelFolder, threads: THREADS });
  return { ...asContender('transformers.js', rival), rival };
}

function asContender(name: string, rival: Rival): Contender {
  return {
    name,
    pids: [rival.pid],
    prefill: (prompt) => rival.call('prefill', { prompt }),
    decode: (prompts, count) => rival.call('decode', { prompts, count }),
  };
}
