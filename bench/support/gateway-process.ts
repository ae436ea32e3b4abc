import { fork, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  AccountRepository,
  openDatabase,
  removeEmbeddedPostgres,
  runMigrations,
  startEmbeddedPostgres,
} from '@attune/persistence';

export interface GatewayProcess {
  readonly port: number;
  /** A plain user's key. */
  readonly secret: string;
  /** Seconds of processor time that it has used so far. */
  cpuSeconds(): Promise<number>;
  close(): Promise<void>;
}

const script = fileURLToPath(new URL('../../../apps/gateway/dist/main.js', import.meta.url));
const STARTS_WITHIN_MS = 60_000;

/**
 * The real gateway over a PostgreSQL of its own that writes durably (fsync on).
 * @param settings environment variables over the defaults
 * @param nodeOptions for its process, such as `--cpu-prof`
 */
export async function startGatewayProcess(
  settings: Record<string, string>,
  nodeOptions: string[] = [],
): Promise<GatewayProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'attune-bench-'));
  chmodSync(folder, 0o711);
  const database = await startEmbeddedPostgres(folder, { durable: true });
  const { secret, adminSecret } = await prepareDatabase(database.url);
  const port = await freePort();
  const child = fork(script, {
    execArgv: nodeOptions,
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      RATE_LIMIT_PER_MINUTE: '1000000',
      MAX_CONCURRENT_PER_KEY: '1000',
      LOG_LEVEL: 'info',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await untilReady(port);
  return {
    port,
    secret,
    cpuSeconds: () => readCpuSeconds(port, adminSecret),
    close: async () => {
      await ended(child);
      await database.stop();
      removeEmbeddedPostgres(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function prepareDatabase(url: string): Promise<{ secret: string; adminSecret: string }> {
  const dataSource = await openDatabase(url);
  await runMigrations(dataSource);
  const accounts = new AccountRepository(dataSource);
  const keyOf = async (role: 'user' | 'admin') => {
    const user = await accounts.createUser({ name: role, role });
    return (await accounts.createKey({ userId: user.id, name: role })).secret;
  };
  const secrets = { secret: await keyOf('user'), adminSecret: await keyOf('admin') };
  await dataSource.destroy();
  return secrets;
}

async function readCpuSeconds(port: number, secret: string): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${secret}` } });
  const [, seconds] = /^process_cpu_seconds_total ([\d.e+-]+)/m.exec(await page.text()) ?? [];
  return Number(seconds);
}

async function untilReady(port: number): Promise<void> {
  for (let waited = 0; waited < STARTS_WITHIN_MS; waited += 100) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (ready?.ok) return;
    await sleep(100);
  }
  throw new Error('The gateway was not ready within a minute.');
}

function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  return exit;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
}
