import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { mayAccess, type RunAs } from './run-as.js';

/** Where things are kept that root's PostgreSQL must reach and nobody else may write. */
export const SYSTEM_ROOT = '/var/lib/attune';

/** The folders and files of one embedded PostgreSQL. */
export interface PostgresHome {
  /** 0700, owned by the account PostgreSQL runs under. */
  folder: string;
  /** PGDATA. */
  data: string;
  /** The superuser's password, 0600. */
  secretFile: string;
  logFile: string;
}

/**
 * The home that belongs to a data folder: `<dataDir>/postgres`, or, where the account cannot get there (root's own
 * 0700 folders), a folder below {@link SYSTEM_ROOT} whose path is noted in `<dataDir>/postgres-home`. The first
 * decision stays, so that a later change of permissions cannot make the database seem to be gone.
 */
export function openHome(dataDir: string, account: RunAs): PostgresHome {
  mkdirSync(dataDir, { recursive: true });
  const note = path.join(dataDir, 'postgres-home');
  const near = path.join(dataDir, 'postgres');
  if (existsSync(note)) return prepare(readFileSync(note, 'utf8').trim(), account);
  if (existsSync(path.join(near, 'data', 'PG_VERSION')) || mayAccess(account, dataDir, 'x'))
    return prepare(near, account);
  const key = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 12);
  mkdirSync(SYSTEM_ROOT, { recursive: true, mode: 0o755 });
  const far = prepare(path.join(SYSTEM_ROOT, key), account);
  writeFileSync(note, `${far.folder}\n`);
  return far;
}

/** Deletes the database that belongs to a data folder, wherever it lies. The server must be stopped. */
export function removeHome(dataDir: string): void {
  const note = path.join(dataDir, 'postgres-home');
  if (existsSync(note)) rmSync(readFileSync(note, 'utf8').trim(), { recursive: true, force: true });
  rmSync(note, { force: true });
  rmSync(path.join(dataDir, 'postgres'), { recursive: true, force: true });
}

/** The password, made on first use. */
export function readOrCreateSecret(home: PostgresHome, account: RunAs): string {
  if (!existsSync(home.secretFile)) {
    writeFileSync(home.secretFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
    own(home.secretFile, account);
  }
  return readFileSync(home.secretFile, 'utf8').trim();
}

function prepare(folder: string, account: RunAs): PostgresHome {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  own(folder, account);
  return {
    folder,
    data: path.join(folder, 'data'),
    secretFile: path.join(folder, 'secret'),
    logFile: path.join(folder, 'postgres.log'),
  };
}

function own(file: string, account: RunAs): void {
  if (account) chownSync(file, account.uid, account.gid);
}
