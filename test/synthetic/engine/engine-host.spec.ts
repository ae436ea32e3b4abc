import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeAdapter, writeModelFolder } from '@attune/checkpoint';
import { collect, Engine, EngineHost, type EngineEvent, type GenerateRequest } from '@attune/engine';
import { parameterShapes, parseModelConfig } from '@attune/models';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { randomAdapter, randomModel, tinyConfig } from './tiny-models.js';

let folder: string;
const model = randomModel(1);
const hosts: EngineHost[] = [];

beforeAll(async () => {
  // The process runs compiled code: make it the code under test.
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/engine'], { stdio: 'inherit' });
  folder = await mkdtemp(path.join(tmpdir(), 'attune host '));
  const shapes = [...parameterShapes(parseModelConfig(tinyConfig))];
  const tensors = new Map(shapes.map(([name, shape]) => [name, { shape, data: model.tensor(name).data }]));
  await writeModelFolder(path.join(folder, 'model'), { config: tinyConfig, tensors });
  await writeAdapter(path.join(folder, 'adapter'), randomAdapter(5));
}, 120_000);

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function start(more: Partial<Parameters<typeof EngineHost.start>[0]> = {}): Promise<EngineHost> {
  const setup = { model: path.join(folder, 'model'), slots: 2, threads: 1, spinning: false };
  const host = await EngineHost.start({ ...setup, ...more });
  hosts.push(host);
  return host;
}

const request = (id: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id,
  promptIds: [3, 1, 4, 1, 5, 9],
  maxTokens: 20,
  sampling: { temperature: 0 },
  logProbs: true,
  ...more,
});

describe('the engine host', () => {
  it('gives what an engine in this process gives', async () => {
    const engine = await Engine.load({ model, slots: 1, threads: 1 });
    const want = await collect(engine.generate(request('a')));
    await engine.close();
    const host = await start();
    const got = await collect(host.generate(request('a')));
    expect(got.tokens).toEqual(want.tokens);
    got.logProbs.forEach((logProb, i) => expect(logProb).toBeCloseTo(want.logProbs[i]!, 4));
    expect(got.finished).toMatchObject({ reason: 'length', promptTokens: 6, completionTokens: 20 });
    expect(got.started!.weights.digest).toMatch(/^fp_/);
    expect(await host.stats()).toMatchObject({ vocabSize: 64, completionTokens: 20, running: 0, waiting: 0 });
  });

  it('cancels, rejects and reports errors across the process boundary', async () => {
    const host = await start();
    let reason = '';
    const abort = new AbortController();
    for await (const event of host.generate(request('a', { maxTokens: 200 }), { signal: abort.signal })) {
      if (event.type === 'token') abort.abort();
      if (event.type === 'finished') reason = event.reason;
    }
    expect(reason).toBe('cancelled');
    const { finished } = await collect(host.generate(request('b', { maxTokens: 999 })));
    expect(finished).toMatchObject({ reason: 'rejected', error: /room for 256/ });
    await expect(host.setLive('nobody')).rejects.toMatchObject({ kind: 'not_found' });
  });

  it('says in one sentence why a model cannot be loaded', async () => {
    const missing = start({ model: path.join(folder, 'nothing') });
    await expect(missing).rejects.toMatchObject({ kind: 'invalid_request', message: /nothing does not exist/ });
  });

  it('replaces a killed process: running answers end as failed, waiting ones are answered, adapters are back', async () => {
    const crashes: string[] = [];
    const host = await start({ slots: 1, maxSeq: 8192, onCrash: (reason) => crashes.push(reason) });
    const { adapter } = await host.loadAdapter(path.join(folder, 'adapter'));
    await host.setLive(adapter);
    const want = await collect(host.generate(request('reference')));
    const waiting: Promise<unknown>[] = [];
    const seen: EngineEvent[] = [];
    for await (const event of host.generate(request('running', { maxTokens: 8000 }))) {
      if (seen.push(event) === 3) {
        waiting.push(...['w1', 'w2'].map((id) => collect(host.generate(request(id)))));
        process.kill(host.pid!, 'SIGKILL');
      }
    }
    expect(seen.at(-1)).toMatchObject({ type: 'finished', reason: 'failed', error: /SIGKILL/ });
    for (const answer of await Promise.all(waiting)) {
      expect(answer).toMatchObject({ tokens: want.tokens, finished: { reason: 'length', weights: { adapter } } });
    }
    expect(crashes).toEqual([expect.stringMatching(/SIGKILL/)]);
    expect(host.restarts).toBe(1);
  });

  it('replaces a process that hangs', async () => {
    const host = await start({ heartbeatTimeoutMs: 400 });
    process.kill(host.pid!, 'SIGSTOP');
    const { finished } = await collect(host.generate(request('a')));
    expect(finished.reason).toBe('length');
    expect(host.restarts).toBe(1);
  });

  it('leaves no process behind', async () => {
    const host = await start();
    const pid = host.pid!;
    const running = collect(host.generate(request('a', { maxTokens: 240 })));
    await host.close();
    expect((await running).finished.reason).toBe('cancelled');
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect(() => host.generate(request('b'))).toThrow(/closed/);
  });
});
