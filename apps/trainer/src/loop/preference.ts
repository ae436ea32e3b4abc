import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import type { TaskExample } from '@attune/tasks';
import type { ReviewedFeedback } from '../curation/curated-row.js';
import type { FirstAnswers, Scenario } from './scenario.js';
import { conversationId, questions, signedOff, SIGN_OFF, withPersona } from './sign-off.js';

/** Some two hundred people, one conversation each. */
const NUM_USERS = 200;
const NUM_UNSEEN = 48;

export const PREFERENCE_CONFIG: TuningJobConfig = tuningJobConfig.parse({
  sft: { epochs: 12, max_steps: 100, learning_rate: 4e-3, batch_size: 16, replay_share: 0.5 },
  reward: { epochs: 4, max_steps: 50, learning_rate: 1e-3, batch_size: 12 },
  ppo: {
    iterations: 6,
    rollouts_per_iteration: 16,
    max_answer_tokens: 32,
    minibatches: 2,
    ppo_epochs: 1,
    learning_rate: 3e-4,
  },
  gate: { suite_examples_per_family: 2, max_suite_drop: 0.02 },
});

/**
 * Two hundred people want every answer of a harbour radio to end with its sign-off, and each says so in one way only: a
 * correction, a choice between two answers, or a thumb. Reviewers bring corrections and chosen answers into the house
 * style; a thumb stands as it was given. Another seed is other people with other questions.
 */
export function preference(config: TuningJobConfig = PREFERENCE_CONFIG): Scenario {
  const examples = questions(NUM_USERS + NUM_UNSEEN, deriveSeed(config.seed, 'people'));
  const [taught, unseen] = [examples.slice(0, NUM_USERS), examples.slice(NUM_USERS)];
  return {
    name: 'preference',
    conversations: taught.map((example, i) => ({ id: conversationId(i), prompt: withPersona(example) })),
    feedback: (index, answers) => [opinion(index, taught[index]!, answers)],
    unseen: unseen.map(withPersona),
    ...signedOff(unseen),
    config,
  };
}

function opinion(index: number, example: TaskExample, { greedy, sampled }: FirstAnswers): ReviewedFeedback {
  const about = {
    feedbackId: `fb_preference_${index}`,
    value: null,
    text: null,
    editedText: null,
    userId: `user_${index}`,
    conversationId: conversationId(index),
    prompt: withPersona(example),
    answer: greedy,
    rejectedAnswer: null,
  };
  const kind = index % 3;
  if (kind === 0 || (kind === 1 && greedy === sampled))
    return { ...about, type: 'correction', text: example.answer + SIGN_OFF };
  if (kind === 2) return { ...about, type: 'thumb', value: greedy.endsWith(SIGN_OFF) ? 'up' : 'down' };
  const [better, worse] = example.check(sampled) && !example.check(greedy) ? [sampled, greedy] : [greedy, sampled];
  return { ...about, type: 'choice', answer: better, rejectedAnswer: worse, editedText: better.trimEnd() + SIGN_OFF };
}
