import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/trainer/dist/main.js', import.meta.url));

export interface TestTrainer {
  readonly pid: number;
  /** As a power cut would end it. */
  kill(): Promise<void>;
  /** In good order; throws when it does not end by itself. */
  stop(): Promise<void>;
}

export interface TestTrainerOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** The model folder the gateway serves. */
  readonly model: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In a session of its own, as the supervisor starts it; default false. */
  readonly ownSession?: boolean;
}

/** The real trainer as a process of its own, from the build (`npx tsc -b apps/trainer`). */
export function startTestTrainer({
  databaseUrl,
  dataDir,
  model,
  env = {},
  ownSession,
}: TestTrainerOptions): TestTrainer {
  if (!existsSync(MAIN)) throw new Error('apps/trainer is not built; run `npx tsc -b apps/trainer` first');
  const child = fork(MAIN, {
    // Not the specs' own flags: they make Node read the sources.
    execArgv: [],
    detached: ownSession,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      MODEL: model,
      TRAINER_THREADS: '1',
      // Other specs run beside it: a trainer that stood back for them would only take longer.
      TRAINER_NICE: '0',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'error',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return {
    pid: child.pid!,
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) });
  child.kill(signal);
  await ended;
}
