/**
 * What does one key notice of another's flood, and a running answer of other people's prompts?
 * A trickle of short questions is measured alone, beside a flood of long ones from another key, and beside the same flood
 * under its own key, which is what a queue without keys would do to it. Then the gaps between the tokens of one answer
 * while long prompts arrive, read in chunks that fit a gap and in chunks as large as they come.
 * `-- fairness [mini|smol] [--seconds 8] [--rounds 2] [--threads 2]`; weights are random: speed does not depend on them.
 */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine, type EngineOptions, type GenerateRequest } from '@attune/engine';
import { createRuntime } from '@attune/runtime';
import { median, percentile, printResult, printTable } from './support/report.js';
import { configOf, isShapeName, randomModel, randomPrompt } from './support/shapes.js';

const option = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const shape = process.argv.slice(2).find(isShapeName) ?? 'mini';
const SECONDS = option('seconds', 8);
const ROUNDS = option('rounds', 2);
const THREADS = option('threads', Math.min(2, availableParallelism()));
const SLOTS = 8;
const FLOOD_REQUESTS = 32;
const FLOOD = { prompt: shape === 'smol' ? 256 : 512, answer: 64 };
const TRICKLE = { prompt: 48, answer: 8, pauseMs: 150 };
const LONG_PROMPT = 1500;

const model = randomModel(configOf(shape), `bench-${shape}`);
const vocabSize = configOf(shape).vocab_size;
const runtime = createRuntime({ threads: THREADS });
let numRequests = 0;

const load = (more: Partial<EngineOptions> = {}) =>
  Engine.load({ model, runtime, format: 'int8', slots: SLOTS, maxSeq: 2048, threads: THREADS, ...more });

const engine = await load();
const settings = {
  'its own, nobody else': { trickle: 'b', flood: null },
  'its own, beside a flood': { trickle: 'b', flood: 'a' },
  'that of the flood': { trickle: 'a', flood: 'a' },
} as const;
type Setting = keyof typeof settings;

const figures: Record<string, number> = {};
const ratios: Record<string, number> = {};
await compareKeys();
await engine.close();
await compareChunks();
printResult({ name: 'fairness', ratios, figures });

async function compareKeys(): Promise<void> {
  const firstTokens = Object.fromEntries(Object.keys(settings).map((name) => [name, []])) as unknown as Record<
    Setting,
    number[]
  >;
  await trickle('b', 1_000);
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, { trickle: key, flood }] of Object.entries(settings)) {
      const stop = flood ? startFlood(flood) : () => Promise.resolve();
      await sleep(flood ? 1_500 : 0); // until it is at its height
      firstTokens[name as Setting].push(...(await trickle(key, SECONDS * 1_000)));
      await stop();
    }
  const p50 = (name: Setting) => median(firstTokens[name]);
  const p99 = (name: Setting) => percentile(firstTokens[name], 0.99);
  printTable(
    ['key of the trickle', 'questions', 'first token p50 ms', 'p99 ms'],
    (Object.keys(settings) as Setting[]).map((name) => [name, String(firstTokens[name].length), p50(name), p99(name)]),
  );
  const [alone, beside, inside] = Object.keys(settings) as [Setting, Setting, Setting];
  Object.assign(figures, { aloneP50Ms: p50(alone), besideP50Ms: p50(beside), insideP50Ms: p50(inside) });
  Object.assign(figures, { aloneP99Ms: p99(alone), besideP99Ms: p99(beside), insideP99Ms: p99(inside) });
  ratios['first token p50, beside a flood / alone'] = p50(beside) / p50(alone);
  ratios['first token p50, inside a flood / beside it'] = p50(inside) / p50(beside);
  ratios['first token p99, inside a flood / beside it'] = p99(inside) / p99(beside);
}

/** Questions one after the other for `forMs`. @returns milliseconds to the first token of each */
async function trickle(user: string, forMs: number): Promise<number[]> {
  const firstTokens: number[] = [];
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    firstTokens.push((await ask(user, TRICKLE.prompt, TRICKLE.answer)).firstTokenMs);
    await sleep(TRICKLE.pauseMs);
  }
  return firstTokens;
}

/** Keeps many requests waiting. @returns what ends it */
function startFlood(user: string): () => Promise<void> {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const senders = Array.from({ length: FLOOD_REQUESTS }, async () => {
    while (!abort.signal.aborted) await ask(user, FLOOD.prompt, FLOOD.answer, abort.signal);
  });
  return async () => {
    abort.abort();
    await Promise.all(senders);
  };
}

async function ask(user: string, prompt: number, answer: number, signal?: AbortSignal, on = engine) {
  const id = `r${numRequests++}`;
  const request: GenerateRequest = {
    id,
    promptIds: randomPrompt(numRequests, prompt, vocabSize),
    maxTokens: answer,
    sampling: { temperature: 1, seed: numRequests }, // greedy text repeats itself, and would be guessed ahead
    user,
  };
  const start = performance.now();
  const times: number[] = [];
  for await (const event of on.generate(request, { signal })) if (event.type === 'token') times.push(performance.now());
  return { firstTokenMs: (times[0] ?? start) - start, gaps: times.slice(1).map((time, i) => time - times[i]!) };
}

async function compareChunks(): Promise<void> {
  const kinds = {
    'no prompts': await load(),
    'chunks that fit 30 ms': await load({ gapMs: 30, tokenBudget: 2048 }),
    'chunks that fit 100 ms': await load({ gapMs: 100, tokenBudget: 2048 }),
    'whole prompts': await load({ gapMs: 1e9, tokenBudget: 2048 }),
  };
  const gaps = Object.fromEntries(Object.keys(kinds).map((name) => [name, [] as number[]]));
  const reads = Object.fromEntries(Object.keys(kinds).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, on] of Object.entries(kinds)) {
      const abort = new AbortController();
      const answer = ask('a', 32, 1_900, abort.signal, on);
      await sleep(300);
      for (let i = 0; i < 4 && name !== 'no prompts'; i++) {
        await sleep(50);
        reads[name]!.push((await ask('b', LONG_PROMPT, 1, undefined, on)).firstTokenMs);
      }
      abort.abort();
      gaps[name]!.push(...(await answer).gaps);
    }
  const longest = (name: string) => Math.max(...gaps[name]!);
  printTable(
    ['while others’ prompts are read in', 'gap p50 ms', 'p99 ms', 'longest ms', `${LONG_PROMPT} tokens read in ms`],
    Object.keys(kinds).map((name) => [
      name,
      median(gaps[name]!),
      percentile(gaps[name]!, 0.99),
      longest(name),
      reads[name]!.length > 0 ? median(reads[name]!) : '-',
    ]),
  );
  figures['longestGapMs, none'] = longest('no prompts');
  figures['longestGapMs, 30'] = longest('chunks that fit 30 ms');
  figures['longestGapMs, 100'] = longest('chunks that fit 100 ms');
  figures['longestGapMs, whole'] = longest('whole prompts');
  ratios['longest gap, whole prompts / chunks of 30 ms'] = longest('whole prompts') / longest('chunks that fit 30 ms');
  ratios['prompt read, chunks of 30 ms / whole'] =
    median(reads['chunks that fit 30 ms']!) / median(reads['whole prompts']!);
  await Promise.all(Object.values(kinds).map((each) => each.close()));
}
