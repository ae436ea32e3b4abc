import { describe, expect, it } from 'vitest';
import { startFailure } from './start-failure.js';

const home = { folder: '/srv/data/postgres', logFile: '/srv/data/postgres/postgres.log' };

describe('startFailure', () => {
  it.each([
    'initdb: error: could not write file "base/1/2691": No space left on device',
    'FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes\nHINT:  Check free disk space.\nPANIC:  cannot abort transaction 1',
    'postgres: could not write lock file: Disk quota exceeded',
  ])('calls a full disk a full disk: %s', (output) => {
    expect(startFailure(home, output).message).toBe(
      'The disk that holds /srv/data/postgres is full; free at least 1 GB or set DATA_DIR to a folder on another disk.',
    );
  });

  it('names the reason PostgreSQL gave last, without its timestamp', () => {
    const output = [
      '2026-01-02 03:04:05.678 UTC [12] LOG:  starting PostgreSQL 18.4',
      '2026-01-02 03:04:05.680 UTC [12] FATAL:  could not create shared memory segment: Invalid argument',
      '2026-01-02 03:04:05.690 UTC [12] LOG:  database system is shut down',
    ].join('\n');
    expect(startFailure(home, output).message).toMatch(
      /did not start: could not create shared memory segment: Invalid argument\. See .*postgres\.log/,
    );
  });

  it('says so when nothing was written', () => {
    expect(startFailure(home, '').message).toContain('it wrote no reason');
  });
});
