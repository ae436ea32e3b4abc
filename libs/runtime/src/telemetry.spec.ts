import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const built = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const openSession = (kind: string) => `
  const { createRuntime } = await import(${JSON.stringify(built)});
  const refusal = await createRuntime({ prefer: '${kind}', threads: 1, cacheDir: process.env.HOME + '/kept' })
    .createSession(new Uint8Array([1]))
    .then(() => 'opened', (error) => error.message);
  process.stdout.write(refusal);`;

describe.skipIf(!existsSync(built))('what ONNX Runtime leaves behind', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'attune-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it.each(['capi', 'binding'])('is nothing, neither at home nor among temporary files, through the %s', (kind) => {
    const environment = { HOME: home, TMPDIR: home, XDG_CACHE_HOME: undefined, ORT_DISABLE_TELEMETRY: undefined };
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', openSession(kind)], {
      encoding: 'utf8',
      env: childEnvironment(environment) as NodeJS.ProcessEnv,
    });
    expect(child.stdout + child.stderr).toMatch(/could not load the graph|Failed to load model/);
    expect(readdirSync(home).filter((name) => name !== 'kept')).toEqual([]);
  });
});
