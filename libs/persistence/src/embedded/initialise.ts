import { spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { PostgresHome } from './home.js';
import type { RunAs } from './run-as.js';
import { startFailure } from './start-failure.js';

export const SUPERUSER = 'attune';

/**
 * Makes the database cluster, unless there is one. It is made beside its final place and renamed, so that a start that
 * was killed leaves no half of it.
 * @throws UnavailableError with the reason (a full disk, for instance)
 */
export async function initialiseCluster(
  home: PostgresHome,
  binaries: string,
  account: RunAs,
  durable: boolean,
): Promise<void> {
  if (existsSync(path.join(home.data, 'PG_VERSION'))) return;
  const partial = `${home.data}.new`;
  rmSync(partial, { recursive: true, force: true });
  // The builtin locale sorts by code point and knows upper and lower case everywhere, whatever the system has installed.
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--encoding=UTF8'];
  const access = [`--username=${SUPERUSER}`, `--pwfile=${home.secretFile}`, '--auth=scram-sha-256'];
  const initdb = path.join(binaries, 'bin', 'initdb');
  await run(initdb, ['-D', partial, ...locale, ...access, ...(durable ? [] : ['--no-sync'])], account, home);
  renameSync(partial, home.data);
}

function run(program: string, parameters: string[], account: RunAs, home: PostgresHome): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { ...account, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-100_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(startFailure(home, error.message)));
    child.on('close', (code) => (code === 0 ? resolve() : reject(startFailure(home, output))));
  });
}
