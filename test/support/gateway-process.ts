import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/gateway/dist/main.js', import.meta.url));
const READY_MS = 60_000;

/** The gateway is run as built; `npm test` builds it first. */
export const gatewayIsBuilt = existsSync(MAIN);

export interface GatewayProcess {
  readonly baseUrl: string;
  /** As a power cut would end it, its engine too. */
  kill(): Promise<void>;
  /** In good order. */
  stop(): Promise<void>;
}

export interface GatewayProcessOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** A model folder. */
  readonly model: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The real gateway as a process of its own, so that it can be killed. Resolves when it is ready. */
export async function startGatewayProcess(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const port = await freePort();
  const child = fork(MAIN, {
    // Not the specs' own flags: they make Node read the sources.
    execArgv: [],
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: options.databaseUrl,
      DATA_DIR: options.dataDir,
      MODEL: options.model,
      ENGINE_THREADS: '1',
      RATE_LIMIT_PER_MINUTE: '100000',
      TUNING: 'manual',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'error',
      ...options.env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  await untilReady(baseUrl, child);
  return { baseUrl, kill: () => end(child, 'SIGKILL'), stop: () => end(child, 'SIGTERM') };
}

async function untilReady(baseUrl: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_MS;
  const isReady = () =>
    fetch(`${baseUrl}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode} before it was ready`);
    if (Date.now() > deadline) throw new Error('the gateway is not ready after a minute');
    await sleep(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) });
  child.kill(signal);
  await ended;
}
