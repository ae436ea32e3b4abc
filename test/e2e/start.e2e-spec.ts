import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeEmbeddedPostgres } from '@attune/persistence';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { noModel, testModel } from '../support/gateway.js';
import { isBuilt, processesOf, type StartedSupervisor, startSupervisor } from '../support/supervisor.js';

const why = !isBuilt ? 'the apps are not built' : !testModel ? noModel : process.platform !== 'linux' ? 'no /proc' : '';

/** One data folder for all of them, as one installation has; each spec leaves it stopped. */
describe.skipIf(why !== '')(`npm start${why && ` (skipped: ${why})`}`, () => {
  let folder: string;
  let dataDir: string;
  let port: number;
  let running: StartedSupervisor[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'attune start-'));
    chmodSync(folder, 0o711);
    dataDir = path.join(folder, 'my data');
    port = await freePort();
  });
  afterEach(async () => {
    for (const supervisor of running) supervisor.process.kill('SIGTERM');
    await Promise.all(running.map((supervisor) => supervisor.ended));
    running = [];
  });
  afterAll(() => {
    for (const { pid } of processesOf(dataDir)) process.kill(pid, 'SIGKILL');
    removeEmbeddedPostgres(dataDir);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (settings: Record<string, string> = {}, parameters: string[] = []) => {
    const base = { DATA_DIR: dataDir, PORT: String(port), HOST: '127.0.0.1', MODEL: testModel!, LOG_LEVEL: 'warn' };
    const supervisor = startSupervisor({ ...base, ...settings }, parameters);
    running.push(supervisor);
    return supervisor;
  };
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200;
  const trainerLog = () => readFileSync(path.join(dataDir, 'logs', 'trainer.log'), 'utf8');
  /** A refused start: its sentence and nothing else, no stack, no process left. */
  const refusal = async (settings: Record<string, string>) => {
    const supervisor = start(settings);
    expect((await supervisor.ended).code).toBe(1);
    expect(supervisor.output()).not.toMatch(/^ +at /m);
    expect(processesOf(settings.DATA_DIR ?? dataDir)).toEqual([]);
    return supervisor.output();
  };

  it('starts everything, answers a chat with the key it printed, and stops everything on Ctrl-C', async () => {
    const supervisor = start();
    const output = await supervisor.until(/Ctrl-C stops it/);
    expect(await isReady()).toBe(true);
    expect(output).toContain(`http://localhost:${port}/console`);
    const apiKey = /Admin key: (sk-attune-\S+)/.exec(output)![1];
    const client = new OpenAI({ apiKey, baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
    const { data: models } = await client.models.list();
    const messages = [{ role: 'user' as const, content: 'Say hello.' }];
    const answer = await client.chat.completions.create({ model: models[0].id, messages, max_tokens: 4 });
    expect(answer.usage!.completion_tokens).toBeGreaterThan(0);
    const commands = processesOf(dataDir)
      .map(({ command }) => command)
      .join('\n');
    for (const part of [/supervisor/, /gateway/, /trainer/, /engine/, /postgres -D/]) expect(commands).toMatch(part);

    const second = start({ PORT: String(await freePort()) });
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(`is running on ${dataDir} already (process ${supervisor.process.pid})`);
    expect(await isReady()).toBe(true);

    supervisor.process.kill('SIGINT');
    expect(await supervisor.ended).toEqual({ code: 0, signal: null });
    expect(processesOf(dataDir)).toEqual([]);
    expect(readFileSync(path.join(dataDir, 'postgres', 'postgres.log'), 'utf8')).toContain(
      'database system is shut down',
    );
  });

  it('takes over what a supervisor left that was killed', async () => {
    const first = start();
    await first.until(/Ctrl-C stops it/);
    const before = processesOf(dataDir);
    first.process.kill('SIGKILL');
    await first.ended;
    const second = start();
    await second.until(/Ctrl-C stops it/);
    expect(await isReady()).toBe(true);
    const survivors = processesOf(dataDir).filter(({ pid }) => before.some((old) => old.pid === pid));
    expect(
      survivors.every(({ command }) => /postgres/.test(command)),
      JSON.stringify(survivors),
    ).toBe(true);
    second.process.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
  });

  it('starts the gateway again when that is killed, and keeps the key to itself after the first start', async () => {
    const supervisor = start();
    const output = await supervisor.until(/Ctrl-C stops it/);
    expect(output).not.toMatch(/sk-attune-/);
    const gateway = processesOf(dataDir).find(({ command }) => /apps\/gateway/.test(command))!;
    process.kill(gateway.pid, 'SIGKILL');
    await supervisor.until(/The gateway has ended \(killed by SIGKILL\)/);
    while (!(await isReady().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 100));
    const gateways = processesOf(dataDir).filter(({ command }) => /apps\/gateway|engine/.test(command));
    expect(gateways.map(({ pid }) => pid)).not.toContain(gateway.pid);
    expect(gateways).toHaveLength(2);
  });

  it('starts PostgreSQL again when that is killed, on the port gateway and trainer know', async () => {
    // On a machine that is busy with other specs a trainer that stands back would begin late.
    const supervisor = start({ LOG_LEVEL: 'info', TRAINER_NICE: '0' });
    await supervisor.until(/Ctrl-C stops it/);
    await vi.waitFor(() => expect(trainerLog()).toContain('trainer ready'), { timeout: 60_000 });
    const { pid } = processesOf(dataDir).find(({ command }) => /postgres -D/.test(command))!;
    process.kill(pid, 'SIGKILL');
    await supervisor.until(/PostgreSQL has ended; starting it again/);
    while (!(await isReady().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(processesOf(dataDir).some((one) => /postgres -D/.test(one.command) && one.pid !== pid)).toBe(true);
    expect(supervisor.output()).not.toMatch(/The (gateway|trainer) has ended/);
  });

  it('names a full disk', async (context) => {
    const small = path.join(folder, 'small disk');
    mkdirSync(small);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', small]).status === 0;
    context.skip(!mounted, 'a small disk can be mounted by root only');
    try {
      const output = await refusal({ DATA_DIR: path.join(small, 'data') });
      expect(output).toMatch(/The disk of the data folder .*small disk\/data has \d MB left/);
    } finally {
      spawnSync('umount', [small]);
    }
  });

  it('names a taken port, before it starts anything', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect(await refusal({})).toContain(`Port ${port} is used by another program`);
    server.close();
  });

  it('names an unreachable database without its password', async () => {
    const output = await refusal({ DATABASE_URL: 'postgres://me:hidden@127.0.0.1:1/chat' });
    expect(output).toMatch(/The database at 127\.0\.0\.1:1\/chat cannot be used: .*ECONNREFUSED/);
    expect(output).not.toContain('hidden');
  });

  it('names a broken model folder', async () => {
    const empty = path.join(folder, 'no model');
    mkdirSync(empty);
    expect(await refusal({ MODEL: empty })).toContain(empty);
    const cut = path.join(folder, 'cut model');
    cpSync(testModel!, cut, { recursive: true });
    const weights = path.join(cut, 'model.safetensors');
    writeFileSync(weights, readFileSync(weights).subarray(0, 100_000));
    expect(await refusal({ MODEL: cut })).toContain(cut);
  });

  it('names every wrong setting at once', async () => {
    const output = await refusal({ PORT: 'eighty', TUNING: 'sometimes' });
    expect(output).toMatch(/PORT=eighty[^]*TUNING=sometimes/);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
