import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InternalError } from '@attune/platform';

/**
 * The compiled file that a process or thread starts from, also when the caller itself runs from source (under a test
 * runner).
 * @param caller the caller's `import.meta.url`
 * @param relative the file, seen from there
 */
export function compiledFile(caller: string, relative: string): string {
  const beside = fileURLToPath(new URL(relative, caller));
  const { sep } = path;
  const compiled = beside.replace(`${sep}engine${sep}src${sep}`, `${sep}engine${sep}dist${sep}`);
  const found = [beside, compiled].find((file) => existsSync(file));
  if (!found) throw new InternalError(`${compiled} is missing; build the project (npm run build)`);
  return found;
}
