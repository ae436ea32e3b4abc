import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  noModel,
  startTestGateway,
  testModel,
  type TestGateway,
  type TestGatewayOptions,
} from '../../support/gateway.js';
import { chromiumPath, noChromium } from './chromium.js';

const BUILT_PAGE = fileURLToPath(new URL('../../../apps/console/dist/index.html', import.meta.url));

/** Why the browser specs cannot run here; undefined when they can. Stands in the name of what is skipped. */
export const missing: string | undefined =
  chromiumPath === undefined ? noChromium : testModel === undefined ? noModel : undefined;

/** For `describe`: the title, and the reason when it is skipped. */
export const titled = (title: string) => (missing === undefined ? title : `${title} (skipped: ${missing})`);

export interface TestConsole {
  readonly gateway: TestGateway;
  /** A new page, signed in with the key (null: not signed in); pages of one key share a browser profile. */
  open(apiKey: string | null, path?: string): Promise<Page>;
}

/**
 * The built console, served by the real gateway, in a real browser, for the specs of a `describe`. It fails when a page
 * had an error that nothing caught, or asked for what the content security policy refuses.
 */
export function useTestConsole(options: TestGatewayOptions = {}): TestConsole {
  let started: Awaited<ReturnType<typeof start>> | undefined;
  beforeAll(async () => {
    started = await start(options);
  });
  afterAll(async () => {
    await started?.close();
    expect(started?.errors ?? []).toEqual([]);
  });
  return {
    get gateway() {
      return started!.gateway;
    },
    open: (apiKey, path) => started!.open(apiKey, path),
  };
}

async function start(options: TestGatewayOptions) {
  if (!existsSync(BUILT_PAGE)) {
    throw new Error('apps/console is not built; run `npm run build -w @attune/console` first');
  }
  const gateway = await startTestGateway(options);
  const browser = await launch();
  const errors: string[] = [];
  const contexts = new Map<string | null, Promise<BrowserContext>>();
  const open = async (apiKey: string | null, path = '/') => {
    const context = contexts.get(apiKey) ?? browser.newContext(contextOptions(gateway.baseUrl, apiKey));
    contexts.set(apiKey, context);
    const page = await watchedPage(await context, errors);
    await page.goto(gateway.baseUrl + path);
    return page;
  };
  const close = async () => {
    await browser.close();
    await gateway.close();
  };
  return { gateway, open, errors, close };
}

/** As root Chromium needs to be told that its own sandbox is not available. */
export function launch(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: chromiumPath, args: asRoot ? ['--no-sandbox'] : [] });
}

function contextOptions(origin: string, apiKey: string | null) {
  const localStorage = apiKey === null ? [] : [{ name: 'attune.api-key', value: apiKey }];
  return {
    viewport: { width: 1280, height: 820 },
    storageState: { cookies: [], origins: [{ origin, localStorage }] },
  };
}

async function watchedPage(context: BrowserContext, errors: string[]): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) errors.push(`${page.url()}: ${message.text()}`);
  });
  return page;
}
