/**
 * What people notice of a training job: the gateway answers streams that follow one another without a pause while the
 * trainer, a process of its own on the same machine, works on a job, and while that job is paused. Rounds alternate, so
 * that a drift of the machine hits both sides alike. Gateway and trainer have sessions of their own, as the supervisor
 * gives them: on Linux the priority of one counts for the other only through them.
 *
 * `--rounds 8 --seconds 8`. TRAINER_NICE, TRAINER_THREADS and the other settings are taken from the environment.
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
import { option } from './support/options.js';
import { joined, keepAsking, type Sample } from './support/repeating-streams.js';
import { median, percentile, printResult, printTable } from './support/report.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = path.join(root, 'models/attune-mini');
const STREAMS = 4;
const TOKENS = 24;
/** A p99 wants some thousands of answers: 8 seconds give more than a thousand. */
const ROUNDS = Number(option('rounds', '8'));
const ROUND_MS = Number(option('seconds', '8')) * 1000;

/** A job that outlasts the measurement, on rows of its own. */
const config = tuningJobConfig.parse({
  stages: ['sft'],
  data: { feedback: false, files: [{ path: 'words.jsonl' }] },
  sft: { epochs: 100_000, max_steps: 0, batch_size: 16 },
});

/** What clients saw in one round, with the job paused and with it going on. */
type Round = Readonly<Record<'off' | 'on', Sample>>;

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
  const streams = { to: { port, secret }, count: STREAMS, maxTokens: TOKENS };
  await keepAsking(streams, 1_000);
  const { id } = await tuning.enqueue({ trigger: 'button', config });
  const firstStep = await stepAfter(id, 0);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const on = await keepAsking(streams, ROUND_MS);
    await tuning.requestPause(id);
    await until(async () => (await tuning.get(id)).status === 'paused');
    const reached = await stepOf(id);
    rounds.push({ on, off: await keepAsking(streams, ROUND_MS) });
    await tuning.requestResume(id);
    await stepAfter(id, reached);
  }
  const steps = (await stepOf(id)) - firstStep;
  await tuning.cancel(id);
  report(rounds, steps);
}

async function stepOf(id: string): Promise<number> {
  return (await tuning.get(id)).progress?.step ?? 0;
}

/** Waits until the job makes steps again: what is measured is training, not how it starts. */
async function stepAfter(id: string, reached: number): Promise<number> {
  await until(async () => (await stepOf(id)) > reached);
  return stepOf(id);
}

function report(rounds: readonly Round[], steps: number): void {
  const off = joined(rounds.map((round) => round.off));
  const on = joined(rounds.map((round) => round.on));
  const rows: (string | number)[][] = [];
  const ratios: Record<string, number> = {};
  const figures: Record<string, number> = { trainingSteps: steps };
  for (const which of ['first', 'gaps', 'total'] as const)
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const [without, during] = [percentile(off[which], share), percentile(on[which], share)];
      const ofRounds = rounds.map((round) => percentile(round.on[which], share) / percentile(round.off[which], share));
      const spread = [median(ofRounds), Math.min(...ofRounds), Math.max(...ofRounds)];
      rows.push([which, name, without, during, during / without, ...spread, off[which].length, on[which].length]);
      ratios[`${which} ${name} on/off`] = during / without;
      ratios[`${which} ${name} on/off, median of rounds`] = spread[0];
      figures[`${which}${name}Ms`] = during;
    }
  const header = ['latency', '', 'off ms', 'on ms', 'on/off', 'rounds: median', 'lowest', 'highest', 'off', 'on'];
  printTable(header, rows);
  printResult({ name: 'beside-training', ratios, figures: { ...figures, medianGapOffMs: median(off.gaps) } });
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
