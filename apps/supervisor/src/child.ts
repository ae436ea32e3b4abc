import { type ChildProcess, spawn } from 'node:child_process';
import { childEnvironment, type ChildMessage } from '@attune/platform';
import type { LogFile } from './log-file.js';
import { signal } from './leftovers.js';
import { restartDelay } from './restart-policy.js';
import type { ProcessName, RunFolder } from './run-folder.js';

export interface ChildSpec {
  name: ProcessName;
  /** The JavaScript file Node runs. */
  script: string;
  environment: Record<string, string | undefined>;
  /** null: its output goes where the supervisor's goes. */
  log: LogFile | null;
  run: RunFolder;
}

/** How a child ended that was not asked to. */
export interface ChildEnd {
  /** The sentence it gave, when it said that it cannot start. */
  sentence: string | null;
  how: string;
  /** Ends in a row that came soon after the start, this one included. */
  earlyEnds: number;
  restartInMs: number;
}

/**
 * A process that is started again when it ends unasked. It is a process group of its own, so that Ctrl-C reaches it
 * through the supervisor only, and holds an IPC channel, by whose end it notices that the supervisor is gone.
 */
export class Child {
  private process: ChildProcess | undefined;
  private restart: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private earlyEnds = 0;
  private stopped = false;
  private sentence: string | null = null;
  private progressText: string | undefined;

  constructor(
    readonly spec: ChildSpec,
    private readonly onEnd: (end: ChildEnd) => void,
  ) {}

  start(): void {
    const { name, script, environment, log, run } = this.spec;
    const output = log ? 'pipe' : 'inherit';
    const child = spawn(process.execPath, ['--enable-source-maps', script], {
      env: childEnvironment(environment),
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
    this.process = child;
    this.startedAt = performance.now();
    this.sentence = null;
    if (child.pid) run.record(name, child.pid);
    child.stdout?.on('data', (chunk: Buffer) => log?.write(chunk));
    child.stderr?.on('data', (chunk: Buffer) => log?.write(chunk));
    child.on('message', (message) => this.hear(message as ChildMessage));
    child.on('error', (error) => (this.sentence = error.message));
    // What it leaves running (the engine) would hold the pipes open, and `close` would never come.
    child.once('exit', () => this.signalGroup());
    child.once('close', (code, killedBy) => this.ended(killedBy ? `killed by ${killedBy}` : `exit code ${code}`));
  }

  /** What it said last about what it is doing. */
  progress(): string | undefined {
    return this.progressText;
  }

  /** SIGTERM, and after the deadline SIGKILL to all of its group. Resolves when it is gone. */
  async stop(deadlineMs: number): Promise<void> {
    this.stopped = true;
    clearTimeout(this.restart);
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return this.forget();
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const timer = setTimeout(() => this.kill(), deadlineMs);
    child.kill('SIGTERM');
    await gone;
    clearTimeout(timer);
    this.forget();
  }

  /** Ends it and all it has started at once. */
  kill(): void {
    this.stopped = true;
    clearTimeout(this.restart);
    this.signalGroup();
  }

  private signalGroup(): void {
    if (this.process?.pid) signal(-this.process.pid, 'SIGKILL');
  }

  private forget(): void {
    this.spec.run.forget(this.spec.name);
  }

  private hear(message: ChildMessage): void {
    if (message.type === 'failed') this.sentence = message.message;
    if (message.type === 'progress') this.progressText = message.text;
  }

  private ended(how: string): void {
    this.progressText = undefined;
    if (this.stopped) return;
    const { delayMs, earlyEnds } = restartDelay({
      ranMs: performance.now() - this.startedAt,
      earlyEnds: this.earlyEnds,
    });
    this.earlyEnds = earlyEnds;
    this.restart = setTimeout(() => this.start(), delayMs);
    this.onEnd({ sentence: this.sentence, how, earlyEnds, restartInMs: delayMs });
  }
}
