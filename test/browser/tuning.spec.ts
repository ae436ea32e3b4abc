import path from 'node:path';
import type { GateReport } from '@attune/contracts';
import { TuningRepository } from '@attune/persistence';
import { describe, expect, it } from 'vitest';
import { ask, finishedAnswer } from './support/chat.js';
import { missing, titled, type TestConsole, useTestConsole } from './support/console.js';
import { appendSteps, seedLiveCheckpoint, seedRunningJob, takeJob, WORKER } from './support/seed.js';

const report: GateReport = {
  passed: true,
  checks: [
    { name: 'win rate', passed: true, candidate: 0.8, live: null, bound: '≥ 0.50', reason: 'wins 8 of 10 prompts' },
    { name: 'task suite', passed: true, candidate: 0.93, live: 0.94, bound: '≥ 0.92', reason: 'falls by 0.01' },
  ],
  suite: [
    { family: 'reverse-word', candidate: 0.75, live: 1 },
    { family: 'add-numbers', candidate: 1, live: 1 },
  ],
  samples: [{ prompt: 'Greet Ada.', candidate: 'Hello Ada. Best wishes.', live: 'Hello Ada.' }],
};

describe.skipIf(missing)(titled('the pages of the loop'), () => {
  const console = useTestConsole();

  it('tells in the gateway’s words why a job cannot start yet', async () => {
    const page = await console.open(console.gateway.adminKey, '/console/tuning');
    await page.getByText('No job has run yet').waitFor();
    await page.getByRole('button', { name: 'Start a job' }).click();
    await page.getByRole('dialog').getByLabel('Note').fill('too early');
    await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
    const sentence = await page.getByRole('dialog').getByRole('alert').innerText();
    const refused = await console.gateway.api(console.gateway.adminKey, 'POST', '/api/tuning/jobs', {});
    expect(refused.status).toBe(409);
    expect(sentence).toBe(refused.body.error.message);
    await page.close();
  });

  it('draws the curves of a running job and goes on drawing as steps come in', async () => {
    const { gateway } = console;
    const jobId = await seedRunningJob(gateway, 20);
    const page = await console.open(gateway.adminKey, '/console/tuning');
    await page.getByRole('listitem').getByRole('link').click();
    await page.getByRole('tab', { name: 'Curves' }).waitFor();
    await page.getByText('PPO: step 3 of 8').waitFor();
    expect(new URL(page.url()).pathname).toBe(`/console/tuning/${jobId}`);

    const loss = page.getByRole('figure', { name: 'SFT: Loss' });
    const line = loss.locator('path.recharts-line-curve');
    await line.waitFor();
    await loss.getByText('0.15', { exact: true }).waitFor();
    const drawn = await line.getAttribute('d');
    await page.getByRole('figure', { name: 'PPO: Reward' }).locator('path.recharts-line-curve').waitFor();
    await page.getByRole('figure', { name: 'PPO: KL (nats)' }).waitFor();

    await appendSteps(gateway, jobId, 21, 40);
    await loss.getByText('0.075', { exact: true }).waitFor();
    expect(await line.getAttribute('d')).not.toBe(drawn);

    await page.getByRole('tab', { name: 'Events' }).click();
    await page.getByText('SFT: 12 demonstrations').waitFor();
    await page.close();
  });

  it('says how a running job goes, pauses it and lets it go on', async () => {
    const { gateway } = console;
    const page = await console.open(gateway.adminKey, '/console/tuning');
    const row = page.getByRole('listitem').getByRole('link');
    await row.getByText(/^PPO: step 3 of 8 · loss 0.500 · 812 tokens\/s · about .+ left$/).waitFor();
    await row.click();
    await page.getByText(/ · loss 0.500 · 812 tokens\/s · about .+ left$/).waitFor();

    await page.getByRole('button', { name: 'Pause the job' }).click();
    const jobId = path.basename(new URL(page.url()).pathname);
    const tuning = new TuningRepository(gateway.dataSource);
    await expect.poll(() => tuning.heartbeat(jobId, WORKER)).toBe('pause');
    await tuning.markPaused(jobId, WORKER);
    await page.getByText('Paused; its state is kept').waitFor();

    await page.getByRole('button', { name: 'Resume the job' }).click();
    await page.getByText('Waits for the trainer.').waitFor();
    await takeJob(gateway);
    await page.getByText('PPO: step 3 of 8').waitFor();
    await page.getByRole('button', { name: 'Pause the job' }).waitFor();
    await page.close();
  });

  it('cancels a job', async () => {
    const { gateway } = console;
    const page = await console.open(gateway.adminKey, '/console/tuning');
    await page.getByRole('listitem').getByRole('link').click();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click();
    const cancelRequested = async () => {
      const [row] = await gateway.dataSource.query<{ asked: boolean }[]>(
        'select cancel_requested_at is not null as asked from tuning_job',
      );
      return row!.asked;
    };
    await expect.poll(cancelRequested).toBe(true);
    await page.close();
  });

  it('shows what the gate found, rolls back in two clicks, and answers come from the base weights again', async () => {
    const { gateway } = console;
    const id = await seedLiveCheckpoint(gateway, report);
    const page = await console.open(gateway.adminKey, `/console/checkpoints#${id}`);
    const checks = page.getByRole('table', { name: 'Checks of the gate' });
    await checks.getByRole('row', { name: /Win rate .*≥ 0.50 pass wins 8 of 10 prompts/ }).waitFor();
    await page.getByRole('region', { name: 'Task suite' }).getByText('−25.0 %').waitFor();
    await page.getByRole('region', { name: 'Before and after' }).getByText('Hello Ada. Best wishes.').waitFor();

    const tuned = await answeringWeights(console);
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('Rolled back: The base model is live again.').waitFor();
    await page.getByRole('button', { name: `Put ${id} live` }).waitFor();
    expect(await answeringWeights(console)).not.toBe(tuned);

    await page.getByRole('button', { name: `Put ${id} live` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Put live' }).click();
    await page.getByText(`${id} is live.`).waitFor();
    expect(await answeringWeights(console)).toBe(tuned);
    await page.close();
  });
});

/** The weights a question asked on the chat page is answered from, as the page shows them. */
async function answeringWeights({ open, gateway }: TestConsole): Promise<string | null> {
  const page = await open(gateway.userKey);
  await ask(page, 'Hello');
  const answer = await finishedAnswer(page);
  const name = await answer.getByLabel(/^From weights /).getAttribute('aria-label');
  await page.close();
  return name;
}
