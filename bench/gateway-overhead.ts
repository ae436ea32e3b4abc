/**
 * What the gateway adds to the latency of the bare engine: HTTP, authentication, retrieval, templates, tokens to text,
 * server-sent events, and a completion row that is committed (fsync on) before the first token leaves.
 * Both sides run the same prompts greedily on engine processes of the same set-up; the gateway is the real process over
 * a PostgreSQL of its own. Rounds alternate between the two.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EngineHost } from '@attune/engine';
import {
  AccountRepository,
  openDatabase,
  removeEmbeddedPostgres,
  runMigrations,
  startEmbeddedPostgres,
} from '@attune/persistence';
import { Tokenizer } from '@attune/tokenizer';
import { median, percentile, printResult, printTable } from './support/report.js';
import { streamedChat } from './support/streamed-chat.js';

/** Milliseconds from the call. */
interface Latency {
  first: number;
  total: number;
}
type Ask = (question: string) => Promise<Latency>;

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = [path.join(root, 'models/attune-mini'), path.join(root, '../shared/data/weights/stories260K/hf')].find(
  (folder) => existsSync(path.join(folder, 'model.safetensors')),
);
const STREAMS = [1, 8, 32];
const ROUNDS = 12;
const WARM_UP_ROUNDS = 8;
const TOKENS = 24;
const SLOTS = 32;
/** Greedy and ended by the same tokens, so that both sides make the same answers. */
const greedy = { temperature: 0 };
const questions = Array.from({ length: Math.max(...STREAMS) }, (_, index) => `Tell a long story about dog ${index}.`);

if (!model) throw new Error('There is no model to measure with: models/attune-mini is empty.');
const folder = mkdtempSync(path.join(tmpdir(), 'attune-bench-'));
chmodSync(folder, 0o711);
const database = await startEmbeddedPostgres(folder, { durable: true });
const secret = await prepareDatabase(database.url);
const port = await freePort();
const gateway = await startGateway();
const engine = await EngineHost.start({ model, slots: SLOTS, threads: 1 });
const tokenizer = await Tokenizer.fromFolder(model);

try {
  await warmUp();
  await measure();
} finally {
  gateway.kill('SIGTERM');
  await engine.close();
  await database.stop();
  removeEmbeddedPostgres(folder);
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const streams of STREAMS) {
    const bare: Latency[] = [];
    const served: Latency[] = [];
    await round(streams, askEngine);
    await round(streams, askGateway);
    for (let count = 0; count < ROUNDS; count++) {
      bare.push(...(await round(streams, askEngine)));
      served.push(...(await round(streams, askGateway)));
    }
    for (const which of ['first', 'total'] as const) {
      const [a, b] = [bare, served].map((latencies) => latencies.map((latency) => latency[which]));
      const added = median(b) - median(a);
      rows.push([
        streams,
        which,
        median(a),
        median(b),
        added,
        percentile(b, 0.95) - percentile(a, 0.95),
        percentile(b, 0.99) - percentile(a, 0.99),
      ]);
      figures[`${which}AddedMs@${streams}`] = added;
      ratios[`${which} gateway/engine @${streams}`] = median(b) / median(a);
    }
  }
  printTable(['streams', 'token', 'engine ms', 'gateway ms', 'added ms', 'added p95 ms', 'added p99 ms'], rows);
  printResult({ name: 'gateway-overhead', ratios, figures });
}

/** Both sides as they are after minutes of service, not in their first seconds. */
async function warmUp(): Promise<void> {
  for (let count = 0; count < WARM_UP_ROUNDS; count++) {
    await round(Math.max(...STREAMS), askEngine);
    await round(Math.max(...STREAMS), askGateway);
  }
}

function round(streams: number, ask: Ask): Promise<Latency[]> {
  return Promise.all(questions.slice(0, streams).map(ask));
}

async function askEngine(question: string): Promise<Latency> {
  const start = performance.now();
  const promptIds = tokenizer.encodeChat([{ role: 'user', content: question }], { addGenerationPrompt: true });
  const request = {
    id: `bare-${start}-${question}`,
    promptIds,
    maxTokens: TOKENS,
    stopIds: tokenizer.eosIds,
    sampling: greedy,
    logProbs: true,
  };
  let first = 0;
  for await (const event of engine.generate(request)) {
    if (event.type === 'token') first ||= performance.now() - start;
  }
  return { first, total: performance.now() - start };
}

async function askGateway(question: string): Promise<Latency> {
  const start = performance.now();
  let first = 0;
  let tail = '';
  for await (const bytes of streamedChat({ port, secret }, question, TOKENS)) {
    if (/"content":"[^"]/.test(bytes)) first ||= performance.now() - start;
    tail = (tail + bytes).slice(-200);
  }
  if (!tail.includes('[DONE]')) throw new Error(`The stream broke off: ${tail}`);
  return { first, total: performance.now() - start };
}

async function prepareDatabase(url: string): Promise<string> {
  const dataSource = await openDatabase(url);
  await runMigrations(dataSource);
  const accounts = new AccountRepository(dataSource);
  const user = await accounts.createUser({ name: 'bench', role: 'user' });
  const key = await accounts.createKey({ userId: user.id, name: 'bench' });
  await dataSource.destroy();
  return key.secret;
}

async function startGateway(): Promise<ChildProcess> {
  const child = fork(path.join(root, 'apps/gateway/dist/main.js'), {
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      MODEL: model,
      ENGINE_THREADS: '1',
      ENGINE_SLOTS: String(SLOTS),
      RATE_LIMIT_PER_MINUTE: '1000000',
      MAX_CONCURRENT_PER_KEY: '1000',
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  for (let waited = 0; waited < 60_000; waited += 100) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (ready?.ok) return child;
    await sleep(100);
  }
  throw new Error('The gateway was not ready within a minute.');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
}
