import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');

/** The page's code in one language; settings to fill in are left to the reader. */
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))]
    .map(([, code]) => code)
    .filter((code) => !code.includes('export ATTUNE_'));

describe.skipIf(!testModel)(`docs/clients.md (${testModel ? 'run for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());

  const settings = () => ({
    cwd: root,
    timeout: 60_000,
    env: { ...process.env, ATTUNE_URL: gateway.baseUrl, ATTUNE_KEY: gateway.adminKey },
  });
  const hasCurl = () =>
    run('curl', ['--version']).then(
      () => true,
      () => false,
    );

  it('is right about curl, feedback and lineage', async (context) => {
    context.skip(!(await hasCurl()), 'curl is not installed');
    const { stdout } = await run('sh', ['-e', '-c', blocks('sh').join('\n')], settings());
    expect(stdout).not.toContain('"error":{');
    expect(stdout).toContain('data: [DONE]');
    expect(stdout.match(/"object":"feedback"/g)).toHaveLength(4);
    expect(stdout).toContain('"object":"lineage"');
  });

  it.each(blocks('js').map((code) => ({ imports: code.match(/(?<=from ')[^']+/g)!.join(', '), code })))(
    'is right about $imports',
    async ({ code }) => {
      const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', code], settings());
      expect(stderr).toBe('');
      expect(stdout.trim()).not.toBe('');
    },
  );
});
