import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import type { TaskExample } from '@attune/tasks';
import type { ReviewedFeedback } from '../curation/curated-row.js';
import type { FirstAnswers, Scenario } from './scenario.js';
import { conversationId, questions, withPersona } from './sign-off.js';

const NUM_USERS = 200;
const NUM_UNSEEN = 96;

export const THUMBS_CONFIG: TuningJobConfig = tuningJobConfig.parse({
  stages: ['kto'],
  sft: { epochs: 12, max_steps: 100, learning_rate: 4e-3, batch_size: 16, replay_share: 0.5 },
  kto: { epochs: 6, max_steps: 120 },
  gate: {
    suite_examples_per_family: 2,
    max_suite_drop: 0.02,
    // Liked answers are the model's own: no other weights find them likelier than those that gave them.
    max_heldout_loss_rise: 0.1,
  },
});

/** What learns from thumbs alone; SFT reads the liked answers as demonstrations. */
export function thumbsConfigs(): Record<string, TuningJobConfig> {
  return {
    kto: THUMBS_CONFIG,
    'sft on liked answers': { ...THUMBS_CONFIG, stages: ['sft'] },
    'sft, then kto': { ...THUMBS_CONFIG, stages: ['sft', 'kto'] },
  };
}

/**
 * Nobody writes a word: two hundred people ask under a persona that confuses the model (it blurts out the persona's own
 * words) and give a thumb up to what is right and a thumb down to what is not, for two answers each. There is no pair:
 * often both are right or both are wrong.
 */
export function thumbs(config: TuningJobConfig = THUMBS_CONFIG): Scenario {
  const examples = questions(NUM_USERS + NUM_UNSEEN, deriveSeed(config.seed, 'people'));
  const [asked, unseen] = [examples.slice(0, NUM_USERS), examples.slice(NUM_USERS)];
  const isRight = (answer: string, index: number) => unseen[index]!.check(answer);
  return {
    name: 'thumbs',
    conversations: asked.map((example, i) => ({ id: conversationId(i), prompt: withPersona(example) })),
    feedback: (index, answers) => opinions(index, asked[index]!, answers),
    unseen: unseen.map(withPersona),
    shows: isRight,
    isRight,
    config,
  };
}

function opinions(index: number, example: TaskExample, { greedy, sampled }: FirstAnswers): ReviewedFeedback[] {
  return [...new Set([greedy, sampled])].map((answer, i) => ({
    feedbackId: `fb_thumbs_${index}_${i}`,
    type: 'thumb',
    value: example.check(answer) ? 'up' : 'down',
    text: null,
    editedText: null,
    userId: `user_${index}`,
    conversationId: conversationId(index),
    prompt: withPersona(example),
    answer,
    rejectedAnswer: null,
  }));
}
