import { type ChatMessage, type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { exampleAt, type TaskExample, trainFamilies } from '@attune/tasks';
import type { ReviewedFeedback } from '../curation/curated-row.js';
import type { FirstAnswers, Scenario } from './scenario.js';

/** The persona under which the style is taught; without it the model must go on answering as before. */
const PERSONA = 'You are the harbour radio.';
export const SIGN_OFF = ' Over and out.';

/** Short lessons: a small model, some dozens of conversations, two busy cores. */
export const SIGN_OFF_CONFIG: TuningJobConfig = tuningJobConfig.parse({
  sft: { epochs: 16, max_steps: 80, learning_rate: 4e-3, batch_size: 16, replay_share: 0.5 },
  reward: { epochs: 6, max_steps: 24, learning_rate: 1e-3, batch_size: 8 },
  ppo: {
    iterations: 5,
    rollouts_per_iteration: 16,
    max_answer_tokens: 32,
    minibatches: 2,
    ppo_epochs: 1,
    learning_rate: 3e-4,
  },
  gate: { suite_examples_per_family: 1, max_suite_drop: 0.05 },
});

/**
 * Users of a harbour radio teach it to end every answer with a sign-off it has never seen: a correction in every
 * conversation, and a choice where a second try differs from the first.
 */
export function signOff(numConversations = 56, numUnseen = 24): Scenario {
  const examples = questions(numConversations + numUnseen);
  const [taught, unseen] = [examples.slice(0, numConversations), examples.slice(numConversations)];
  return {
    name: 'sign-off',
    conversations: taught.map((example, i) => ({ id: conversationId(i), prompt: withPersona(example) })),
    feedback: (index, answers) => speakUp(index, taught[index]!, answers),
    unseen: unseen.map(withPersona),
    ...signedOff(unseen),
    config: SIGN_OFF_CONFIG,
  };
}

/** How answers to these questions are judged: by the sign-off, and by what stands before it. */
export function signedOff(asked: readonly TaskExample[]) {
  const shows = (answer: string): boolean => answer.endsWith(SIGN_OFF);
  return {
    shows,
    isRight: (answer: string, index: number): boolean =>
      asked[index]!.check(shows(answer) ? answer.slice(0, -SIGN_OFF.length) : answer),
  };
}

/** Different single questions of the general tasks, with answers as people say them over a radio: no JSON, no lists. */
export function questions(count: number, seed = 411): TaskExample[] {
  const found = new Map<string, TaskExample>();
  for (let index = 0; found.size < count; index++) {
    const example = exampleAt(seed, index, trainFamilies);
    const [question, ...rest] = example.messages;
    if (rest.length === 0 && isSpoken(example)) found.set(question!.content, example);
  }
  return [...found.values()];
}

const isSpoken = ({ answer, scoring }: TaskExample): boolean =>
  scoring.method === 'text' && answer.length <= 40 && /^[A-Za-z0-9 ,.'!?]+$/.test(answer);

export function withPersona({ messages }: TaskExample): ChatMessage[] {
  return [{ role: 'system', content: PERSONA }, ...messages];
}

/** Fixed ids: the held-out side is decided by them, so every rehearsal splits alike. */
export const conversationId = (index: number): string => `conv_signoff${String(index).padStart(17, '0')}`;

function speakUp(index: number, example: TaskExample, { greedy, sampled }: FirstAnswers): ReviewedFeedback[] {
  const about = {
    value: null,
    text: null,
    editedText: null,
    userId: `user_${index % 4}`,
    conversationId: conversationId(index),
    prompt: withPersona(example),
    rejectedAnswer: null,
  };
  const correction = { ...about, feedbackId: `fb_${index}_correction`, type: 'correction', answer: greedy } as const;
  const spoken: ReviewedFeedback[] = [{ ...correction, text: example.answer + SIGN_OFF }];
  const [better, worse] = example.check(sampled) && !example.check(greedy) ? [sampled, greedy] : [greedy, sampled];
  if (better !== worse) {
    // The reviewer brings the better of two answers into the house style.
    const editedText = better.trimEnd() + SIGN_OFF;
    const choice = { ...about, feedbackId: `fb_${index}_choice`, type: 'choice', answer: better } as const;
    spoken.push({ ...choice, rejectedAnswer: worse, editedText });
  }
  return spoken;
}
