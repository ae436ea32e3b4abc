import { type ModelConfig, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import {
  AdamW,
  answerBatch,
  copyParameters,
  dpo,
  groupBatch,
  grpo,
  initialAdapter,
  initialParameters,
  initialNgramWeights,
  initialRewardHead,
  initialValueHead,
  ipo,
  kto,
  type Objective,
  type Optimizer,
  padSequences,
  pairBatch,
  parameter,
  type ParameterSet,
  ppo,
  ppoBatch,
  type PreferencePair,
  rewardBatch,
  rewardFormOf,
  rewardModel,
  rloo,
  Scorer,
  type ScoredRollout,
  sft,
  TOKEN_REWARD_HEAD,
  totalWeight,
  type Trainable,
  TrainStep,
} from '../index.js';

const config: ModelConfig = parseModelConfig({
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
function adapter(seed: number): ParameterSet {
  const random = createRandom(seed);
  const made = initialAdapter(config, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] }, random);
  for (const { data } of made.values()) for (let i = 0; i < data.length; i++) data[i] = 0.3 * random.normal();
  return made;
}

const randomIds = (seed: number, length: number): number[] => {
  const random = createRandom(seed);
  return Array.from({ length }, () => random.int(config.vocabSize));
};

const pairs: PreferencePair[] = [
  { chosen: randomIds(1, 9), rejected: randomIds(2, 6), promptLength: 3 },
  { chosen: randomIds(3, 5), rejected: randomIds(4, 10), promptLength: 2, margin: 0.3, weight: 0.5 },
];

/** Longer than every answer, so that the rows of the answers are padded further. */
const replayed = [{ ids: randomIds(40, 14), weights: randomIds(40, 14).map((_, i) => (i < 6 ? 0 : 0.2)) }];

/** PPO data near the policy: old log-probs are its own plus noise, so that some ratios clip and some do not. */
async function rollouts(parameters: ParameterSet): Promise<ScoredRollout[]> {
  const random = createRandom(6);
  const scorer = new Scorer({ config, parameters: new Map([...base, ...parameters]), adapterScale: 2, runtime });
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

/** Keeps the mean gradient instead of using it. */
class Recorder implements Optimizer {
  readonly gradients = new Map<string, Float32Array>();

  update(parameters: readonly Trainable[], gradientScale: number): void {
    for (const { name, gradient } of parameters)
      this.gradients.set(
        name,
        gradient.map((x) => x * gradientScale),
      );
  }

  state() {
    return { step: 0, arrays: new Map<string, Float32Array>() };
  }

  restore(): void {
    this.gradients.clear();
  }
}

/** The slope of the loss along its own gradient, analytic (|∇|²) and by central differences. */
async function slopes<Batch>(objective: Objective<Batch>, trainable: ParameterSet, batch: Batch) {
  const optimizer = new Recorder();
  const step = await TrainStep.create({
    config,
    objective,
    trainable,
    frozen: base,
    adapterScale: 2,
    optimizer,
    clipNorm: null,
    runtime,
  });
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
  return { analytic: gradNorm, numeric };
}

describe('through a whole model, the gradient of', () => {
  it('the reward model agrees with finite differences', async () => {
    const trainable = new Map([...adapter(2), ...initialRewardHead(config, createRandom(3))]);
    const { analytic, numeric } = await slopes(rewardModel(), trainable, pairBatch(pairs));
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });

  it('PPO with value, KL and ptx terms agrees with finite differences', async () => {
    const policy = adapter(4);
    const head = initialValueHead(config);
    head.get('value_head.weight')!.data.fill(0.1);
    const ptx = [{ ids: randomIds(30, 8), weights: [0, 0, 1, 1, 0.5, 1, 1, 1] }];
    const batch = ppoBatch(await rollouts(policy), ptx);
    const objective = ppo({ clipRange: 0.2, valueClipRange: 0.2, valueCoef: 0.5, klCoef: 0.1, ptxCoef: 0.7 });
    const { analytic, numeric } = await slopes(objective, new Map([...policy, ...head]), batch);
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(2e-2);
  });

  it.each([
    ['DPO', dpo({ beta: 0.3 })],
    ['cDPO', dpo({ beta: 0.3, labelSmoothing: 0.2 })],
    ['IPO', ipo({ beta: 0.3 })],
  ])('%s agrees with finite differences', async (_, objective) => {
    const batch = { pairs: pairBatch(pairs), referenceGaps: [0.4, -1.2] };
    const { analytic, numeric } = await slopes(objective, adapter(5), batch);
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });

  it('KTO agrees with finite differences', async () => {
    const answers = answerBatch(pairs.map(({ chosen, promptLength }) => ({ ids: chosen, promptLength })));
    const batch = { answers, desirable: [true, false], referenceLogProbs: [-30, -12], referencePoint: 0.7 };
    const objective = kto({ beta: 0.1, desirableWeight: 1, undesirableWeight: 1.3 });
    const { analytic, numeric } = await slopes(objective, adapter(5), batch);
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });

  it.each([
    ['DPO', dpo({ beta: 0.3, sftCoef: 0.7 })],
    ['IPO', ipo({ beta: 0.3, sftCoef: 0.7 })],
  ])('%s with supervised terms agrees with finite differences', async (_, objective) => {
    const batch = { pairs: pairBatch(pairs), referenceGaps: [0.4, -1.2], replayed };
    const { analytic, numeric } = await slopes(objective, adapter(5), batch);
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });

  it('KTO with supervised terms agrees with finite differences', async () => {
    const answers = answerBatch(pairs.map(({ chosen, promptLength }) => ({ ids: chosen, promptLength })));
    const judged = { answers, desirable: [true, false], referenceLogProbs: [-30, -12], referencePoint: 0.7 };
    const objective = kto({ beta: 0.1, desirableWeight: 1, undesirableWeight: 1.3, sftCoef: 0.7 });
    const { analytic, numeric } = await slopes(objective, adapter(5), { ...judged, replayed });
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });

  it.each([
    ['GRPO', grpo({ clipRange: 0.2, klCoef: 0.1 })],
    // Whole answers as one action: their ratios are far outside a clip of 0.2.
    ['RLOO', rloo({ clipRange: 50 })],
  ])('%s agrees with finite differences', async (_, objective) => {
    const policy = adapter(4);
    const made = await rollouts(policy);
    const batch = groupBatch(made.map((rollout, i) => ({ ...rollout, advantage: i === 0 ? 0.8 : -0.8 })));
    const { analytic, numeric } = await slopes(objective, policy, batch);
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(2e-2);
  });

  it('a reward model of rankings and thumbs agrees with finite differences', async () => {
    const trainable = new Map([...adapter(2), ...initialRewardHead(config, createRandom(3))]);
    const answers = [randomIds(1, 9), randomIds(2, 6), randomIds(5, 7)];
    const batch = rewardBatch(
      [{ answers, margins: [0.1, 0.2] }],
      [{ ids: randomIds(6, 8), liked: false, weight: 0.5 }],
    );
    const objective = rewardModel({ centerCoef: 0.01, thumbCoef: 0.5 });
    const { analytic, numeric } = await slopes(objective, trainable, batch);
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });
});

describe('a reward model that reads every token of the answer', () => {
  const answers = [randomIds(1, 9), randomIds(2, 6), randomIds(5, 7)];
  const ranking = { answers, promptLength: 2 };
  const thumb = { ids: randomIds(6, 8), liked: false, promptLength: 3 };
  const summed = initialRewardHead(config, createRandom(3), TOKEN_REWARD_HEAD);
  const heads = {
    'a sum over tokens': () => copyParameters(summed),
    'weights of runs of tokens': () =>
      new Map([...initialRewardHead(config, createRandom(3)), ...initialNgramWeights(config, 3)]),
    both: () => new Map([...copyParameters(summed), ...initialNgramWeights(config, 2)]),
  };

  it.each(Object.entries(heads))('agrees with finite differences: %s', async (_, head) => {
    const trainable = new Map([...adapter(2), ...head()]);
    const objective = rewardModel({ centerCoef: 0.01, thumbCoef: 0.5, form: rewardFormOf(config, trainable) });
    const { analytic, numeric } = await slopes(objective, trainable, rewardBatch([ranking], [thumb]));
    expect(Math.abs(numeric / analytic - 1)).toBeLessThan(5e-3);
  });

  it.each(Object.entries(heads))('learns, and its scorer sees it in the answers alone: %s', async (_, head) => {
    const trainable = head();
    const objective = rewardModel({ form: rewardFormOf(config, trainable) });
    const optimizer = new AdamW({ weightDecay: 0 });
    const step = await TrainStep.create({
      config,
      objective,
      trainable,
      frozen: base,
      runtime,
      clipNorm: null,
      optimizer,
    });
    for (let i = 0; i < 30; i++) await step.run([rewardBatch([ranking])], 2e-2);
    const { metrics } = await step.evaluate([rewardBatch([ranking])]);
    step.release();
    const scorer = new Scorer({ config, parameters: new Map([...base, ...trainable]), runtime });
    const [best, middle, worst] = await scorer.rewardScores(answers, [2, 2, 2]);
    expect(metrics['accuracy']).toBe(1);
    // The mean over all pairs of (r_c − r_r), as scored apart from the objective.
    expect(metrics['margin']).toBeCloseTo((2 * best! - 2 * worst!) / 3, 4);
    expect(middle).toBeGreaterThan(worst!);
    const [whole] = await scorer.rewardScores([answers[0]!], [0]);
    expect(whole).not.toBeCloseTo(best!, 3);
    await scorer.release();
  });

  it('refuses a batch that does not say what was answered', async () => {
    const trainable = heads['a sum over tokens']();
    const objective = rewardModel({ form: rewardFormOf(config, trainable) });
    expect(() => objective.feeds(pairBatch(pairs))).toThrow('the batch does not hold them');
  });
});

describe('supervised terms beside a preference loss', () => {
  const evaluate = async <Batch>(objective: Objective<Batch>, batch: Batch) => {
    const options = { config, objective, trainable: adapter(5), frozen: base, adapterScale: 2, runtime };
    const step = await TrainStep.create({ ...options, optimizer: new AdamW(), clipNorm: null });
    const { loss } = await step.evaluate([batch]).finally(() => step.release());
    return loss;
  };
  const mean = (ids: readonly number[], start: number) => ({
    ids,
    weights: ids.map((_, i) => (i < start ? 0 : 1 / (ids.length - start))),
  });
  /** Σ w · NLL, which sft() divides by Σ w. */
  const nll = async (sequences: readonly { ids: readonly number[]; weights: readonly number[] }[]) => {
    const batch = padSequences(sequences);
    return (await evaluate(sft(), batch)) * totalWeight(batch);
  };

  it('are the NLL of chosen answers and of what is replayed, on top of the same preference loss', async () => {
    const judged = { pairs: pairBatch(pairs), referenceGaps: [0.4, -1.2] };
    const plain = await evaluate(dpo({ beta: 0.3 }), judged);
    const chosen = await nll(pairs.map(({ chosen: ids, promptLength }) => mean(ids, promptLength)));
    const tasks = await nll(replayed);
    const both = await evaluate(dpo({ beta: 0.3, sftCoef: 0.7 }), { ...judged, replayed });
    expect(both).toBeCloseTo(plain + (0.7 * chosen + tasks) / pairs.length, 4);
  });

  it('leave disliked answers out', async () => {
    const answers = answerBatch(pairs.map(({ chosen, promptLength }) => ({ ids: chosen, promptLength })));
    const judged = { answers, desirable: [true, false], referenceLogProbs: [-30, -12], referencePoint: 0.7 };
    const options = { beta: 0.1, desirableWeight: 1, undesirableWeight: 1.3 };
    const liked = await nll([mean(pairs[0]!.chosen, pairs[0]!.promptLength)]);
    const both = await evaluate(kto({ ...options, sftCoef: 0.7 }), judged);
    expect(both).toBeCloseTo((await evaluate(kto(options), judged)) + (0.7 * liked) / 2, 4);
  });
});

describe('the reward model', () => {
  it('gives a ranking of two the loss of the pair it is', async () => {
    const trainable = new Map([...adapter(7), ...initialRewardHead(config, createRandom(8))]);
    const options = { config, objective: rewardModel(), trainable, frozen: base, adapterScale: 2, runtime };
    const step = await TrainStep.create({ ...options, optimizer: new AdamW(), clipNorm: null });
    const plain = pairs.map(({ chosen, rejected, promptLength }) => ({ chosen, rejected, promptLength }));
    const asPairs = await step.evaluate([pairBatch(plain)]);
    const asRankings = await step.evaluate([
      rewardBatch(plain.map(({ chosen, rejected }) => ({ answers: [chosen, rejected] }))),
    ]);
    expect(asRankings.items).toBe(asPairs.items);
    expect(asRankings.loss).toBeCloseTo(asPairs.loss, 5);
    step.release();
  });

  it('measures pairs and thumbs apart: many thumbs dilute no figure of the pairs', async () => {
    const trainable = new Map([...adapter(7), ...initialRewardHead(config, createRandom(8))]);
    const options = {
      config,
      objective: rewardModel({ thumbCoef: 1 }),
      trainable,
      frozen: base,
      adapterScale: 2,
      runtime,
    };
    const step = await TrainStep.create({ ...options, optimizer: new AdamW(), clipNorm: null });
    const rankings = pairs.map(({ chosen, rejected }) => ({ answers: [chosen, rejected] }));
    const thumbs = pairs.flatMap(({ chosen }) => Array.from({ length: 5 }, () => ({ ids: chosen, liked: true })));
    const { metrics: alone } = await step.evaluate([rewardBatch(rankings)]);
    expect(alone['thumbAccuracy']).toBeUndefined();
    for (const batches of [[rewardBatch(rankings, thumbs)], [rewardBatch(rankings), rewardBatch([], thumbs)]]) {
      const { metrics, items } = await step.evaluate(batches);
      expect(items).toBe(rankings.length + thumbs.length);
      for (const name of ['accuracy', 'margin', 'reward']) expect(metrics[name]).toBeCloseTo(alone[name]!, 5);
      expect(metrics['thumbAccuracy']! * thumbs.length).toBeCloseTo(
        Math.round(metrics['thumbAccuracy']! * thumbs.length),
        5,
      );
    }
    const { metrics } = await step.evaluate([rewardBatch([], thumbs)]);
    expect(Object.keys(metrics)).toEqual(['thumbAccuracy']);
    step.release();
  });

  it('learns to rank pairs, and its scorer then ranks them alone', async () => {
    const trainable = new Map([...adapter(7), ...initialRewardHead(config, createRandom(8))]);
    const step = await TrainStep.create({
      config,
      objective: rewardModel(),
      trainable,
      frozen: base,
      adapterScale: 2,
      optimizer: new AdamW({ weightDecay: 0 }),
      clipNorm: 1,
      runtime,
    });
    for (let i = 0; i < 30; i++) await step.run([pairBatch(pairs)], 1e-2);
    const { metrics } = await step.evaluate([pairBatch(pairs)]);
    expect(metrics['accuracy']).toBe(1);
    const scorer = new Scorer({ config, parameters: new Map([...base, ...trainable]), adapterScale: 2, runtime });
    const [c0, r0, c1, r1] = await scorer.rewardScores(
      pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]),
      pairs.flatMap(({ promptLength }) => [promptLength, promptLength]),
    );
    expect(c0).toBeGreaterThan(r0!);
    expect(c1).toBeGreaterThan(r1!);
  });
});

describe('PPO', () => {
  it('starts with ratio 1 and no clipping when the rollout’s log-probs are the policy’s own', async () => {
    const policy = adapter(9);
    const scorer = new Scorer({ config, parameters: new Map([...base, ...policy]), adapterScale: 2, runtime });
    const made = await rollouts(policy);
    const own = await scorer.tokenLogProbs(ppoBatch(made).tokens);
    const exact = made.map((rollout, i) => ({ ...rollout, oldLogProbs: own.slice(i * 5, i * 5 + (i === 0 ? 5 : 7)) }));
    const step = await TrainStep.create({
      config,
      objective: ppo({ clipRange: 0.2, valueClipRange: 0.2, valueCoef: 0.1, ptxCoef: 0 }),
      trainable: new Map([...policy, ...initialValueHead(config)]),
      frozen: base,
      adapterScale: 2,
      optimizer: new AdamW({ weightDecay: 0 }),
      clipNorm: 1,
      runtime,
    });
    const first = await step.run([ppoBatch(exact)], 1e-2);
    expect(first.metrics['ratio']).toBeCloseTo(1, 5);
    expect(first.metrics['clipFraction']).toBe(0);
    expect(first.metrics['approxKl']).toBeCloseTo(0, 5);
    const second = await step.evaluate([ppoBatch(exact)]);
    expect(second.metrics['policyLoss']).toBeLessThan(first.metrics['policyLoss']!);
  });
});

describe('a training graph', () => {
  it('names the parameter it misses', async () => {
    const options = { config, objective: rewardModel(), optimizer: new AdamW(), clipNorm: null, runtime };
    const withoutHead = TrainStep.create({ ...options, trainable: new Map([['x', parameter([1])]]), frozen: base });
    await expect(withoutHead).rejects.toThrow('reward_head.weight');
  });
});
