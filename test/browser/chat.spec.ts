import type { Conversation, ConversationSummary } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { answerText, ask, finishedAnswer } from './support/chat.js';
import { missing, titled, type TestConsole, useTestConsole } from './support/console.js';

const STORY = 'Once upon a time there was a little dog.';

describe.skipIf(missing)(titled('the chat page'), () => {
  const console = useTestConsole();

  it('answers again on request and switches between the tries', async () => {
    const page = await console.open(console.gateway.userKey);
    await ask(page, STORY);
    const first = await answerText(await finishedAnswer(page));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('2/2').waitFor();
    const second = await answerText(await finishedAnswer(page));
    await page.getByRole('button', { name: 'Previous try' }).click();
    await page.getByText('1/2').waitFor();
    expect(await answerText(await finishedAnswer(page))).toBe(first);
    await page.getByRole('button', { name: 'Next try' }).click();
    await page.getByText('2/2').waitFor();
    expect(await answerText(await finishedAnswer(page))).toBe(second);
    expect((await newest(console)).turns.map((turn) => turn.regenerate_of !== null)).toEqual([false, true]);
    await page.close();
  });

  it('keeps a draft, and an answer goes on while another conversation is on the screen', async () => {
    const page = await console.open(console.gateway.userKey);
    await ask(page, STORY);
    await page.getByRole('article', { name: 'Your message' }).waitFor();
    const conversation = new URL(page.url()).pathname;
    await page.getByRole('textbox', { name: 'Message' }).fill('half a thought');
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('heading', { name: 'What can I do for you?' }).waitFor();
    await page.goBack();
    expect(new URL(page.url()).pathname).toBe(conversation);
    expect((await answerText(await finishedAnswer(page))).length).toBeGreaterThan(0);
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('half a thought');
    await page.close();
  });

  it('renames and deletes conversations', async () => {
    const page = await console.open(console.gateway.userKey);
    await ask(page, 'A conversation of its own');
    await finishedAnswer(page);
    const { title } = await newest(console);
    await page
      .getByRole('button', { name: `More about ${title}` })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Title').fill('About dogs');
    await page.getByLabel('Title').press('Enter');
    await page.getByRole('link', { name: 'About dogs' }).waitFor();
    await page.getByRole('button', { name: 'More about About dogs' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'About dogs' }).waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'What can I do for you?' }).waitFor();
    await page.close();
  });

  it('shows the gateway’s own sentence when a question is refused, and asks again on request', async () => {
    const page = await console.open(console.gateway.userKey);
    await ask(page, 'word '.repeat(6000));
    const alert = page.getByRole('alert');
    await alert.waitFor();
    const refusal = await console.gateway.api(console.gateway.userKey, 'POST', '/v1/chat/completions', {
      model: console.gateway.model,
      messages: [{ role: 'user', content: 'word '.repeat(6000).trim() }],
    });
    expect(refusal.status).toBe(400);
    expect(await alert.innerText()).toContain(refusal.body.error.message);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor();
    await page.close();
  });
});

describe.skipIf(missing)(titled('a long answer on the chat page'), () => {
  const console = useTestConsole({ endless: true });

  it('shows tokens as they come, says which weights they are from, and has the answer after a reload', async () => {
    const page = await console.open(console.gateway.userKey);
    const lengths = watchLengths(page);
    await ask(page, STORY);
    const answer = await finishedAnswer(page);
    const text = await answerText(answer);
    expect(text.length).toBeGreaterThan(0);
    expect((await lengths).length, 'sizes the answer had while it grew').toBeGreaterThan(1);

    const [turn] = (await newest(console)).turns;
    expect(turn!.prompt).toBe(STORY);
    await answer.getByLabel(`From weights ${turn!.system_fingerprint}`).waitFor();

    await page.reload();
    expect(await answerText(await finishedAnswer(page))).toBe(text);
    await page.close();
  });

  it('stops when asked to, keeps what came, and the gateway stops generating', async () => {
    const page = await console.open(console.gateway.userKey);
    const stopped = stopAtFirstWord(page);
    await ask(page, STORY);
    await stopped;
    const answer = await finishedAnswer(page);
    await answer.getByRole('status').filter({ hasText: 'Stopped.' }).waitFor();
    expect((await answerText(answer)).length).toBeGreaterThan(0);
    await expect.poll(async () => (await newest(console)).turns[0]!.status).toBe('cancelled');
    await page.close();
  });
});

/** The conversation used last. */
async function newest({ gateway }: TestConsole): Promise<Conversation> {
  const list = await gateway.api(gateway.userKey, 'GET', '/api/conversations');
  const [summary] = list.body.data as ConversationSummary[];
  return (await gateway.api(gateway.userKey, 'GET', `/api/conversations/${summary!.id}`)).body;
}

type Page = Awaited<ReturnType<TestConsole['open']>>;

/** The different lengths the answer's text has on the screen until it is finished. */
function watchLengths(page: Page): Promise<number[]> {
  return page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const lengths = new Set<number>();
        new MutationObserver(() => {
          const answer = document.querySelector('article[aria-label="Answer"]');
          const length = answer?.querySelector('[data-testid="answer-text"]')?.textContent?.length ?? 0;
          if (length > 0) lengths.add(length);
          if (answer?.getAttribute('aria-busy') === 'false') resolve([...lengths]);
        }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      }),
  );
}

/** Presses the stop button the moment the first words stand on the screen: faster than any model. */
function stopAtFirstWord(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          const stop = document.querySelector<HTMLButtonElement>('button[aria-label="Stop answering"]');
          if (!stop || !document.querySelector('[data-testid="answer-text"]')?.textContent) return;
          observer.disconnect();
          stop.click();
          resolve();
        });
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
  );
}
