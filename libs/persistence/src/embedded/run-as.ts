import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { InternalError } from '@attune/platform';

/** The account PostgreSQL runs under; null = the one this process has. */
export type RunAs = { uid: number; gid: number } | null;

/**
 * PostgreSQL refuses to run as root, so root lends it the account `nobody` (or `postgres`, where that one is missing).
 * It must have an entry in /etc/passwd: initdb looks itself up there.
 */
export function accountForPostgres(): RunAs {
  if (process.getuid?.() !== 0) return null;
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry = entries.find(([name]) => name === 'nobody') ?? entries.find(([name]) => name === 'postgres');
  if (!entry) {
    throw new InternalError(
      'PostgreSQL cannot run as root and there is no account `nobody` or `postgres` to run it under; start as an ordinary user or set DATABASE_URL.',
    );
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Whether the account gets through to `file` and may do `what` with it (`x` execute, `r` read, `w` write). */
export function mayAccess(account: RunAs, file: string, what: 'x' | 'r' | 'w'): boolean {
  const result = spawnSync('/bin/sh', ['-c', `test -${what} "$0"`, file], { ...account, cwd: '/' });
  return result.status === 0;
}
