/**
 * How many tokens a second does a training step take in: full weights against a LoRA adapter, loss on every token
 * against answers only, and how much a step costs beside a bare forward pass of the same batch.
 * Shape: the bundled model (`-- train-step smol` for SmolLM2-135M's). Weights and tokens are random: speed does not
 * depend on them.
 */
import { type ModelConfig, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import {
  AdamW,
  copyParameters,
  initialAdapter,
  initialParameters,
  padSequences,
  type ParameterSet,
  Scorer,
  sft,
  type TokenBatch,
  TrainStep,
} from '@attune/training';
import { interleave, median, printResult, printTable } from './support/report.js';

const shapes = {
  mini: { hidden: 192, inner: 512, layers: 6, heads: 6, kv: 3, vocabulary: 2048, rows: 16, length: 64 },
  smol: { hidden: 576, inner: 1536, layers: 30, heads: 9, kv: 3, vocabulary: 49152, rows: 2, length: 256 },
};
const shape = shapes[process.argv.includes('smol') ? 'smol' : 'mini'];
const ROUNDS = 5;
const STEPS_A_ROUND = 4;
const THREADS = 1;
const RANK = 16;
/** Share of a demonstration's tokens that are its answer. */
const ANSWER_SHARE = 0.25;

const config = modelConfig();
const runtime = createRuntime({ threads: THREADS });
const weights = initialParameters(config, createRandom(1));
const adapter = initialAdapter(config, { rank: RANK, alpha: 2 * RANK, targets: ['q_proj', 'v_proj'] }, createRandom(2));
const wide = initialAdapter(
  config,
  {
    rank: RANK,
    alpha: 2 * RANK,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  },
  createRandom(2),
);
const everyToken = randomBatch(1);
const answersOnly = randomBatch(ANSWER_SHARE);

const full = await trainStep(copyParameters(weights), null);
const lora = await trainStep(wide, weights);
const narrow = await trainStep(adapter, weights);
const scorer = new Scorer({ config, parameters: weights, runtime, threads: THREADS });

const rates = await interleave(
  {
    'full, every token': () => tokensPerSecond(() => full.run([everyToken], 1e-4)),
    'full, answers only': () => tokensPerSecond(() => full.run([answersOnly], 1e-4)),
    'LoRA all linears, every token': () => tokensPerSecond(() => lora.run([everyToken], 1e-4)),
    'LoRA all linears, answers only': () => tokensPerSecond(() => lora.run([answersOnly], 1e-4)),
    'LoRA q and v, answers only': () => tokensPerSecond(() => narrow.run([answersOnly], 1e-4)),
    'forward pass, every token': () => tokensPerSecond(() => scorer.tokenLogProbs(everyToken)),
  },
  ROUNDS,
);
const figures = Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, median(values)]));
printTable(['contender', 'tokens/s'], Object.entries(figures));
printResult({ name: 'train-step', ratios: ratios(), figures });
process.exit();

function ratios() {
  const paired = (a: keyof typeof rates, b: keyof typeof rates) =>
    median(rates[a].map((rate, i) => rate / rates[b][i]!));
  return {
    'LoRA/full, every token': paired('LoRA all linears, every token', 'full, every token'),
    'LoRA/full, answers only': paired('LoRA all linears, answers only', 'full, answers only'),
    'answers only/every token, LoRA': paired('LoRA all linears, answers only', 'LoRA all linears, every token'),
    'q and v/all linears': paired('LoRA q and v, answers only', 'LoRA all linears, answers only'),
    'forward/full step': paired('forward pass, every token', 'full, every token'),
  };
}

function trainStep(trainable: ParameterSet, frozen: ParameterSet | null): Promise<TrainStep<TokenBatch>> {
  return TrainStep.create({
    config,
    objective: sft(),
    trainable,
    frozen: frozen ?? undefined,
    adapterScale: frozen ? 2 : undefined,
    optimizer: new AdamW(),
    clipNorm: 1,
    runtime,
    threads: THREADS,
  });
}

async function tokensPerSecond(step: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  for (let i = 0; i < STEPS_A_ROUND; i++) await step();
  return (STEPS_A_ROUND * shape.rows * shape.length * 1000) / (performance.now() - startedMs);
}

/** Full rows of random tokens whose last part counts. */
function randomBatch(share: number): TokenBatch {
  const random = createRandom(3);
  const firstCounted = Math.floor(shape.length * (1 - share));
  return padSequences(
    Array.from({ length: shape.rows }, () => ({
      ids: Array.from({ length: shape.length }, () => random.int(shape.vocabulary)),
      weights: Array.from({ length: shape.length }, (_, i) => (i >= firstCounted ? 1 : 0)),
    })),
  );
}

function modelConfig(): ModelConfig {
  return parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    hidden_size: shape.hidden,
    intermediate_size: shape.inner,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kv,
    vocab_size: shape.vocabulary,
    max_position_embeddings: 1024,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: true,
  });
}
