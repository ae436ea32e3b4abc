import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConflictError } from '@attune/platform';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

export type ProcessName = 'supervisor' | 'gateway' | 'trainer';

/** `DATA_DIR/run`: which processes work on this data folder. */
export class RunFolder {
  private readonly folder: string;

  constructor(private readonly dataDir: string) {
    this.folder = path.join(dataDir, 'run');
    mkdirSync(this.folder, { recursive: true });
  }

  /**
   * Makes this process the one supervisor of the data folder.
   * @throws ConflictError when another one is running
   */
  lock(): void {
    const own = this.write(`supervisor.${process.pid}`, process.pid);
    const file = this.fileOf('supervisor');
    try {
      while (!tryLink(own, file)) {
        const holder = readIdentity(file);
        if (holder && isRunning(holder)) throw this.alreadyRunning(holder.pid);
        this.removeStale(holder);
      }
    } finally {
      rmSync(own, { force: true });
    }
  }

  unlock(): void {
    rmSync(this.fileOf('supervisor'), { force: true });
  }

  record(name: ProcessName, pid: number): void {
    this.write(name, pid);
  }

  /** What was recorded under the name, whether it still runs or not. */
  recorded(name: ProcessName): ProcessIdentity | null {
    return readIdentity(this.fileOf(name));
  }

  forget(name: ProcessName): void {
    rmSync(this.fileOf(name), { force: true });
  }

  private write(name: string, pid: number): string {
    const file = path.join(this.folder, `${name}.pid`);
    const { startedAt = '' } = identify(pid) ?? {};
    writeFileSync(file, `${pid}\n${startedAt}\n`);
    return file;
  }

  /** Two supervisors may find the same dead lock: whoever moves it away looks at what it has moved before deleting it. */
  private removeStale(seen: ProcessIdentity | null): void {
    const moved = path.join(this.folder, `stale.${process.pid}`);
    try {
      renameSync(this.fileOf('supervisor'), moved);
    } catch {
      return;
    }
    const found = readIdentity(moved);
    if (found?.pid !== seen?.pid) tryLink(moved, this.fileOf('supervisor'));
    rmSync(moved, { force: true });
  }

  private fileOf(name: ProcessName): string {
    return path.join(this.folder, `${name}.pid`);
  }

  private alreadyRunning(pid: number): ConflictError {
    return new ConflictError(
      `Attune is running on ${this.dataDir} already (process ${pid}); stop it first, or set DATA_DIR to another folder.`,
    );
  }
}

/** A hard link is made by one of several who try, complete with its content. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readIdentity(file: string): ProcessIdentity | null {
  try {
    const [pid, startedAt] = readFileSync(file, 'utf8').split('\n');
    return { pid: Number(pid), startedAt };
  } catch {
    return null;
  }
}
