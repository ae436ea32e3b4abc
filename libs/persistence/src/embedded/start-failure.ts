import { UnavailableError } from '@attune/platform';
import type { PostgresHome } from './home.js';

/** The sentence for an embedded PostgreSQL that did not start, out of what it wrote last. */
export function startFailure(home: Pick<PostgresHome, 'folder' | 'logFile'>, output: string): UnavailableError {
  if (/No space left on device|ENOSPC|Disk quota exceeded|Check free disk space/i.test(output)) {
    return new UnavailableError(
      `The disk that holds ${home.folder} is full; free at least 1 GB or set DATA_DIR to a folder on another disk.`,
      { code: 'disk_full' },
    );
  }
  if (/database files are incompatible with server/i.test(output)) {
    return new UnavailableError(
      `The database in ${home.folder} was made by another major version of PostgreSQL; dump it with that version, or set DATA_DIR to an empty folder.`,
      { code: 'wrong_version' },
    );
  }
  const reason = lastComplaint(output) ?? 'it wrote no reason';
  return new UnavailableError(
    `The embedded PostgreSQL in ${home.folder} did not start: ${reason}. See ${home.logFile}, or set DATABASE_URL to another PostgreSQL.`,
  );
}

/** The last line that says what is wrong: FATAL, PANIC, `error:` of initdb; else the last line there is. */
function lastComplaint(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim());
  const complaint = lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1);
  return complaint?.replace(/^.*?(FATAL|PANIC|error): */, '').trim();
}
