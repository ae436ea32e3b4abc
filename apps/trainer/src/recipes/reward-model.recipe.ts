import type { TuningJobConfig } from '@attune/contracts';
import { createRandom, deriveSeed } from '@attune/platform';
import {
  copyParameters,
  cosine,
  holding,
  initialNgramWeights,
  initialRewardHead,
  makeOfParts,
  type ParameterSet,
  type Ranking,
  REWARD_HEAD,
  type RewardBatch,
  rewardBatch,
  rewardFormOf,
  rewardModel,
  type Scorer,
  type Thumb,
  TOKEN_REWARD_HEAD,
  type TuningForm,
} from '@attune/training';
import type { Dataset, DatasetSide } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import { answerSequence } from '../model/answer-sequence.js';
import { type Policy, scorerOver } from '../model/policy.js';
import { batchItems, numSteps } from './data-order.js';
import { countTokensOf, figuresOf } from './figures.js';
import { microBatches } from './micro-batches.js';
import { joinRankings, toRanking } from './preference-pairs.js';
import type { RecipeContext } from './recipe-context.js';
import { judgementOf, type RewardJudgement } from './reward-judgement.js';
import { initialPolicy } from './starting-policy.js';
import { openStageStep } from './stage-step.js';

const STAGE = 'reward';
const WARMUP_SHARE = 0.1;
/** A trained reward model: an adapter (or a whole model) and a head of its own. */
export interface RewardModel extends RewardJudgement {
  readonly form: TuningForm;
  readonly parameters: ParameterSet;
  readonly scorer: Scorer;
}

/**
 * The reward model (Ouyang et al. 2022, step 2): the policy as it is after SFT with a scalar head, trained on pairs of
 * a better and a worse answer.
 */
export async function trainRewardModel(context: RecipeContext, start: Policy, data: Dataset): Promise<RewardModel> {
  const { model, state } = context;
  const body = startOfBody(context, start);
  const { form } = body;
  const parameters = state.track('reward', new Map([...body.parameters, ...freshHead(context)]));
  if (!state.isFinished(STAGE)) {
    await trainOnPairs(context, form, parameters, data.train);
    await state.finish(STAGE);
  }
  return makeOfParts(async (keep) => {
    const scorer = keep(scorerOver(model, form, parameters));
    return { form, parameters, scorer, ...(await judgementOf(context, scorer, data)) };
  });
}

function freshHead({ model, config }: RecipeContext): ParameterSet {
  const random = createRandom(deriveSeed(config.seed, 'reward-head'));
  const { pooling, ngrams } = config.reward;
  const head = initialRewardHead(model.config, random, pooling === 'sum' ? TOKEN_REWARD_HEAD : REWARD_HEAD);
  return ngrams === 0 ? head : new Map([...head, ...initialNgramWeights(model.config, ngrams)]);
}

/** The policy as it is now, in arrays of its own. A soft prompt is too small to carry a judgement: a LoRA adapter is. */
function startOfBody({ model, config }: RecipeContext, { form, parameters }: Policy): Policy {
  if (form.kind === 'soft-prompt') return initialPolicy(model, { ...config, form: 'lora' });
  return { form, parameters: copyParameters(parameters) };
}

/** How many places of a batch go to thumbs; rankings keep one at least, for they alone say which answer is better. */
export const thumbsOfBatch = (batchSize: number, share: number): number =>
  Math.min(batchSize - 1, Math.round(batchSize * share));

async function trainOnPairs(
  context: RecipeContext,
  form: TuningForm,
  parameters: ParameterSet,
  { preferences, thumbs }: DatasetSide,
): Promise<void> {
  const { config, model, journal } = context;
  const { batch_size: batchSize, epochs, max_steps: maxSteps, learning_rate: peak, center_coef } = config.reward;
  const rankings = joinRankings(preferences).map((ranked) => toRanking(model.tokenizer, ranked));
  const judged = thumbs.map(({ prompt, answer, liked }): Thumb => {
    const { ids, answerStart } = answerSequence(model.tokenizer, prompt, answer);
    return { ids, liked, promptLength: answerStart };
  });
  const numThumbs = judged.length === 0 ? 0 : thumbsOfBatch(batchSize, config.reward.thumb_share);
  const numRankings = batchSize - numThumbs;
  const totalSteps = numSteps(rankings.length, numRankings, epochs, maxSteps);
  const schedule = cosine({ peak, warmupSteps: Math.ceil(totalSteps * WARMUP_SHARE), totalSteps });
  journal.info(
    `Reward model: ${preferences.length} preferences in ${rankings.length} rankings and ${judged.length} thumbs; ` +
      `${totalSteps} steps of ${numRankings} rankings and ${numThumbs} thumbs`,
  );
  const { trainable, standing } = trainedPart(parameters, config.reward.body);
  const step = await openStageStep(context, {
    stage: STAGE,
    form,
    objective: rewardModel({
      centerCoef: center_coef,
      thumbCoef: numThumbs > 0 ? 1 : 0,
      form: rewardFormOf(model.config, parameters),
    }),
    trainable,
    standing,
  });
  const seed = deriveSeed(config.seed, STAGE);
  const drawn = <T>(items: readonly T[], count: number, n: number, name: string) =>
    count === 0 ? [] : batchItems(deriveSeed(seed, name), items.length, count, n).map((i) => items[i]!);
  await holding([step], () =>
    runStage(context, STAGE, totalSteps, async (n) => {
      const batches = rewardBatches(
        drawn(rankings, numRankings, n, 'rankings'),
        drawn(judged, numThumbs, n, 'thumbs'),
        config.micro_batch,
      );
      const result = await step.run(batches, schedule(n));
      const tokens = batches.reduce((sum, batch) => sum + countTokensOf(batch.tokens), 0);
      return { values: { ...figuresOf(result), lr: schedule(n), tokens } };
    }),
  );
}

/** What the pairs change, and what of the model's own parameters stands still under it. */
export function trainedPart(parameters: ParameterSet, body: TuningJobConfig['reward']['body']) {
  if (body === 'tuned') return { trainable: parameters, standing: new Map() as ParameterSet };
  const part = (isHead: boolean): ParameterSet =>
    new Map([...parameters].filter(([name]) => name.startsWith(`${REWARD_HEAD}.`) === isHead));
  return { trainable: part(true), standing: part(false) };
}

/** All at once, or in parts of about so many sequences; the answers of a ranking stay together. */
function rewardBatches(rankings: readonly Ranking[], thumbs: readonly Thumb[], microBatch: number): RewardBatch[] {
  if (microBatch === 0) return [rewardBatch(rankings, thumbs)];
  return [
    ...microBatches(rankings, Math.ceil(microBatch / 2)).map((part) => rewardBatch(part)),
    ...microBatches(thumbs, microBatch).map((part) => rewardBatch([], part)),
  ];
}
