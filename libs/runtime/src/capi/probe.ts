import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { messageOf } from '@attune/platform';
import { installedPackage, libraryPath } from './library.js';
import { apiTable } from './table.js';

/** Whether the C API may be used in this installation, and if not, why. */
export type Verdict = { readonly usable: true } | { readonly usable: false; readonly reason: string };

const CHILD_TIMEOUT_MS = 60_000;

/**
 * Runs the self-test in a child process, because a wrong function table crashes rather than fails, and remembers a pass
 * per installed library, so that only the first start pays for it.
 */
export function probeCapi(cacheDir = defaultCacheDir()): Verdict {
  try {
    const key = installationKey();
    if (readPass(cacheDir) === key) return { usable: true };
    const verdict = testInChild();
    if (verdict.usable) rememberPass(cacheDir, key);
    return verdict;
  } catch (error) {
    return { usable: false, reason: messageOf(error) };
  }
}

function testInChild(): Verdict {
  const child = spawnSync(process.execPath, [childScript()], { encoding: 'utf8', timeout: CHILD_TIMEOUT_MS });
  if (child.status !== 0) {
    const end = child.signal ?? `exit code ${child.status}`;
    return { usable: false, reason: `the self-test process ended with ${end}: ${lastLine(child.stderr)}` };
  }
  const failures = JSON.parse(child.stdout) as string[];
  return failures.length === 0 ? { usable: true } : { usable: false, reason: `self-test: ${failures.join('; ')}` };
}

/** The compiled script, also when this file itself runs from source (under a test runner). */
function childScript(): string {
  const beside = fileURLToPath(new URL('./self-test-main.js', import.meta.url));
  const compiled = beside.replace(
    `${path.sep}src${path.sep}capi${path.sep}`,
    `${path.sep}dist${path.sep}capi${path.sep}`,
  );
  const found = [beside, compiled].find((file) => existsSync(file));
  if (!found) throw new Error(`${compiled} is missing; build the project (npm run build)`);
  return found;
}

/** Changes with the library file, the functions we call in it, the FFI and Node itself. */
function installationKey(): string {
  const { size, mtimeMs } = statSync(libraryPath());
  const table = createHash('sha256').update(JSON.stringify(apiTable)).digest('hex');
  return [installedPackage().version, table, size, mtimeMs, koffi.version, process.version, libraryPath()].join(' ');
}

const defaultCacheDir = () => path.join(installedPackage().folder, '..', '.cache', 'attune');
const passFile = (cacheDir: string) => path.join(cacheDir, 'onnxruntime-capi.txt');

function readPass(cacheDir: string): string | undefined {
  try {
    return readFileSync(passFile(cacheDir), 'utf8');
  } catch {
    return undefined;
  }
}

function rememberPass(cacheDir: string, key: string) {
  try {
    mkdirSync(cacheDir, { recursive: true });
    writeFileSync(passFile(cacheDir), key);
  } catch {
    // A read-only installation tests again at every start; nothing else is lost.
  }
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';
