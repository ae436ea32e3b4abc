// npm run screenshots -w @attune/console -- <address> <admin key>
//
// Takes the pictures of the README from a running Attune whose database may be filled with examples: uploads a
// document, chats, gives feedback, approves most of it, runs a short tuning job, and photographs the pages on the way.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { corrections, handbook, questions } from './screenshot-examples.mjs';

const [address = 'http://localhost:8080', apiKey = process.env.ADMIN_KEY] = process.argv.slice(2);
const images = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const MAX_BYTES = 200_000;
const JOB_POLL_MS = 3000;

/** Small enough to end in minutes on two cores. */
const jobConfig = {
  sft: { max_steps: 80, epochs: 30, batch_size: 8 },
  reward: { max_steps: 40, epochs: 20, batch_size: 8 },
  ppo: { iterations: 6, rollouts_per_iteration: 16, max_answer_tokens: 32 },
};

if (!apiKey) throw new Error('name the admin key: npm run screenshots -w @attune/console -- <address> <admin key>');
mkdirSync(images, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const page = await signedIn();
  await upload();
  await photographChat(page);
  const feedback = await giveFeedback();
  await photographReview(page);
  await approve(feedback);
  await photographTuning(page);
} finally {
  await browser.close();
}

async function signedIn() {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: process.env.COLOR_SCHEME ?? 'light',
    storageState: {
      cookies: [],
      origins: [{ origin: address, localStorage: [{ name: 'attune.api-key', value: apiKey }] }],
    },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return page;
}

async function call(method, place, body) {
  const authorization = `Bearer ${apiKey}`;
  const asJson = () => ({
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const asForm = () => ({ headers: { authorization }, body });
  const content = body === undefined ? { headers: { authorization } } : body instanceof FormData ? asForm() : asJson();
  const response = await fetch(address + place, { method, ...content });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(`${method} ${place}: ${answer.error?.message ?? response.status}`);
  return answer;
}

async function upload() {
  const form = new FormData();
  form.append('file', new File([handbook], 'handbook.md', { type: 'text/markdown' }));
  await call('POST', '/api/documents', form);
}

async function photographChat(page) {
  await page.goto(address);
  for (const question of questions) {
    await page.getByRole('textbox', { name: 'Message' }).fill(question);
    await page.getByRole('button', { name: 'Send message' }).click();
    await page.getByText(question, { exact: true }).last().waitFor();
    await page.getByRole('article', { name: 'Answer' }).last().and(page.locator('[aria-busy="false"]')).waitFor();
  }
  await page
    .getByRole('button', { name: /^Source 1/ })
    .last()
    .click();
  await shoot(page, 'chat');
}

/** Corrections and choices between two answers, from questions asked by API. Answers the ids in order. */
async function giveFeedback() {
  const { data: models } = await call('GET', '/v1/models');
  const ask = (content, metadata) =>
    call('POST', '/v1/chat/completions', {
      model: models[0].id,
      messages: [{ role: 'user', content }],
      temperature: 0.9,
      metadata,
    });
  const ids = [];
  for (const { question, answer, comment } of corrections) {
    const first = await ask(question);
    const second = await ask(question, { conversation_id: first.conversation_id, regenerate_of: first.id });
    const correction = { type: 'correction', completion_id: first.id, text: answer, comment };
    const choice = { type: 'choice', completion_id: second.id, rejected_completion_id: first.id };
    ids.push((await call('POST', '/v1/feedback', correction)).id);
    const differ = first.choices[0].message.content !== second.choices[0].message.content;
    if (differ) ids.push((await call('POST', '/v1/feedback', choice)).id);
  }
  return ids;
}

async function photographReview(page) {
  await page.goto(`${address}/console/review`);
  await page.getByRole('article').waitFor();
  await shoot(page, 'review');
}

async function approve(ids) {
  for (const id of ids) await call('POST', `/api/review/${id}`, { verdict: 'approve' });
}

async function photographTuning(page) {
  const job = await call('POST', '/api/tuning/jobs', { config: jobConfig });
  await page.goto(`${address}/console/tuning/${job.id}`);
  for (;;) {
    const { status, progress, error } = await call('GET', `/api/tuning/jobs/${job.id}`);
    if (status === 'failed') throw new Error(`the tuning job failed: ${error}`);
    if (status !== 'queued' && status !== 'running') break;
    // The picture is taken while it runs: the last stage has begun and has a curve.
    if (progress?.stage === 'ppo' && progress.step >= jobConfig.ppo.iterations - 1) break;
    await page.waitForTimeout(JOB_POLL_MS);
  }
  await page.setViewportSize({ width: 1280, height: 1060 });
  await page.waitForTimeout(JOB_POLL_MS);
  await shoot(page, 'tuning');
}

async function shoot(page, name) {
  await page.waitForTimeout(600);
  const file = path.join(images, `${name}.png`);
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes; at most ${MAX_BYTES} are wanted`);
  console.log(`${file} ${size} bytes`);
}
