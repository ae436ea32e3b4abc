import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError } from '@attune/platform';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

/** How long to wait for a supervisor that holds the lock. */
export interface LockPatience {
  runningMs: number;
  stoppingMs: number;
}
const defaultPatience: LockPatience = { runningMs: 2_000, stoppingMs: 60_000 };

export type ProcessName = 'supervisor' | 'gateway' | 'trainer';

/** `DATA_DIR/run`: which processes work on this data folder. */
export class RunFolder {
  private readonly folder: string;

  constructor(private readonly dataDir: string) {
    this.folder = path.join(dataDir, 'run');
    mkdirSync(this.folder, { recursive: true });
  }

  /**
   * Makes this process the one supervisor of the data folder. One that is stopping is waited for, and every other for a
   * moment, in which it may notice that it has to stop (its terminal is gone).
   * @throws ConflictError when another one is running
   */
  async lock(patience: LockPatience = defaultPatience): Promise<void> {
    const own = this.write(`supervisor.${process.pid}`, process.pid);
    const start = performance.now();
    try {
      while (!tryLink(own, this.fileOf('supervisor'))) {
        const holder = readRecord(this.fileOf('supervisor'));
        if (!holder || !isRunning(holder)) this.removeStale(holder);
        else if (performance.now() - start > (holder.stopping ? patience.stoppingMs : patience.runningMs)) {
          throw this.alreadyRunning(holder.pid);
        } else await sleep(100);
      }
    } finally {
      rmSync(own, { force: true });
    }
  }

  /** Tells a next start that waiting for this supervisor is worth while. */
  markStopping(): void {
    const file = this.write(`supervisor.${process.pid}`, process.pid, 'stopping');
    renameSync(file, this.fileOf('supervisor'));
  }

  unlock(): void {
    rmSync(this.fileOf('supervisor'), { force: true });
  }

  record(name: ProcessName, pid: number): void {
    this.write(name, pid);
  }

  /** What was recorded under the name, whether it still runs or not. */
  recorded(name: ProcessName): ProcessIdentity | null {
    return readRecord(this.fileOf(name));
  }

  forget(name: ProcessName): void {
    rmSync(this.fileOf(name), { force: true });
  }

  private write(name: string, pid: number, note = ''): string {
    const file = path.join(this.folder, `${name}.pid`);
    const { startedAt = '' } = identify(pid) ?? {};
    writeFileSync(file, `${pid}\n${startedAt}\n${note}\n`);
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
    const found = readRecord(moved);
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

function readRecord(file: string): (ProcessIdentity & { stopping: boolean }) | null {
  try {
    const [pid, startedAt, note] = readFileSync(file, 'utf8').split('\n');
    // A file that a full disk left empty names nobody.
    return Number(pid) > 0 && startedAt ? { pid: Number(pid), startedAt, stopping: note === 'stopping' } : null;
  } catch {
    return null;
  }
}
