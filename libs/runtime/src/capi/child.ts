import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { installedPackage, libraryPath } from './library.js';
import { apiTable } from './table.js';

const CHILD_TIMEOUT_MS = 20_000;

/** What a test in a process of its own came to. `late`: it was ended because it took too long, which busy cores can do. */
export type ChildResult =
  { readonly ended: 'well'; readonly output: string } | { readonly ended: 'crashed' | 'late'; readonly how: string };

/** Runs a compiled script beside this file in a child process, so that native code may crash. */
export function runScript(name: string, parameters: readonly string[] = [], timeoutMs = CHILD_TIMEOUT_MS): ChildResult {
  const child = spawnSync(process.execPath, [scriptPath(name), ...parameters], {
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  if (child.status === 0) return { ended: 'well', output: child.stdout };
  if (isTimeout(child.error)) return { ended: 'late', how: `the test process took longer than ${timeoutMs / 1000} s` };
  const end = child.signal ?? `exit code ${child.status}`;
  return { ended: 'crashed', how: `the test process ended with ${end}: ${lastLine(child.stderr)}` };
}

const isTimeout = (error: NodeJS.ErrnoException | undefined) => error?.code === 'ETIMEDOUT';

/** The compiled script, also when this file itself runs from source (under a test runner). */
function scriptPath(name: string): string {
  const beside = fileURLToPath(new URL(`./${name}`, import.meta.url));
  const compiled = beside.replace(
    `${path.sep}src${path.sep}capi${path.sep}`,
    `${path.sep}dist${path.sep}capi${path.sep}`,
  );
  const found = [beside, compiled].find((file) => existsSync(file));
  if (!found) throw new Error(`${compiled} is missing; build the project (npm run build)`);
  return found;
}

/** Changes with the library file, the functions we call in it, the FFI and Node itself. */
export function installationKey(): string {
  const { size, mtimeMs } = statSync(libraryPath());
  const table = createHash('sha256').update(JSON.stringify(apiTable)).digest('hex');
  return [installedPackage().version, table, size, mtimeMs, koffi.version, process.version, libraryPath()].join(' ');
}

export const defaultCacheDir = () => path.join(installedPackage().folder, '..', '.cache', 'attune');

export function recall(cacheDir: string, name: string): string | undefined {
  try {
    return readFileSync(path.join(cacheDir, name), 'utf8');
  } catch {
    return undefined;
  }
}

export function remember(cacheDir: string, name: string, text: string): void {
  try {
    mkdirSync(cacheDir, { recursive: true });
    writeFileSync(path.join(cacheDir, name), text);
  } catch {
    // A read-only installation tests again at every start; nothing else is lost.
  }
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';
