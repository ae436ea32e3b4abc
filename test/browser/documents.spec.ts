import { describe, expect, it } from 'vitest';
import { ask, finishedAnswer } from './support/chat.js';
import { missing, titled, useTestConsole } from './support/console.js';

const FACT = 'The delivery vans leave the warehouse in Bremen at six in the morning.';

describe.skipIf(missing)(titled('documents'), () => {
  const console = useTestConsole();

  it('are uploaded, searched, and cited by the next answer', async () => {
    const page = await console.open(console.gateway.adminKey, '/console/documents');
    await page.getByText('No documents yet').waitFor();
    await page.locator('input[type=file]').setInputFiles([
      { name: 'handbook.md', mimeType: 'text/markdown', buffer: Buffer.from(`# Deliveries\n\n${FACT}\n`) },
      { name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from([137, 80, 78, 71]) },
    ]);
    const uploads = page.getByRole('status', { name: 'Uploads' });
    await uploads.getByText(/Read into 1 passage/).waitFor();
    await uploads.getByText(/Not a type that can be read/).waitFor();
    await page.getByRole('table', { name: 'Documents' }).getByText('handbook.md').waitFor();

    await page.getByLabel('Search the passages').fill('When do the delivery vans leave?');
    const found = page.getByRole('list', { name: 'Passages found' }).getByRole('listitem').first();
    await found.getByText(/score/).waitFor();
    expect(await found.innerText()).toContain('Bremen');

    await page.getByRole('button', { name: 'New chat' }).click();
    await ask(page, 'When do the delivery vans leave the warehouse?');
    const answer = await finishedAnswer(page);
    await answer.getByRole('button', { name: 'Source 1: handbook.md' }).last().click();
    await page.getByRole('dialog').getByText(FACT).waitFor();
    await page.close();
  });

  it('are read by everybody and changed by administrators only', async () => {
    const reader = await console.open(console.gateway.userKey, '/console/documents');
    await reader.getByRole('table', { name: 'Documents' }).getByText('handbook.md').waitFor();
    expect(await reader.getByRole('button', { name: /Delete/ }).count()).toBe(0);
    expect(await reader.getByRole('region', { name: 'Upload documents' }).count()).toBe(0);
    await reader.close();

    const page = await console.open(console.gateway.adminKey, '/console/documents');
    await page.getByRole('button', { name: 'Delete handbook.md' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No documents yet').waitFor();
    await page.close();
  });
});
