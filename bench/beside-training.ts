/**
 * What people notice of a training job: the gateway answers streams that follow one another without a pause while the
 * trainer, a process of its own on the same machine, works on a job, and while that job is paused. Rounds alternate, so
 * that a drift of the machine hits both sides alike. Gateway and trainer have sessions of their own, as the supervisor
 * gives them: on Linux the priority of one counts for the other only through them.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tuningJobConfig } from '@attune/contracts';
import {
  AccountRepository,
  openDatabase,
  removeEmbeddedPostgres,
  runMigrations,
  startEmbeddedPostgres,
  TuningRepository,
} from '@attune/persistence';
import { median, percentile, printResult, printTable } from './support/report.js';
import { streamedChat } from './support/streamed-chat.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = path.join(root, 'models/attune-mini');
const STREAMS = 4;
const TOKENS = 24;
const WORDS = [
  'table',
  'river',
  'bread',
  'garden',
  'window',
  'letter',
  'orange',
  'bridge',
  'summer',
  'paper',
  'castle',
];
const ROUNDS = 4;
const ROUND_MS = 8_000;

/** A job that outlasts the measurement, on rows of its own. */
const config = tuningJobConfig.parse({
  stages: ['sft'],
  data: { feedback: false, files: [{ path: 'words.jsonl' }] },
  sft: { epochs: 100_000, max_steps: 0, batch_size: 16 },
});

interface Sample {
  /** Milliseconds from the request to its first token, between two tokens, and to the end. */
  readonly first: number[];
  readonly gaps: number[];
  readonly total: number[];
}

if (!existsSync(path.join(model, 'model.safetensors')))
  throw new Error('There is no model to measure with: models/attune-mini is empty.');
const folder = mkdtempSync(path.join(tmpdir(), 'attune-bench-'));
chmodSync(folder, 0o711);
writeRows(path.join(folder, 'datasets'));
const database = await startEmbeddedPostgres(folder, { durable: true });
const dataSource = await openDatabase(database.url);
await runMigrations(dataSource);
const tuning = new TuningRepository(dataSource);
const secret = await createKey();
const port = await freePort();
const settings = {
  ...process.env,
  PORT: String(port),
  HOST: '127.0.0.1',
  DATABASE_URL: database.url,
  DATA_DIR: folder,
  MODEL: model,
  RATE_LIMIT_PER_MINUTE: '1000000',
  LOG_LEVEL: 'warn',
};
const processes: ChildProcess[] = [startProcess('gateway')];

try {
  await ready();
  processes.push(startProcess('trainer'));
  await measure();
} finally {
  for (const child of processes) child.kill('SIGTERM');
  await Promise.all(processes.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  await dataSource.destroy();
  await database.stop();
  removeEmbeddedPostgres(folder);
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const samples = { off: emptySample(), on: emptySample() };
  await streams(emptySample(), 1_000);
  const { id } = await tuning.enqueue({ trigger: 'button', config });
  await until(async () => ((await tuning.get(id)).progress?.step ?? 0) > 0);
  const firstStep = (await tuning.get(id)).progress!.step;
  for (let round = 0; round < ROUNDS; round++) {
    await streams(samples.on, ROUND_MS);
    await tuning.requestPause(id);
    await until(async () => (await tuning.get(id)).status === 'paused');
    await streams(samples.off, ROUND_MS);
    await tuning.requestResume(id);
    await until(async () => (await tuning.get(id)).status === 'running');
  }
  await sleep(3_000);
  const steps = (await tuning.get(id)).progress!.step - firstStep;
  await tuning.cancel(id);
  report(samples, steps);
}

function report({ off, on }: Readonly<Record<'off' | 'on', Sample>>, steps: number): void {
  const rows: (string | number)[][] = [];
  const ratios: Record<string, number> = {};
  const figures: Record<string, number> = { trainingSteps: steps };
  for (const which of ['first', 'gaps', 'total'] as const)
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const [without, during] = [percentile(off[which], share), percentile(on[which], share)];
      rows.push([which, name, without, during, during / without, off[which].length, on[which].length]);
      ratios[`${which} ${name} on/off`] = during / without;
      figures[`${which}${name}Ms`] = during;
    }
  printTable(['latency', '', 'off ms', 'on ms', 'on/off', 'samples off', 'samples on'], rows);
  printResult({ name: 'beside-training', ratios, figures: { ...figures, medianGapOffMs: median(off.gaps) } });
}

/** Keeps so many streams going, one after the other in each, and notes what a client sees of them. */
async function streams(sample: Sample, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  const one = async (index: number) => {
    for (let turn = 0; performance.now() < end; turn++) await ask(toRepeat(index, turn), sample);
  };
  await Promise.all(Array.from({ length: STREAMS }, (_, index) => one(index)));
}

/** The bundled model copies what it is told to: an answer of some twenty tokens, another one every time. */
function toRepeat(index: number, turn: number): string {
  const words = Array.from({ length: 6 }, (_, place) => WORDS[(index * 5 + turn * 3 + place) % WORDS.length]);
  return `Say exactly: ${words.join(' ')}`;
}

async function ask(question: string, sample: Sample): Promise<void> {
  const start = performance.now();
  let last = 0;
  for await (const bytes of streamedChat({ port, secret }, question, TOKENS)) {
    if (!/"content":"[^"]/.test(bytes)) continue;
    const now = performance.now();
    if (last === 0) sample.first.push(now - start);
    else sample.gaps.push(now - last);
    last = now;
  }
  sample.total.push(performance.now() - start);
}

function emptySample(): Sample {
  return { first: [], gaps: [], total: [] };
}

function writeRows(datasets: string): void {
  mkdirSync(datasets, { recursive: true });
  const rows = Array.from({ length: 200 }, (_, i) => ({
    prompt: `Say the word number ${i}.`,
    completion: `word ${i}`,
  }));
  writeFileSync(path.join(datasets, 'words.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
}

async function createKey(): Promise<string> {
  const accounts = new AccountRepository(dataSource);
  const user = await accounts.createUser({ name: 'bench', role: 'user' });
  return (await accounts.createKey({ userId: user.id, name: 'bench' })).secret;
}

function startProcess(app: 'gateway' | 'trainer'): ChildProcess {
  return fork(path.join(root, `apps/${app}/dist/main.js`), {
    detached: true,
    env: settings,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function ready(): Promise<void> {
  return until(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined))?.ok ?? false);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('What was waited for did not happen within a minute.');
    await sleep(50);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
}
