import { describe, expect, it } from 'vitest';
import { missing, titled, useTestConsole } from './support/console.js';

describe.skipIf(missing)(titled('what keys use and may use'), () => {
  const console = useTestConsole({ endless: true });

  const ask = (apiKey: string) =>
    console.gateway.client(apiKey).chat.completions.create({
      model: console.gateway.model,
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 5,
    });

  it('shows each key’s requests and tokens by day', async () => {
    const { gateway, open } = console;
    const answers = [await ask(gateway.userKey), await ask(gateway.userKey)];
    const tokens = answers.reduce((sum, { usage }) => sum + usage!.total_tokens, 0);
    const page = await open(gateway.adminKey, '/console/keys');
    const row = page.getByRole('row', { name: /Ursula user/ });
    await row.getByText(`2 requests, ${tokens} tokens`).waitFor();
    expect(await row.locator('.recharts-bar-rectangle path').count()).toBe(1);
    await page
      .getByRole('row', { name: /Rita reviewer/ })
      .getByText('nothing')
      .waitFor();

    await row.getByRole('button', { name: 'Use and limits of key of Ursula' }).click();
    const chart = page.getByRole('figure', { name: 'Tokens by day' });
    await chart.getByText(`30 days: 2 requests, ${tokens} tokens`).waitFor();
    await chart.locator('.recharts-bar-rectangle path').first().waitFor();
    await page.close();
  });

  it('sets limits that hold at once, and takes them away again', async () => {
    const { gateway, open } = console;
    const secret = await gateway.createKey('Lena', 'user');
    await ask(secret);
    const page = await open(gateway.adminKey, '/console/keys');
    const row = page.getByRole('row', { name: /Lena user/ });
    const change = async (requests: string) => {
      await row.getByRole('button', { name: 'Use and limits' }).click();
      await page.getByLabel('Requests a day').fill(requests);
      await page.getByRole('button', { name: 'Set the limits' }).click();
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
    };
    await row.getByText('none', { exact: true }).waitFor();
    await change('1');
    await row.getByText('1 requests a day').waitFor();
    await expect(ask(secret)).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });

    await change('');
    await row.getByText('none', { exact: true }).waitFor();
    expect((await ask(secret)).usage!.completion_tokens).toBe(5);
    await page.close();
  });
});
