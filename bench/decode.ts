/**
 * How many tokens a second does the engine decode, alone and in a batch, fp32 against int8, base against adapter, and
 * against a plain loop that generates the way a tutorial would: one sequence at a time, through the Node binding, which
 * copies the KV cache out of every run.
 * Shape: the bundled model (`-- decode smol` for SmolLM2-135M's). Weights are random: speed does not depend on them.
 */
import { encodeModel } from '@attune/graph';
import { collect, Engine, type WeightFormat } from '@attune/engine';
import {
  linearShapes,
  parseModelConfig,
  servingGraph,
  servingLayout,
  servingWeights,
  NO_ADAPTERS,
} from '@attune/models';
import { createRuntime, float32, hostTensor, int32, int64 } from '@attune/runtime';
import { interleave, median, printResult, printTable } from './support/report.js';
import { configOf, noiseSource, randomModel, randomPrompt } from './support/shapes.js';

const shape = process.argv.includes('smol') ? 'smol' : 'mini';
const config = configOf(shape);
const PROMPT = 32;
const TOKENS = shape === 'smol' ? 48 : 192;
const ROUNDS = 5;
const THREADS = 1;

let numRequests = 0;
const model = randomModel(config, 'bench');
const runtime = createRuntime({ threads: THREADS });
const engines = { fp32: await load('fp32'), int8: await load('int8') };
const naive = await naiveLoop();

const rates = await interleave(
  {
    'naive loop B=1': () => tokensPerSecond(1, naive),
    'fp32 B=1': () => batch(engines.fp32, 1),
    'int8 B=1': () => batch(engines.int8, 1),
    'fp32 B=8': () => batch(engines.fp32, 8),
    'int8 B=8': () => batch(engines.int8, 8),
    'fp32 B=1 adapter': () => batch(engines.fp32, 1, 'bench'),
    'fp32 B=8 adapter': () => batch(engines.fp32, 8, 'bench'),
    'fp32 prefill 512': () => prefill(engines.fp32),
    'int8 prefill 512': () => prefill(engines.int8),
  },
  ROUNDS,
);
const figures = Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, median(values)]));
printTable(['contender', 'tokens/s'], Object.entries(figures));
printResult({ name: 'decode', ratios: ratios(), figures });
await Promise.all(Object.values(engines).map((engine) => engine.close()));

function ratios() {
  const paired = (a: keyof typeof rates, b: keyof typeof rates) =>
    median(rates[a].map((rate, i) => rate / rates[b][i]!));
  return {
    'int8/fp32 B=1': paired('int8 B=1', 'fp32 B=1'),
    'int8/fp32 B=8': paired('int8 B=8', 'fp32 B=8'),
    'engine/naive B=1': paired('fp32 B=1', 'naive loop B=1'),
    'B=8/B=1 fp32': paired('fp32 B=8', 'fp32 B=1'),
    'adapter/base B=1': paired('fp32 B=1 adapter', 'fp32 B=1'),
    'adapter/base B=8': paired('fp32 B=8 adapter', 'fp32 B=8'),
  };
}

async function load(format: WeightFormat): Promise<Engine> {
  const engine = await Engine.load({
    model,
    format,
    slots: 8,
    maxSeq: 1024,
    threads: THREADS,
    runtime,
    blocking: true,
  });
  await engine.loadAdapter(rankSixteen());
  return engine;
}

async function batch(engine: Engine, size: number, adapter: string | null = null): Promise<number> {
  return tokensPerSecond(size, async () => {
    const requests = Array.from({ length: size }, () => {
      const id = `r${numRequests++}`;
      return {
        id,
        promptIds: randomPrompt(numRequests, PROMPT, config.vocab_size),
        maxTokens: TOKENS,
        sampling: { temperature: 0 },
        adapter,
      };
    });
    await Promise.all(requests.map((request) => collect(engine.generate(request))));
  });
}

async function prefill(engine: Engine): Promise<number> {
  const start = performance.now();
  const id = `r${numRequests++}`;
  await collect(
    engine.generate({ id, promptIds: randomPrompt(numRequests, 512, config.vocab_size), maxTokens: 1, adapter: null }),
  );
  return 512_000 / (performance.now() - start);
}

async function tokensPerSecond(sequences: number, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return (1000 * sequences * TOKENS) / (performance.now() - start);
}

/** Greedy decoding through the Node binding, the KV cache copied out of and into every run. */
async function naiveLoop(): Promise<() => Promise<void>> {
  const parsed = parseModelConfig(config);
  const options = { format: 'fp32', maxSeq: 1024, adapters: NO_ADAPTERS } as const;
  const weights = servingWeights(parsed, (name) => model.tensor(name).data, options);
  const initializers = Object.fromEntries(
    Object.entries(weights).map(([name, { dtype, shape: dims, data }]) => [
      name,
      hostTensor(dtype, dims, data as never),
    ]),
  );
  const binding = createRuntime({ prefer: 'binding', threads: THREADS });
  const session = await binding.createSession(encodeModel(servingGraph(parsed, options)), { initializers });
  const dims = [1, parsed.numKvHeads, 1024, servingLayout(parsed).headDim];
  const names = Array.from({ length: parsed.numLayers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
  const cache = names.map((name) => [name, float32(dims)] as const);
  const past = Object.fromEntries(cache.map(([name, tensor]) => [`past.${name}`, tensor]));
  const present = Object.fromEntries(cache.map(([name, tensor]) => [`present.${name}`, tensor]));
  const logits = float32([1, parsed.vocabSize]);
  const step = async (ids: number[], length: number) => {
    const inputs = {
      ids: int64([1, ids.length], BigInt64Array.from(ids, BigInt)),
      lastPositions: int32([1], Int32Array.of(length - 1)),
      longest: int32([], Int32Array.of(length)),
      pick: int64([1], BigInt64Array.of(BigInt(ids.length - 1))),
    };
    await session.run({ ...inputs, ...past }, { logits, ...present });
    return logits.data.indexOf(logits.data.reduce((a, b) => Math.max(a, b)));
  };
  return async () => {
    let next = await step(randomPrompt(numRequests++, PROMPT, config.vocab_size), PROMPT);
    for (let i = 1; i < TOKENS; i++) next = await step([next], PROMPT + i);
  };
}

function rankSixteen() {
  const parsed = parseModelConfig(config);
  const noise = noiseSource();
  const tensors = new Map<string, { a: Float32Array; b: Float32Array }>();
  for (let layer = 0; layer < parsed.numLayers; layer++)
    for (const [module, [outSize, inSize]] of linearShapes(parsed, layer))
      tensors.set(module, { a: noise(16 * inSize, 0.02), b: noise(outSize * 16, 0.02) });
  return { digest: 'bench', rank: 16, alpha: 16, tensors };
}
