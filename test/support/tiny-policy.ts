import { type ModelConfig, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import {
  AdamW,
  answerBatch,
  copyParameters,
  initialAdapter,
  initialParameters,
  type Objective,
  type Optimizer,
  type ParameterSet,
  ppoBatch,
  type PreferencePair,
  type ScoredRollout,
  Scorer,
  TrainStep,
} from '@attune/training';
import { GradientRecorder } from './gradient-recorder.js';

/** A model so small that a loss can be measured on both sides of a point: its objectives are checked as wholes. */
export const config: ModelConfig = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 23,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 32,
  tie_word_embeddings: true,
});
const runtime = createRuntime({ threads: 1 });
const base = initialParameters(config, createRandom(1), 0.3);

/** An adapter with non-zero B, so that every matrix has a gradient. */
export function adapter(seed: number): ParameterSet {
  const random = createRandom(seed);
  const made = initialAdapter(config, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] }, random);
  for (const { data } of made.values()) for (let i = 0; i < data.length; i++) data[i] = 0.3 * random.normal();
  return made;
}

export const randomIds = (seed: number, length: number): number[] => {
  const random = createRandom(seed);
  return Array.from({ length }, () => random.int(config.vocabSize));
};

export const pairs: PreferencePair[] = [
  { chosen: randomIds(1, 9), rejected: randomIds(2, 6), promptLength: 3 },
  { chosen: randomIds(3, 5), rejected: randomIds(4, 10), promptLength: 2, margin: 0.3, weight: 0.5 },
];

/** The chosen answers as thumbs, the first up and the second down, with what KTO compares them to. */
export const thumbs = {
  answers: answerBatch(pairs.map(({ chosen, promptLength }) => ({ ids: chosen, promptLength }))),
  desirable: [true, false],
  referenceLogProbs: [-30, -12],
  referencePoint: 0.7,
};

/** Longer than every answer, so that the rows of the answers are padded further. */
export const replayed = [{ ids: randomIds(40, 14), weights: randomIds(40, 14).map((_, i) => (i < 6 ? 0 : 0.2)) }];

/** A step over the frozen base model; without an optimizer of the spec's own, AdamW that does not decay. */
export const trainStep = <Batch>(
  objective: Objective<Batch>,
  trainable: ParameterSet,
  { optimizer = new AdamW({ weightDecay: 0 }) as Optimizer, clipNorm = null as number | null } = {},
) => TrainStep.create({ config, objective, trainable, frozen: base, adapterScale: 2, optimizer, clipNorm, runtime });

/** The base model with what was trained on it, for scoring apart from the objectives. */
export const scorerOf = (trained: ParameterSet) =>
  new Scorer({ config, parameters: new Map([...base, ...trained]), adapterScale: 2, runtime });

/** PPO data near the policy: old log-probs are its own plus noise, so that some ratios clip and some do not. */
export async function noisyRollouts(policy: ParameterSet): Promise<ScoredRollout[]> {
  const random = createRandom(6);
  const scorer = scorerOf(policy);
  const noise = (length: number, size: number) => Array.from({ length }, () => size * random.normal());
  const made: ScoredRollout[] = [];
  for (const [i, length] of [5, 7].entries()) {
    const [promptIds, answerIds] = [randomIds(10 + i, 3), randomIds(20 + i, length)];
    const zero = answerIds.map(() => 0);
    const blank = { oldLogProbs: zero, referenceLogProbs: zero, oldValues: zero, advantages: zero, returns: zero };
    const own = await scorer.tokenLogProbs(ppoBatch([{ promptIds, answerIds, ...blank }]).tokens);
    made.push({
      promptIds,
      answerIds,
      oldLogProbs: noise(length, 0.3).map((x, t) => own[t]! + x),
      referenceLogProbs: noise(length, 0.3).map((x, t) => own[t]! + x),
      oldValues: noise(length, 0.3),
      advantages: noise(length, 1),
      returns: noise(length, 1),
    });
  }
  await scorer.release();
  return made;
}

/**
 * How far the slope of the loss along its own gradient is, by central differences, from the analytic one (|∇|²): the
 * error as a share of the slope.
 */
export async function gradientError<Batch>(objective: Objective<Batch>, trainable: ParameterSet, batch: Batch) {
  const optimizer = new GradientRecorder();
  const step = await trainStep(objective, trainable, { optimizer });
  const { gradNorm } = await step.run([batch], 0);
  const start = copyParameters(trainable);
  const lossAt = async (distance: number) => {
    for (const [name, { data }] of trainable)
      for (let i = 0; i < data.length; i++)
        data[i] = start.get(name)!.data[i]! + (distance / gradNorm) * optimizer.gradients.get(name)![i]!;
    return (await step.evaluate([batch])).loss;
  };
  const size = 5e-3;
  const numeric = ((await lossAt(size)) - (await lossAt(-size))) / (2 * size);
  step.release();
  return Math.abs(numeric / gradNorm - 1);
}
