import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatMessage, CheckpointView, TuningEventView, TuningJobConfig, TuningJobView } from '@attune/contracts';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signOff, SIGN_OFF, SIGN_OFF_CONFIG } from '../../apps/trainer/src/loop/sign-off.js';
import { gatherCrowd } from '../support/crowd.js';
import { modelChats, noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { startTestTrainer, type TestTrainer } from '../support/trainer.js';

/** A model that follows instructions, other than the bundled one. */
const model = process.env.TEST_CHAT_MODEL ?? (modelChats ? testModel : undefined);
const scenario = signOff();
const MINUTE = 60_000;

/**
 * Three minutes on two idle cores; the limits leave room for busy ones.
 *
 * The tour: people chat, correct and choose; a reviewer approves; the trainer learns; the gate measures; the new
 * weights go live under running streams; one click brings the old ones back.
 */
describe.skipIf(!model)(`the tuning loop (${model ? 'for real' : noModel})`, () => {
  let gateway: TestGateway;
  let trainer: TestTrainer;

  beforeAll(async () => {
    gateway = await startTestGateway({ model });
    const { databaseUrl, dataDir } = gateway;
    trainer = startTestTrainer({ databaseUrl, dataDir, model: model! });
    await chatAndCorrect(gateway);
    await reviewEverything(gateway);
  }, 3 * MINUTE);
  afterAll(async () => {
    await trainer?.stop();
    await gateway?.close();
  });

  it(
    'teaches the model what people corrected, live under running streams, and takes it back in one click',
    async () => {
      const before = await answers(gateway);
      expect(shareShown(before)).toBeLessThan(0.2);

      const crowd = gatherCrowd(gateway.openai, gateway.model, 4, questionsOfOthers);
      const job = await train(gateway, SIGN_OFF_CONFIG);
      expect(job, await diary(gateway, job)).toMatchObject({ status: 'succeeded', error: null });
      const checkpoint = await checkpointOf(gateway, job);
      expect(checkpoint, JSON.stringify(checkpoint.gate_report?.checks)).toMatchObject({ status: 'live' });
      expect(checkpoint.gate_report!.passed).toBe(true);

      const after = await eventually(
        () => answers(gateway),
        (found) => found.every(({ fingerprint }) => fingerprint === checkpoint.weights_digest),
      );
      expect(shareShown(after), texts(after)).toBeGreaterThan(0.8);

      const rolledBack = await gateway.api(gateway.adminKey, 'POST', '/api/checkpoints/rollback', { reason: 'tour' });
      expect(rolledBack.status).toBe(200);
      const restored = await eventually(
        () => answers(gateway),
        (found) => found.every(({ fingerprint }) => fingerprint === before[0]!.fingerprint),
      );
      expect(restored).toEqual(before);

      const { numAnswers, errors, fingerprints } = await crowd.disperse();
      expect(errors).toEqual([]);
      expect(numAnswers).toBeGreaterThan(20);
      expect([...fingerprints].sort()).toEqual([before[0]!.fingerprint, checkpoint.weights_digest].sort());
    },
    6 * MINUTE,
  );

  it('leads from an answer’s lesson back to the feedback it came from', async () => {
    const { body } = await gateway.api(gateway.adminKey, 'GET', '/api/tuning/jobs');
    const rows = await gateway.api(gateway.adminKey, 'GET', `/api/tuning/jobs/${body.data.at(-1).id}/rows`);
    const feedback = await gateway.api(gateway.userKey, 'GET', '/v1/feedback?limit=200');
    const known = new Set(feedback.body.data.map(({ id }: { id: string }) => id));
    expect(rows.body.data.length).toBeGreaterThan(scenario.conversations.length);
    expect(rows.body.data.every(({ feedback_id: id }: { feedback_id: string }) => known.has(id))).toBe(true);
  });

  it(
    'stops a candidate made worse on purpose',
    async () => {
      const live = await fingerprintNow(gateway);
      const ruinous: TuningJobConfig = {
        ...SIGN_OFF_CONFIG,
        stages: ['sft'],
        sft: { ...SIGN_OFF_CONFIG.sft, max_steps: 6, learning_rate: 0.1, replay_share: 0 },
      };
      const job = await train(gateway, ruinous);
      expect(job, await diary(gateway, job)).toMatchObject({ status: 'succeeded' });
      const checkpoint = await checkpointOf(gateway, job);
      expect(checkpoint.status).toBe('rejected');
      expect(checkpoint.gate_report!.checks.filter(({ passed }) => !passed).map(({ name }) => name)).toContain(
        'task_suite',
      );
      const forced = await gateway.api(gateway.adminKey, 'POST', `/api/checkpoints/${checkpoint.id}/promote`, {});
      expect(forced.status).toBe(409);
      expect(await fingerprintNow(gateway)).toBe(live);
    },
    6 * MINUTE,
  );
});

/** Every simulated user asks, gets an answer and a second try, and says what should have been. */
async function chatAndCorrect(gateway: TestGateway): Promise<void> {
  for (const [index, { id, prompt }] of scenario.conversations.entries()) {
    const greedy = await ask(gateway.openai, gateway.model, prompt, { temperature: 0, conversation: id });
    const sampled = await ask(gateway.openai, gateway.model, prompt, { temperature: 1, seed: index, again: greedy.id });
    for (const opinion of scenario.feedback(index, { greedy: greedy.text, sampled: sampled.text })) {
      const better = opinion.answer === greedy.text ? greedy : sampled;
      const about =
        opinion.type === 'correction'
          ? { type: 'correction', completion_id: greedy.id, text: opinion.text }
          : {
              type: 'choice',
              completion_id: better.id,
              rejected_completion_id: better === greedy ? sampled.id : greedy.id,
            };
      const recorded = await gateway.api(gateway.userKey, 'POST', '/v1/feedback', about);
      expect(recorded.status, JSON.stringify(recorded.body)).toBe(201);
    }
  }
}

/** A reviewer approves corrections and brings the better answer of a choice into the house style. */
async function reviewEverything(gateway: TestGateway): Promise<void> {
  const { body } = await gateway.api(gateway.reviewerKey, 'GET', '/api/review/queue?limit=200');
  for (const { feedback, completion } of body.data) {
    const verdict =
      feedback.type === 'choice'
        ? { verdict: 'edit', edited_text: completion.answer.trimEnd() + SIGN_OFF }
        : { verdict: 'approve' };
    const decided = await gateway.api(gateway.reviewerKey, 'POST', `/api/review/${feedback.id}`, verdict);
    expect(decided.status).toBe(200);
  }
}

async function train(gateway: TestGateway, config: TuningJobConfig): Promise<TuningJobView> {
  const created = await gateway.api(gateway.adminKey, 'POST', '/api/tuning/jobs', { config });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  const job = async () => (await gateway.api(gateway.adminKey, 'GET', `/api/tuning/jobs/${created.body.id}`)).body;
  return eventually<TuningJobView>(job, ({ status }) => status !== 'queued' && status !== 'running', 5 * MINUTE);
}

async function diary(gateway: TestGateway, job: TuningJobView): Promise<string> {
  const { body } = await gateway.api(gateway.adminKey, 'GET', `/api/tuning/jobs/${job.id}/events`);
  return body.data.map(({ level, message }: TuningEventView) => `${level}: ${message}`).join('\n');
}

async function checkpointOf(gateway: TestGateway, job: TuningJobView): Promise<CheckpointView> {
  const { body } = await gateway.api(gateway.adminKey, 'GET', '/api/checkpoints');
  return body.data.find(({ id }: CheckpointView) => id === job.checkpoint_id);
}

async function fingerprintNow(gateway: TestGateway): Promise<string> {
  return (await ask(gateway.openai, gateway.model, scenario.unseen[0]!, { temperature: 0 })).fingerprint;
}

/** What the gateway answers to prompts nobody gave feedback on, greedily. */
async function answers(gateway: TestGateway) {
  const found = await Promise.all(
    scenario.unseen.map((prompt) => ask(gateway.openai, gateway.model, prompt, { temperature: 0 })),
  );
  return found.map(({ text, fingerprint }) => ({ text, fingerprint }));
}

interface Asking {
  temperature: number;
  seed?: number;
  conversation?: string;
  /** Another try of this completion. */
  again?: string;
}

async function ask(
  client: OpenAI,
  name: string,
  prompt: readonly ChatMessage[],
  { temperature, seed, conversation, again }: Asking,
) {
  const metadata = {
    retrieval: 'off',
    ...(conversation && { conversation_id: conversation }),
    ...(again && { regenerate_of: again }),
  };
  const answer = await client.chat.completions.create({
    model: name,
    messages: prompt as OpenAI.ChatCompletionMessageParam[],
    temperature,
    seed,
    metadata,
    max_tokens: 48,
  });
  const { message } = answer.choices[0]!;
  return { id: answer.id, text: message.content ?? '', fingerprint: answer.system_fingerprint! };
}

const questionsOfOthers = [
  'What is the capital of France?',
  'Say hello.',
  'What is 3 plus 4?',
  'Reverse: one two three',
];
const shareShown = (found: { text: string }[]) =>
  found.filter(({ text }, i) => scenario.shows(text, i)).length / found.length;
const texts = (found: { text: string }[]) => found.map(({ text }) => text).join(' | ');

/** Asks again and again until it is so; fails with the last answer. */
async function eventually<T>(look: () => Promise<T>, isSo: (seen: T) => boolean, withinMs = 10_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`still not so after ${withinMs} ms: ${JSON.stringify(seen)}`);
    await sleep(300);
  }
}
