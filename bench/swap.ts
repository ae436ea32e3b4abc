/**
 * What changing weights costs those who are being answered. First the price of one adapter, eight adapters and the
 * merged one in tokens a second against the base weights; then 1,000 adapters loaded, made live and unloaded under load
 * as fast as can be, and some at a steady pace: failed requests, gaps between tokens against those of the same load
 * without swaps (before and after), and resident memory.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readModelFolder, writeAdapter } from '@attune/checkpoint';
import { collect, EngineHost } from '@attune/engine';
import { linearShapes, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { EndlessLoad, tokenRequest } from './support/endless-load.js';
import { option } from './support/options.js';
import { interleave, median, percentile, printResult, printTable } from './support/report.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = path.join(root, 'models/attune-mini');
const SWAPS = Number(option('swaps', '1000'));
const STREAMS = 8;
const RANK = 16;
const ADAPTERS = 8;
const TOKENS = 64;
const ROUNDS = 7;
const GAP_SECONDS = Number(option('seconds', '12'));
/** Swaps a second, beside as many as there can be. */
const PACE = 4;
const WARM_UP = 16;

if (!existsSync(path.join(model, 'model.safetensors'))) throw new Error(`There is no model in ${model}.`);
const folder = mkdtempSync(path.join(tmpdir(), 'attune-bench-'));
const setup = {
  model,
  slots: STREAMS,
  threads: 2,
  spinning: true,
  speculation: false,
  kv: 'fp32',
  device: 'cpu',
} as const;

/** Random LoRA adapters on every linear layer, too weak to change much. */
async function writeAdapters(): Promise<string[]> {
  const config = parseModelConfig((await readModelFolder(model)).config);
  const places = Array.from({ length: ADAPTERS }, (_, seed) => path.join(folder, `adapter-${seed}`));
  for (const [seed, place] of places.entries()) {
    const random = createRandom(seed);
    const noise = (size: number) => Float32Array.from({ length: size }, () => 0.01 * random.normal());
    const tensors = new Map<string, { a: Float32Array; b: Float32Array }>();
    for (let layer = 0; layer < config.numLayers; layer++)
      for (const [name, [out, width]] of linearShapes(config, layer))
        tensors.set(name, { a: noise(RANK * width), b: noise(out * RANK) });
    await writeAdapter(place, { rank: RANK, alpha: RANK, tensors });
  }
  return places;
}

/** Tokens a second of all streams together, relative to the base weights, for one stream and for all. */
async function priceOfAdapters(places: readonly string[]): Promise<Record<string, number>> {
  const plain = await EngineHost.start(setup);
  const merging = await EngineHost.start({ ...setup, mergeLiveAfterMs: 0 });
  const digests: string[] = [];
  for (const place of places) digests.push((await plain.loadAdapter(place)).adapter!);
  await merging.setLive((await merging.loadAdapter(places[0])).adapter);
  await sleep(1_500); // the merge
  const ratios: Record<string, number> = {};
  const rows = [];
  for (const streams of [1, STREAMS]) {
    const speeds = await interleave(
      {
        base: () => speed(plain, streams, () => null),
        added: () => speed(plain, streams, () => digests[0]),
        mixed: () => speed(plain, streams, (stream) => digests[stream % ADAPTERS]),
        merged: () => speed(merging, streams, () => undefined),
      },
      ROUNDS,
    );
    for (const kind of ['added', 'mixed', 'merged'] as const)
      ratios[`${kind}${streams}`] = median(speeds[kind].map((value, round) => value / speeds.base[round]));
    rows.push([streams, ...(['base', 'added', 'mixed', 'merged'] as const).map((kind) => median(speeds[kind]))]);
  }
  printTable(['streams', 'base tok/s', 'one adapter', `${ADAPTERS} adapters`, 'merged'], rows);
  await Promise.all([plain.close(), merging.close()]);
  return ratios;
}

async function speed(host: EngineHost, streams: number, adapterOf: (stream: number) => string | null | undefined) {
  const start = performance.now();
  await Promise.all(
    Array.from({ length: streams }, (_, stream) =>
      collect(host.generate({ ...tokenRequest(`s${stream}`, stream, TOKENS), adapter: adapterOf(stream) })),
    ),
  );
  return (streams * TOKENS * 1_000) / (performance.now() - start);
}

/** What those who are answered notice of swaps, as fast as they can be and at a steady pace, against none at all. */
async function swapUnderLoad(places: readonly string[]): Promise<Record<string, number>> {
  const host = await EngineHost.start({ ...setup, mergeLiveAfterMs: 2_000 });
  const load = new EndlessLoad(host, STREAMS, TOKENS);
  let swaps = 0;
  const swap = () => swapOnce(host, places, swaps++);
  load.start();
  await sleep(2_000);
  const before = await load.gapsDuring(() => sleep((GAP_SECONDS * 1_000) / 2));
  // The sessions that take adapters, the bank for a batch that holds many, the thread that reads.
  for (let i = 0; i < WARM_UP; i++) await swap();
  const residentBefore = residentMb(host);
  const startedAt = performance.now();
  const fast = await load.gapsDuring(async () => {
    for (let i = 0; i < SWAPS; i++) {
      await swap();
      await sleep(5);
    }
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const growth = residentMb(host) - residentBefore;
  const paced = await load.gapsDuring(() => atPace(PACE, GAP_SECONDS, swap));
  await host.setLive(null);
  await sleep(1_000);
  const calm = [...before, ...(await load.gapsDuring(() => sleep((GAP_SECONDS * 1_000) / 2)))];
  await load.stop();
  await host.close();
  const figures = {
    swaps: SWAPS,
    swapsPerSecond: SWAPS / seconds,
    finishedRequests: load.finished,
    failedRequests: load.failed,
    ...gapFigures('calm', calm),
    ...gapFigures('swapping', fast),
    ...gapFigures('paced', paced),
    residentBeforeMb: residentBefore,
    residentGrowthMb: growth,
  };
  printTable(Object.keys(figures), [Object.values(figures)]);
  return figures;
}

const gapFigures = (name: string, gaps: readonly number[]) => ({
  [`${name}P50GapMs`]: percentile(gaps, 0.5),
  [`${name}P99GapMs`]: percentile(gaps, 0.99),
});

/** Does something `perSecond` times a second for `seconds`, or as often as it can. */
async function atPace(perSecond: number, seconds: number, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  for (let done = 0; done < perSecond * seconds; done++) {
    await work();
    await sleep(Math.max(0, startedAt + ((done + 1) * 1_000) / perSecond - performance.now()));
  }
}

/** Another adapter goes live, the one before leaves. */
async function swapOnce(host: EngineHost, places: readonly string[], swap: number) {
  const { live } = await host.stats();
  const { adapter } = await host.loadAdapter(places[swap % places.length]);
  await host.setLive(adapter);
  if (live.adapter !== null && live.adapter !== adapter) await host.unloadAdapter(live.adapter);
}

function residentMb(host: EngineHost): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))![1]) / 1024;
}

try {
  const adapters = await writeAdapters();
  const prices = await priceOfAdapters(adapters);
  const swaps = await swapUnderLoad(adapters);
  printResult({
    name: 'swap',
    ratios: {
      ...prices,
      gapP99: swaps.swappingP99GapMs / swaps.calmP99GapMs,
      pacedGapP99: swaps.pacedP99GapMs / swaps.calmP99GapMs,
    },
    figures: swaps,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
