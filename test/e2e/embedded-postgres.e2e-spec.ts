import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CompletionRepository,
  ConversationRepository,
  type DataSource,
  type EmbeddedPostgres,
  openDatabase,
  removeEmbeddedPostgres,
  runMigrations,
  startEmbeddedPostgres,
} from '@attune/persistence';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthor, newCompletion, outcome } from '../support/rows.js';

let folder: string;
let dataDir: string;
let server: EmbeddedPostgres | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'attune pg-'));
  chmodSync(folder, 0o711);
  dataDir = path.join(folder, 'da ta');
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  removeEmbeddedPostgres(dataDir);
  rmSync(folder, { recursive: true, force: true });
});

const start = async (durable = false) => (server = await startEmbeddedPostgres(dataDir, { durable }));
const postmasterPid = () => Number(readFileSync(pidFile(), 'utf8').split('\n')[0]);
const pidFile = () => path.join(dataDir, 'postgres', 'data', 'postmaster.pid');

async function query<T>(url: string, work: (db: DataSource) => Promise<T>): Promise<T> {
  const db = await openDatabase(url);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

describe('the embedded PostgreSQL', () => {
  it('is taken over while it runs, and found again after it was stopped', async () => {
    const first = await start();
    await query(first.url, (db) => db.query('create table kept (value int)'));
    const second = await start();
    expect(second).toMatchObject({ reused: true, pid: first.pid, port: first.port, url: first.url });
    await second.stop();
    expect(first.isAlive()).toBe(false);
    const third = await start();
    expect(third.reused).toBe(false);
    expect(await query(third.url, (db) => db.query('select count(*)::int as n from kept'))).toEqual([{ n: 0 }]);
  });

  it('keeps its folder and its password to itself', async () => {
    const { url } = await start();
    expect(statSync(path.join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, 'postgres', 'secret')).mode & 0o777).toBe(0o600);
    const wrong = url.replace(/:[^:@]+@/, ':wrong@');
    await expect(openDatabase(wrong)).rejects.toThrow(/password authentication failed/);
    await expect(openDatabase(wrong)).rejects.not.toThrow(/wrong@/);
  });

  it('starts although a pid file names a process that is another program', async () => {
    const first = await start();
    const content = readFileSync(pidFile(), 'utf8');
    await first.stop();
    writeFileSync(pidFile(), content.replace(/^\d+/, String(process.pid)));
    chmodSync(pidFile(), 0o666);
    expect((await start()).reused).toBe(false);
    expect(postmasterPid()).toBe(server!.pid);
  });

  it('loses no acknowledged row to kill -9 while rows are written', async () => {
    const { url, port } = await start(true);
    await query(url, runMigrations);
    const db = await openDatabase(url);
    const { user } = await createAuthor(db);
    const conversation = await new ConversationRepository(db).findOrCreate(undefined, user.id, 'under load');
    const acknowledged: string[] = [];
    const writeUntilItBreaks = async () => {
      const completions = new CompletionRepository(db);
      for (;;) {
        const row = newCompletion(user, conversation.id);
        await completions.open(row);
        acknowledged.push(row.id);
        await completions.close(row.id, outcome);
      }
    };
    const writers = [1, 2, 3, 4].map(() => writeUntilItBreaks().catch(() => undefined));
    while (acknowledged.length < 200) await new Promise((resolve) => setTimeout(resolve, 5));
    process.kill(postmasterPid(), 'SIGKILL');
    await Promise.all(writers);
    await db.destroy();

    server = await startEmbeddedPostgres(dataDir, { port });
    expect(server).toMatchObject({ port, reused: false });
    const rows = await query(server.url, (again) =>
      again.query('select count(*)::int as n from completion where id = any($1)', [acknowledged]),
    );
    expect(rows).toEqual([{ n: acknowledged.length }]);
  });

  it.runIf(process.getuid?.() === 0)('works for root below a folder that only root may enter', async () => {
    const closed = path.join(folder, 'root only');
    mkdirSync(closed, { mode: 0o700 });
    dataDir = path.join(closed, 'data');
    const first = await start();
    await query(first.url, (db) => db.query('select 1'));
    const home = readFileSync(path.join(dataDir, 'postgres-home'), 'utf8').trim();
    expect(home).toMatch(/^\/var\/lib\/attune\//);
    await first.stop();
    // Letting others in later must not make the database seem to be gone.
    chmodSync(closed, 0o755);
    await start();
    expect(existsSync(path.join(dataDir, 'postgres'))).toBe(false);
    expect(existsSync(path.join(home, 'data', 'PG_VERSION'))).toBe(true);
  });

  it('goes on from a first start that was cut off', async () => {
    await (await start()).stop();
    const data = path.join(dataDir, 'postgres', 'data');
    rmSync(data, { recursive: true });
    mkdirSync(`${data}.new`);
    writeFileSync(path.join(`${data}.new`, 'PG_VERSION'), '18\n');
    expect(await query((await start()).url, (db) => db.query('select 1 as one'))).toEqual([{ one: 1 }]);
  });
});
