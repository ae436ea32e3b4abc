import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** Chromium's software renderer, as Debian's package installs it: WebGPU without a GPU. */
const FOLDER = '/usr/lib/chromium';
const DRIVER = path.join(FOLDER, 'vk_swiftshader_icd.json');
const INSIDE = 'ATTUNE_INSIDE_SWIFTSHADER';
const TIMEOUT_MS = 240_000;

/** Why there is no software renderer here; empty where there is one. */
export const noSwiftShader = existsSync(DRIVER) ? '' : `${DRIVER} is missing; install Chromium`;

/** What a process that is to find WebGPU on the software renderer must be started with. */
export const swiftShaderEnvironment = {
  LD_LIBRARY_PATH: [FOLDER, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
  VK_DRIVER_FILES: DRIVER,
};

/**
 * Tests that need WebGPU, run in a process of their own: it must start with the renderer's library path, and native code
 * that crashes takes no other test with it. Inside that process the tests are what they are; outside they are one test,
 * which runs this file again and shows what came of it.
 * @param file the spec's own file name
 */
export function describeOnSwiftShader(name: string, file: string, tests: () => void): void {
  if (process.env[INSIDE]) return void describe(name, tests);
  describe(name, () => {
    it.skipIf(noSwiftShader)(
      `passes on SwiftShader${noSwiftShader && ` (skipped: ${noSwiftShader})`}`,
      async () => {
        const { code, output } = await runInside(file);
        expect(code, output).toBe(0);
        expect(output).toMatch(/Tests .*\d+ passed/);
      },
      TIMEOUT_MS,
    );
  });
}

function runInside(file: string): Promise<{ code: number | null; output: string }> {
  const vitest = path.resolve('node_modules/vitest/vitest.mjs');
  const spec = path.relative('.', file);
  const project = spec.startsWith('libs') ? 'unit' : 'synthetic';
  const child = spawn(process.execPath, [vitest, 'run', '--project', project, spec], {
    env: {
      ...process.env,
      [INSIDE]: '1',
      NO_COLOR: '1',
      ...swiftShaderEnvironment,
    },
  });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  child.stderr.on('data', (text) => (output += String(text)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}
