import { describe, expect, it } from 'vitest';
import { missing, titled, useTestConsole } from './support/console.js';

const pages = [
  '/',
  '/console/review',
  '/console/documents',
  '/console/tuning',
  '/console/checkpoints',
  '/console/keys',
];

describe.skipIf(missing)(titled('signing in, roles and keys'), () => {
  const console = useTestConsole();

  it('lets in who has a key, says why others stay out, and forgets the key on signing out', async () => {
    const page = await console.open(null);
    const key = page.getByLabel('API key', { exact: true });
    await key.fill('sk-not-a-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const refused = await console.gateway.api('sk-not-a-key', 'GET', '/api/session');
    expect(await page.getByRole('alert').innerText()).toBe(refused.body.error.message);

    await key.fill(console.gateway.userKey);
    await key.press('Enter');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await page.getByRole('button', { name: 'Account and appearance' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Attune' }).waitFor();
    expect(await page.evaluate(() => localStorage.getItem('attune.api-key'))).toBeNull();
    await page.close();
  });

  it.each([
    ['userKey', ['Documents']],
    ['reviewerKey', ['Review', 'Documents']],
    ['adminKey', ['Review', 'Documents', 'Tuning', 'Checkpoints', 'Keys']],
  ] as const)('shows the %s only the pages its role may open', async (role, links) => {
    const page = await console.open(console.gateway[role]);
    const menu = page.getByRole('navigation', { name: 'Console' }).getByRole('link');
    await menu.first().waitFor();
    expect(await menu.allInnerTexts()).toEqual(links);
    await page.close();
  });

  it('says which role a page needs', async () => {
    const page = await console.open(console.gateway.userKey, '/console/keys');
    await page.getByText('It needs the role “admin”; your key has the role “user”.').waitFor();
    await page.close();
  });

  it('makes a key whose secret is shown once and works, until it is revoked', async () => {
    const page = await console.open(console.gateway.adminKey, '/console/keys');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Their name').fill('Grace');
    await page.getByLabel('Name of the key').fill('laptop');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const secret = await page.getByLabel('Secret').innerText();
    const session = await console.gateway.api(secret, 'GET', '/api/session');
    expect(session.body.user).toMatchObject({ name: 'Grace', role: 'user' });

    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('row', { name: /Grace user laptop/ }).waitFor();
    expect(await page.getByText(secret).count()).toBe(0);
    await page.getByRole('button', { name: 'Revoke laptop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/^revoked/).waitFor();
    expect((await console.gateway.api(secret, 'GET', '/api/session')).status).toBe(401);
    await page.close();
  });

  it('keeps to light or dark as chosen', async () => {
    const page = await console.open(console.gateway.adminKey);
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const choose = async (scheme: string) => {
      await page.getByRole('button', { name: 'Account and appearance' }).click();
      await page.getByRole('menuitem', { name: scheme }).click();
      return background();
    };
    const light = await choose('Light');
    const dark = await choose('Dark');
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    expect(await background()).toBe(dark);
    await choose('As the system');
    await page.close();
  });

  it.each(pages)('gives every control on %s a name', async (path) => {
    const page = await console.open(console.gateway.adminKey, path);
    await page.getByRole('navigation', { name: 'Console' }).waitFor();
    await page.waitForLoadState('networkidle');
    const controls = page.locator('button:visible, a:visible, input:visible:not([type=hidden]), textarea:visible');
    expect(await controls.count()).toBeGreaterThan(5);
    const nameless = await controls.evaluateAll((elements) =>
      elements
        .filter((element) => {
          const labels = (element as HTMLInputElement).labels;
          const text = [element.getAttribute('aria-label'), element.textContent, labels?.[0]?.textContent];
          return !element.hasAttribute('aria-labelledby') && text.every((part) => !part?.trim());
        })
        .map((element) => element.outerHTML.slice(0, 120)),
    );
    expect(nameless).toEqual([]);
    await page.close();
  });
});
