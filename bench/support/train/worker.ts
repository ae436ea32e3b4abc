/** Our side of bench/train.ts in a process of its own, so that its memory is its own: JSON lines in, JSON lines out. */
import { createInterface } from 'node:readline';
import { Engine } from '@attune/engine';
import { createRandom } from '@attune/platform';
import { createRuntime, type Runtime } from '@attune/runtime';
import {
  AdamW,
  initialParameters,
  padSequences,
  roundBase,
  sampleRollouts,
  sft,
  startTuning,
  TrainStep,
} from '@attune/training';
import { configOfCase, formOfCase, type TrainCase, trainModels } from './case.js';

type Call =
  | { readonly setup: TrainCase; readonly threads: number }
  | { readonly steps: number }
  | { readonly generate: number; readonly tokens: number };

let rounds = 0;
let current: { readonly one: TrainCase; readonly threads: number } | null = null;
let engine: Engine | null = null;
let step: TrainStep<ReturnType<typeof randomBatch>> | null = null;
let batch: ReturnType<typeof randomBatch> | null = null;

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line) as Call;
  const startedMs = performance.now();
  const before = process.cpuUsage();
  if ('setup' in call) await setup(call.setup, call.threads);
  else if ('generate' in call) await generate(call.generate, call.tokens);
  else for (let i = 0; i < call.steps; i++) await step!.run([batch!], 1e-4);
  // maxRSS is in kilobytes.
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const { user, system } = process.cpuUsage(before);
  const took = { ms: performance.now() - startedMs, processorMs: (user + system) / 1000 };
  process.stdout.write(`${JSON.stringify({ ...took, peakMb })}\n`);
}

async function setup(one: TrainCase, threads: number): Promise<void> {
  const config = configOfCase(one);
  const tuned = startTuning(config, formOfCase(one), initialParameters(config, createRandom(1)), createRandom(2));
  const runtime = one.sleepy ? sleepy(createRuntime({ threads })) : createRuntime({ threads });
  const optimizer = new AdamW({ weightDecay: 0 });
  current = { one, threads };
  const frozen = one.baseWeights === 'int8' ? roundBase(config, tuned.frozen) : tuned.frozen;
  const { trainable, adapterScale } = tuned;
  const model = { config, trainable, frozen, adapterScale, switches: one.switches };
  step = await TrainStep.create({ ...model, objective: sft(), optimizer, clipNorm: 1, runtime });
  batch = randomBatch(one, config.vocabSize);
}

function sleepy(runtime: Runtime): Runtime {
  const createSession: Runtime['createSession'] = (model, options) =>
    runtime.createSession(model, { ...options, spinning: false });
  return Object.assign(Object.create(runtime) as Runtime, { createSession });
}

/** Rollouts as PPO samples them: all prompts at once, through the serving engine. */
async function generate(numPrompts: number, tokens: number): Promise<void> {
  engine ??= await servingEngine(current!.one, current!.threads);
  const vocabulary = configOfCase(current!.one).vocabSize;
  const random = createRandom(4);
  const prompt = () => Array.from({ length: current!.one.length }, () => random.int(vocabulary));
  const prompts = Array.from({ length: numPrompts }, prompt);
  const plan = { name: `bench-${rounds++}`, prompts, adapter: null, stopIds: [], temperature: 1 };
  await sampleRollouts(engine, { ...plan, maxAnswerTokens: tokens, seed: 1 });
}

async function servingEngine(one: TrainCase, threads: number): Promise<Engine> {
  const weights = initialParameters(configOfCase(one), createRandom(1));
  const tensor = (name: string) => ({ data: weights.get(name)!.data });
  const model = { config: trainModels[one.model], digest: 'bench', tensor };
  return Engine.load({ model, slots: 16, maxSeq: 512, threads, blocking: true });
}

/** Full rows of random tokens that all count. */
function randomBatch({ rows, length }: TrainCase, vocabulary: number) {
  const random = createRandom(3);
  const ids = () => Array.from({ length }, () => random.int(vocabulary));
  return padSequences(Array.from({ length: rows }, () => ({ ids: ids(), weights: Array<number>(length).fill(1) })));
}
