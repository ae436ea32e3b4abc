/**
 * What changing weights costs those who are being answered. First the price of one adapter, eight adapters and the
 * merged one in tokens a second against the base weights; then 1,000 adapters loaded, made live and unloaded under
 * load: failed requests, gaps between tokens against those of the same load without swaps, and resident memory.
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
import { interleave, median, percentile, printResult, printTable } from './support/report.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = path.join(root, 'models/attune-mini');
const SWAPS = numberOption('--swaps', 1_000);
const STREAMS = 8;
const RANK = 16;
const ADAPTERS = 8;
const TOKENS = 64;
const ROUNDS = 7;
const GAP_SECONDS = numberOption('--seconds', 12);

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
      collect(host.generate({ ...request(`s${stream}`, stream), adapter: adapterOf(stream) })),
    ),
  );
  return (streams * TOKENS * 1_000) / (performance.now() - start);
}

async function swapUnderLoad(places: readonly string[]): Promise<Record<string, number>> {
  const host = await EngineHost.start({ ...setup, mergeLiveAfterMs: 2_000 });
  const load = new Load(host);
  load.start();
  await sleep(2_000);
  load.gaps.length = 0;
  await sleep(GAP_SECONDS * 1_000);
  const calm = [...load.gaps];
  await swapOnce(host, places, 0); // the sessions that take adapters
  const before = residentMb(host);
  load.gaps.length = 0;
  const startedAt = performance.now();
  for (let swap = 1; swap <= SWAPS; swap++) {
    await swapOnce(host, places, swap);
    await sleep(5);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = residentMb(host);
  const gaps = [...load.gaps];
  await load.stop();
  await host.close();
  const figures = {
    swaps: SWAPS,
    swapsPerSecond: SWAPS / seconds,
    finishedRequests: load.finished,
    failedRequests: load.failed,
    calmP50GapMs: percentile(calm, 0.5),
    calmP99GapMs: percentile(calm, 0.99),
    p50GapMs: percentile(gaps, 0.5),
    p99GapMs: percentile(gaps, 0.99),
    residentBeforeMb: before,
    residentGrowthMb: after - before,
  };
  printTable(Object.keys(figures), [Object.values(figures)]);
  return figures;
}

/** Another adapter goes live, the one before leaves. */
async function swapOnce(host: EngineHost, places: readonly string[], swap: number) {
  const { live } = await host.stats();
  const { adapter } = await host.loadAdapter(places[swap % places.length]);
  await host.setLive(adapter);
  if (live.adapter !== null && live.adapter !== adapter) await host.unloadAdapter(live.adapter);
}

/** Streams that ask again as soon as they are answered, on whatever is live. */
class Load {
  readonly gaps: number[] = [];
  finished = 0;
  failed = 0;
  private running: Promise<void>[] = [];
  private stopped = false;

  constructor(private readonly host: EngineHost) {}

  start() {
    this.running = Array.from({ length: STREAMS }, (_, stream) => this.stream(stream));
  }

  async stop() {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async stream(stream: number) {
    for (let turn = 0; !this.stopped; turn++) {
      let last: number | undefined;
      for await (const event of this.host.generate(request(`l${stream} ${turn}`, stream + turn))) {
        if (event.type === 'finished') {
          this.finished += 1;
          if (event.reason !== 'length') this.failed += 1;
        }
        if (event.type !== 'token') continue;
        const now = performance.now();
        if (last !== undefined) this.gaps.push(now - last);
        last = now;
      }
    }
  }
}

function request(id: string, seed: number) {
  const promptIds = Array.from({ length: 24 }, (_, i) => 10 + ((seed * 31 + i * 7) % 200));
  return { id, promptIds, maxTokens: TOKENS, sampling: { temperature: 0 } };
}

function residentMb(host: EngineHost): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))![1]) / 1024;
}

function numberOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

try {
  const adapters = await writeAdapters();
  const prices = await priceOfAdapters(adapters);
  const swaps = await swapUnderLoad(adapters);
  printResult({
    name: 'swap',
    ratios: { ...prices, gapP99: swaps.p99GapMs / swaps.calmP99GapMs },
    figures: swaps,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
