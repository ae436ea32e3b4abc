import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type DataSource,
  openDatabase,
  removeEmbeddedPostgres,
  runMigrations,
  startEmbeddedPostgres,
} from '@attune/persistence';

/** Set by the global set-up: the server all specs of a run share. */
const SERVER_URL = 'ATTUNE_TEST_SERVER_URL';
const TEMPLATE = 'attune_template';

export interface TestDatabase {
  url: string;
  dataSource: DataSource;
  /** Closes the data source and drops the database; connections others left open are cut. */
  close(): Promise<void>;
}

export interface TestServer {
  /** URL of the server's first database; others are made beside it. */
  url: string;
  stop(): Promise<void>;
}

/**
 * A fresh, migrated database on the run's embedded PostgreSQL. Outside of a test run (a benchmark) it brings a server
 * of its own, which `close` stops.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const shared = process.env[SERVER_URL];
  const own = shared ? null : await startTestServer();
  const serverUrl = shared ?? own!.url;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(serverUrl, `create database ${name} template ${TEMPLATE}`);
  const url = beside(serverUrl, name);
  const dataSource = await openDatabase(url, { poolSize: 5 });
  const close = async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await execute(serverUrl, `drop database ${name} with (force)`);
    await own?.stop();
  };
  return { url, dataSource, close };
}

/** An embedded PostgreSQL in a temporary folder, with a migrated template. fsync is off: only the machine could lose data. */
export async function startTestServer(): Promise<TestServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'attune-test-'));
  // Searchable by others: as root the server runs under an account of its own.
  chmodSync(folder, 0o711);
  const server = await startEmbeddedPostgres(folder, { durable: false });
  const killAtExit = () => process.kill(server.pid, 'SIGQUIT');
  process.once('exit', killAtExit);
  await makeTemplate(server.url);
  const stop = async () => {
    process.off('exit', killAtExit);
    await server.stop();
    removeEmbeddedPostgres(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: server.url, stop };
}

/** Makes the server known to specs; they run in processes started later. */
export function shareTestServer(server: TestServer): void {
  process.env[SERVER_URL] = server.url;
}

async function makeTemplate(serverUrl: string): Promise<void> {
  await execute(serverUrl, `create database ${TEMPLATE}`);
  const dataSource = await openDatabase(beside(serverUrl, TEMPLATE));
  await runMigrations(dataSource);
  await dataSource.destroy();
}

async function execute(url: string, statement: string): Promise<void> {
  const dataSource = await openDatabase(url);
  try {
    await dataSource.query(statement);
  } finally {
    await dataSource.destroy();
  }
}

function beside(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
