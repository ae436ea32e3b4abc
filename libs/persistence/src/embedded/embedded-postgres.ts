import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
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
/** Recovery after a crash reads the write-ahead log again, which may take minutes on a slow disk. */
const READY_WITHIN_MS = 300_000;
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
  if (running) {
    await waitUntilReady(home, running, urlOf(running, secret, 'postgres'), 0);
    return opened(running, secret, true);
  }
  const binaries = postgresBinaries(account, account ? SYSTEM_ROOT : path.join(dataDir, 'postgres-binaries'));
  await initialiseCluster(home, binaries, account, options.durable ?? true);
  return opened(await launch({ home, binaries, account, secret, options }), secret, false);
}

async function opened(server: Postmaster, secret: string, reused: boolean): Promise<EmbeddedPostgres> {
  await ensureDatabase(urlOf(server, secret, 'postgres'));
  return {
    url: urlOf(server, secret, DATABASE),
    ...server,
    reused,
    isAlive: () => isAlive(server.pid),
    stop: (deadlineMs = 20_000) => stopPostmaster(server.pid, deadlineMs),
  };
}

const urlOf = ({ port }: Postmaster, secret: string, name: string) =>
  `postgres://${SUPERUSER}:${secret}@127.0.0.1:${port}/${name}`;

interface Launch {
  home: PostgresHome;
  binaries: string;
  account: RunAs;
  secret: string;
  options: EmbeddedOptions;
}

/** Resolves when the server takes connections. */
async function launch(how: Launch): Promise<Postmaster> {
  const { home, secret, options } = how;
  const port = options.port ?? (await freePort());
  if (sizeOf(home.logFile) > LARGEST_LOG_BYTES) truncateSync(home.logFile);
  for (let attempt = 1; ; attempt++) {
    const logStart = sizeOf(home.logFile);
    const server = { pid: spawnServer(how, port), port };
    try {
      await waitUntilReady(home, server, urlOf(server, secret, 'postgres'), logStart);
      return server;
    } catch (error) {
      await stopPostmaster(server.pid, 5_000);
      const complaint = readFrom(home.logFile, logStart);
      const leftover = /shared memory block|could not bind|is already in use/.test(complaint);
      if (!leftover || attempt === LEFTOVER_RETRIES) throw error;
      await sleep(500);
    }
  }
}

function spawnServer({ home, binaries, account, options }: Launch, port: number): number {
  const log = openSync(home.logFile, 'a', 0o600);
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_checkpoints: 'off',
    ...((options.durable ?? true) ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
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

async function waitUntilReady(home: PostgresHome, server: Postmaster, url: string, logStart: number): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const problem = await tryToConnect(url);
    if (problem === null) return;
    if (!isAlive(server.pid)) throw startFailure(home, readFrom(home.logFile, logStart));
    // 28P01: the password was refused, which waiting does not change.
    if (problem.code === '28P01' || performance.now() > deadline) throw startFailure(home, `error: ${problem.message}`);
    await sleep(50);
  }
}

async function tryToConnect(url: string): Promise<(Error & { code?: string }) | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
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
  const client = new Client({ connectionString: url });
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

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

/** What was written since, as far as it matters. */
function readFrom(file: string, start: number): string {
  return existsSync(file) ? readFileSync(file).subarray(start).toString().slice(-20_000) : '';
}
