import type { Feedback } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { answerText, ask, finishedAnswer } from './support/chat.js';
import { missing, titled, useTestConsole } from './support/console.js';

const STORY = 'Once upon a time there was a little dog.';

describe.skipIf(missing)(titled('feedback and its review'), () => {
  const console = useTestConsole();

  /** All feedback, oldest first. */
  const recorded = async (): Promise<Feedback[]> => {
    const { gateway } = console;
    return (await gateway.api(gateway.reviewerKey, 'GET', '/v1/feedback')).body.data.toReversed();
  };

  it('compares two answers side by side and records the one chosen', async () => {
    const page = await console.open(console.gateway.userKey);
    await page.getByRole('switch', { name: 'Compare two answers' }).click();
    await ask(page, STORY);
    const second = page.getByRole('article', { name: 'Answer 2' });
    await second.and(page.locator('[aria-busy="false"]')).waitFor();
    const chosen = await answerText(second);
    await page.getByRole('button', { name: 'Choose answer 2' }).click();
    expect(await answerText(await finishedAnswer(page))).toBe(chosen);
    await page.getByText('Your choice of two · waiting for review').waitFor();
    const [choice] = await recorded();
    expect(choice).toMatchObject({ type: 'choice', status: 'pending', rejected_completion_id: expect.any(String) });
    expect(choice!.completion_id).not.toBe(choice!.rejected_completion_id);
    await page.getByRole('switch', { name: 'Compare two answers' }).click();
    await page.close();
  });

  it('records a correction written by keyboard, a thumb and the comment it asks for', async () => {
    const page = await console.open(console.gateway.userKey);
    await ask(page, 'What is the capital of France?');
    const answer = await finishedAnswer(page);
    await answer.getByRole('button', { name: 'Correct this answer' }).click();
    await page.getByLabel('Corrected answer').fill('The capital of France is Paris.');
    await page.getByLabel('Corrected answer').press('Control+Enter');
    await answer.getByText('Your correction · waiting for review').waitFor();
    await answer.getByRole('button', { name: 'Bad answer' }).click();
    await page.getByLabel('Comment').and(page.locator('textarea')).fill('It made things up.');
    await page.getByRole('button', { name: 'Send comment' }).click();
    await answer.getByText('Your comment · waiting for review').waitFor();
    expect(await answer.getByRole('button', { name: 'Bad answer' }).getAttribute('aria-pressed')).toBe('true');
    expect((await recorded()).slice(1)).toMatchObject([
      { type: 'correction', text: 'The capital of France is Paris.' },
      { type: 'thumb', value: 'down' },
      { type: 'comment', comment: 'It made things up.' },
    ]);
    await page.close();
  });

  it('is reviewed without a mouse: next, previous, approve, edit, reject', async () => {
    const page = await console.open(console.gateway.reviewerKey, '/console/review');
    const progress = page.getByRole('status', { name: 'Progress' });
    await progress.getByText('4 waiting').waitFor();
    await page.getByRole('article', { name: 'Choice of two answers' }).waitFor();

    await page.keyboard.press('j');
    const correction = page.getByRole('article', { name: 'Correction' });
    await correction.getByRole('region', { name: 'The correction' }).getByText('Paris').waitFor();
    await page.keyboard.press('k');
    await page.getByRole('article', { name: 'Choice of two answers' }).waitFor();
    await page.keyboard.press('a');

    await correction.waitFor();
    await page.keyboard.press('e');
    const text = page.getByLabel('The answer to learn');
    expect(await text.inputValue()).toBe('The capital of France is Paris.');
    await text.fill('Paris.');
    await text.press('Control+Enter');

    await page.getByRole('article', { name: 'Thumb down' }).waitFor();
    await page.keyboard.press('r');
    await page.getByRole('article', { name: 'Comment' }).waitFor();
    await progress.getByText('3 reviewed').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Edit, then approve').waitFor();

    await expect
      .poll(async () => (await recorded()).map((entry) => entry.status))
      .toEqual(['approved', 'approved', 'rejected', 'pending']);
    const approved = await console.gateway.api(console.gateway.reviewerKey, 'GET', '/api/review/queue?status=approved');
    expect(approved.body.data.map((item: { edited_text: string | null }) => item.edited_text)).toContain('Paris.');
    await page.close();
  });

  it('brings an entry back with the gateway’s sentence when another reviewer was faster', async () => {
    const { gateway } = console;
    const page = await console.open(gateway.reviewerKey, '/console/review');
    const comment = page.getByRole('article', { name: 'Comment' });
    await comment.waitFor();
    const entry = (await recorded()).find((one) => one.status === 'pending')!;
    const other = await gateway.api(gateway.adminKey, 'POST', `/api/review/${entry.id}`, { verdict: 'reject' });
    expect(other.status).toBe(200);
    await page.keyboard.press('a');
    await page.getByText('That did not work').waitFor();
    await page.getByText('Nothing waits for review').waitFor();
    expect((await recorded()).find((one) => one.id === entry.id)!.status).toBe('rejected');
    await page.close();
  });
});
