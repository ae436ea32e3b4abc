import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = path.join(repository, 'apps/supervisor/dist/main.js');

/** The apps are run as built; `npm test` builds them first. */
export const isBuilt = ['supervisor', 'gateway', 'trainer'].every((app) =>
  existsSync(path.join(repository, 'apps', app, 'dist/main.js')),
);

export interface StartedSupervisor {
  process: ChildProcess;
  /** Everything it has written so far. */
  output(): string;
  /** Resolves with the output once it matches; rejects when the process ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with exit code and signal. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The product as `npm start` runs it, with these settings. */
export function startSupervisor(settings: Record<string, string>, parameters: string[] = []): StartedSupervisor {
  const child = spawn(process.execPath, [SCRIPT, ...parameters], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const waiting = new Set<() => void>();
  const take = (chunk: Buffer) => {
    text += chunk.toString();
    for (const look of waiting) look();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!pattern.test(text)) return;
        waiting.delete(look);
        resolve(text);
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without writing ${String(pattern)}:\n${text}`)));
    });
  return { process: child, output: () => text, until, ended };
}

/** Every process that works on a data folder: its settings or its command line name it. Linux only. */
export function processesOf(dataDir: string): { pid: number; command: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    const settings = read(`/proc/${pid}/environ`).split('\0');
    const isOne = command.includes(dataDir) || settings.includes(`DATA_DIR=${dataDir}`);
    return isOne && command ? [{ pid: Number(pid), command }] : [];
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
