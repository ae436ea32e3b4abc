import path from 'node:path';
import { type Config, KILL_AFTER_MS, UnavailableError } from '@attune/platform';
import { type AdminKey, adminKeyLine, ensureAdminKey } from './admin-key.js';
import { Child, type ChildEnd } from './child.js';
import { Database } from './database.js';
import { endLeftovers } from './leftovers.js';
import { LogFile } from './log-file.js';
import { checkDataFolder, checkPort } from './preflight.js';
import { waitUntilReady } from './readiness.js';
import type { Reporter } from './reporter.js';
import { RunFolder, type ProcessName } from './run-folder.js';

export interface SupervisorOptions {
  config: Config;
  reporter: Reporter;
  /** The repository's root, below which the built apps lie. */
  root: string;
  newAdminKey: boolean;
  /** Told once when going on makes no sense; the sentence has not been shown yet. */
  onFatal: (sentence: string) => void;
}

/** Milliseconds each part may take to stop. */
const GATEWAY_STOP_MS = KILL_AFTER_MS;
const TRAINER_STOP_MS = KILL_AFTER_MS;
const POSTGRES_STOP_MS = 20_000;
/** How often the gateway may end before it was ever ready, without a word why. */
const MOST_SILENT_STARTS = 3;

/** Starts the parts of the product in order, keeps them running, and stops them in the opposite order. */
export class Supervisor {
  private run: RunFolder | undefined;
  private database: Database | undefined;
  private gateway: Child | undefined;
  private trainer: Child | undefined;
  private ready = false;
  private readonly aborted = new AbortController();
  private starting: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: SupervisorOptions) {}

  /** Resolves when a chat would be served. @throws AppError with the sentence to show */
  start(): Promise<void> {
    this.starting = this.startAll();
    return this.starting;
  }

  /** Stops gateway, trainer and database, in this order. Safe to call at any time and more than once. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  /** Ends everything at once; PostgreSQL still gets to write what it holds. */
  async kill(): Promise<void> {
    this.gateway?.kill();
    this.trainer?.kill();
    await this.database?.stop(5_000);
    this.run?.unlock();
  }

  private async startAll(): Promise<void> {
    const { config, reporter } = this.options;
    const { dataDir } = config.storage;
    checkDataFolder(dataDir);
    this.run = await reporter.during('waiting for an earlier Attune to stop', lockedRunFolder(dataDir));
    const ended = await reporter.during('ending what an earlier start left running', endLeftovers(this.run, 15_000));
    if (ended > 0) reporter.say(`  ended ${ended} processes that an earlier start had left running`);
    const port = await checkPort(config.http.host, config.http.port);
    this.goOn();
    this.database = await Database.start(config, reporter, this.options.onFatal);
    this.goOn();
    await this.database.migrate();
    this.goOn();
    // A preset key works from the first moment on; one made here comes last, for unshown it would be lost.
    const preset = config.security.adminKey ? await this.ensureAdminKey(this.database.url) : null;
    await this.startGateway(this.database.url, port);
    if (config.tuning.tuning !== 'off') this.startTrainer(this.database.url);
    this.greet(port, adminKeyLine(preset ?? (await this.ensureAdminKey(this.database.url))));
  }

  private ensureAdminKey(databaseUrl: string): Promise<AdminKey> {
    return ensureAdminKey(databaseUrl, this.options.config.security.adminKey, this.options.newAdminKey);
  }

  private async startGateway(databaseUrl: string, port: number): Promise<void> {
    const { config, reporter } = this.options;
    const failed = new AbortController();
    const signal = AbortSignal.any([failed.signal, this.aborted.signal]);
    const gateway = this.createChild('gateway', { DATABASE_URL: databaseUrl, PORT: String(port) }, (end) => {
      const hopeless = end.sentence !== null || end.earlyEnds >= MOST_SILENT_STARTS;
      if (this.ready || !hopeless) return this.reportEnd(gateway, end);
      failed.abort(new UnavailableError(end.sentence ?? this.silentEnd(gateway, end)));
    });
    this.gateway = gateway;
    gateway.start();
    const address = `http://${reachable(config.http.host)}:${port}/health/ready`;
    const progress = () => gateway.progress() ?? 'loading the model';
    await reporter.during('starting the gateway', waitUntilReady(address, signal), progress);
    this.ready = true;
  }

  private startTrainer(databaseUrl: string): void {
    const trainer = this.createChild('trainer', { DATABASE_URL: databaseUrl }, (end) => this.reportEnd(trainer, end));
    this.trainer = trainer;
    trainer.start();
  }

  private createChild(name: ProcessName, changes: Record<string, string>, onEnd: (end: ChildEnd) => void): Child {
    const { config, root } = this.options;
    const { dataDir } = config.storage;
    const environment = { ...changes, DATA_DIR: dataDir, ADMIN_KEY: undefined };
    const log = config.logging.logFiles ? new LogFile(path.join(dataDir, 'logs', `${name}.log`)) : null;
    const script = path.join(root, 'apps', name, 'dist', 'main.js');
    return new Child({ name, script, environment, log, run: this.run! }, onEnd);
  }

  private reportEnd(child: Child, end: ChildEnd): void {
    const why = end.sentence ? `: ${end.sentence}` : '';
    const { name, log } = child.spec;
    const where = log ? ` See ${log.file}.` : '';
    const seconds = (end.restartInMs / 1000).toFixed(1);
    this.options.reporter.say(`The ${name} has ended (${end.how})${why}. Starting it again in ${seconds} s.${where}`);
  }

  private silentEnd(child: Child, end: ChildEnd): string {
    const lines = child.spec.log?.lastLines().map((line) => `\n  ${line}`) ?? [];
    return `The ${child.spec.name} cannot be started (${end.how}). What it wrote last:${lines.join('')}`;
  }

  private greet(port: number, adminKey: string): void {
    const host = reachable(this.options.config.http.host) === '127.0.0.1' ? 'localhost' : this.options.config.http.host;
    const { dataDir } = this.options.config.storage;
    const lines = [
      '',
      'Attune is ready.',
      `  Chat:    http://${host}:${port}/`,
      `  Console: http://${host}:${port}/console`,
      `  ${adminKey}`,
      `  Data and logs: ${dataDir}`,
      'Ctrl-C stops it.',
    ];
    this.options.reporter.say(lines.join('\n'));
  }

  private async stopAll(): Promise<void> {
    this.aborted.abort(new UnavailableError('The start was interrupted.'));
    this.run?.markStopping();
    await this.starting.catch(() => undefined);
    const { reporter } = this.options;
    if (this.gateway) await reporter.during('stopping the gateway', this.gateway.stop(GATEWAY_STOP_MS));
    if (this.trainer) await reporter.during('stopping the trainer', this.trainer.stop(TRAINER_STOP_MS));
    if (this.database) await reporter.during('stopping PostgreSQL', this.database.stop(POSTGRES_STOP_MS));
    this.run?.unlock();
  }

  /** Where the start may be left when it was interrupted. */
  private goOn(): void {
    this.aborted.signal.throwIfAborted();
  }
}

async function lockedRunFolder(dataDir: string): Promise<RunFolder> {
  const run = new RunFolder(dataDir);
  await run.lock();
  return run;
}

/** An address to reach a server by that listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === 'localhost') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
