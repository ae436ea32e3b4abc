import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresBinaries } from './binaries.js';
import { openHome, type PostgresHome, readOrCreateSecret, SYSTEM_ROOT } from './home.js';
import { initialiseCluster, SUPERUSER } from './initialise.js';
import { isAlive, type Postmaster, runningPostmaster, stopPostmaster } from './postmaster.js';
import { accountForPostgres, type RunAs } from './run-as.js';
import { startFailure } from './start-failure.js';

export interface EmbeddedOptions {
  /** False turns fsync off: for tests, whose data may be lost with the machine. Default true. */
  durable?: boolean;
  /** The port to listen on; default: a free one. A server that is reused keeps its own. */
  port?: number;
}

export interface EmbeddedPostgres {
  /** URL of the superuser and the database `attune`. */
  url: string;
  pid: number;
  port: number;
  /** Whether it ran already when asked for. */
  reused: boolean;
  isAlive(): boolean;
  /** Fast shutdown; immediate after `deadlineMs` (default 20 s). */
  stop(deadlineMs?: number): Promise<void>;
}

const DATABASE = 'attune';
const READY_WITHIN_MS = 60_000;
const LARGEST_LOG_BYTES = 10_000_000;
/** After a crash the children of the old server may hold its shared memory for a moment. */
const LEFTOVER_RETRIES = 20;

/**
 * Starts the PostgreSQL that comes with the product on `dataDir`, or takes over the one that runs there. It is a
 * process group of its own, so that Ctrl-C does not stop it before those who use it.
 * @throws UnavailableError in one sentence: no binaries for the platform, full disk, wrong version, …
 */
export async function startEmbeddedPostgres(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const account = accountForPostgres();
  const home = openHome(path.resolve(dataDir), account);
  const secret = readOrCreateSecret(home, account);
  const running = runningPostmaster(home);
  if (!running) {
    const binaries = postgresBinaries(account, account ? SYSTEM_ROOT : path.join(dataDir, 'postgres-binaries'));
    await initialiseCluster(home, binaries, account);
    const started = await launch(home, binaries, account, options);
    return opened(home, started, secret, false);
  }
  return opened(home, running, secret, true);
}

async function opened(home: PostgresHome, server: Postmaster, secret: string, reused: boolean) {
  const urlOf = (name: string) => `postgres://${SUPERUSER}:${secret}@127.0.0.1:${server.port}/${name}`;
  await waitUntilReady(home, server, urlOf('postgres'));
  await ensureDatabase(urlOf('postgres'));
  return {
    url: urlOf(DATABASE),
    ...server,
    reused,
    isAlive: () => isAlive(server.pid),
    stop: (deadlineMs = 20_000) => stopPostmaster(server.pid, deadlineMs),
  };
}

async function launch(home: PostgresHome, binaries: string, account: RunAs, options: EmbeddedOptions) {
  const port = options.port ?? (await freePort());
  for (let attempt = 0; ; attempt++) {
    const pid = spawnServer(home, binaries, account, port, options.durable ?? true);
    // A server that cannot have its memory or its port says so within moments; one that can needs them anyway.
    await sleep(100);
    if (isAlive(pid)) return { pid, port };
    const complaint = readTail(home.logFile);
    if (attempt >= LEFTOVER_RETRIES || !/shared memory block|could not bind|is already in use/.test(complaint)) {
      throw startFailure(home, complaint);
    }
    await sleep(400);
  }
}

function spawnServer(home: PostgresHome, binaries: string, account: RunAs, port: number, durable: boolean): number {
  if (existsSync(home.logFile) && statSync(home.logFile).size > LARGEST_LOG_BYTES) truncateSync(home.logFile);
  const log = openSync(home.logFile, 'a', 0o600);
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    const executable = path.join(binaries, 'bin', 'postgres');
    const child = spawn(executable, ['-D', home.data, '-p', String(port), ...parameters], {
      ...account,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw startFailure(home, `${executable} cannot be executed`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(home: PostgresHome, server: Postmaster, url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const problem = await tryToConnect(url);
    if (problem === null) return;
    if (!isAlive(server.pid)) throw startFailure(home, readTail(home.logFile));
    // 28P01: the password was refused, which waiting does not change.
    if (problem.code === '28P01' || performance.now() > deadline) throw startFailure(home, `error: ${problem.message}`);
    await sleep(50);
  }
}

async function tryToConnect(url: string): Promise<(Error & { code?: string }) | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const known = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (known.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function readTail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-20_000) : '';
}
