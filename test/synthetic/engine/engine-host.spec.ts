import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readAdapter, readModelFolder, writeAdapter, writeModelFolder } from '@attune/checkpoint';
import { collect, Engine, EngineHost, type EngineEvent, type GenerateRequest, type LoadedModel } from '@attune/engine';
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
  await writeModel('model', model);
  await writeModel('other', randomModel(2));
  await writeAdapter(path.join(folder, 'adapter'), randomAdapter(5));
}, 120_000);

async function writeModel(name: string, from: LoadedModel) {
  const shapes = [...parameterShapes(parseModelConfig(tinyConfig))];
  const tensors = new Map(shapes.map(([tensor, shape]) => [tensor, { shape, data: from.tensor(tensor).data }]));
  await writeModelFolder(path.join(folder, name), { config: tinyConfig, tensors });
}

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

async function modelIn(name: string) {
  const place = path.join(folder, name);
  return { folder: place, digest: (await readModelFolder(place)).digest };
}

const request = (id: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id,
  promptIds: [3, 1, 4, 1, 5, 9],
  maxTokens: 20,
  sampling: { temperature: 0 },
  logProbs: true,
  ...more,
});

/** Process ids, on Linux. */
const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );

/** The same events; the process is killed when the answer has that many tokens. */
async function* killOnToken(host: EngineHost, events: AsyncIterable<EngineEvent>, killAt: number) {
  let tokens = 0;
  for await (const event of events) {
    if (event.type === 'token' && ++tokens === killAt) process.kill(host.pid!, 'SIGKILL');
    yield event;
  }
}

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

  it('replaces a killed process: answers under way go on as if nothing had happened, and adapters are back', async () => {
    const crashes: string[] = [];
    const host = await start({ slots: 16, onCrash: (reason) => crashes.push(reason) });
    const { adapter } = await host.loadAdapter(path.join(folder, 'adapter'));
    await host.setLive(adapter);
    const sampling = { temperature: 1, topK: 20, frequencyPenalty: 0.1 };
    const requests = Array.from({ length: 20 }, (_, i) =>
      request(`r${i}`, { promptIds: [1 + i, 2, 3], maxTokens: 200, sampling: { ...sampling, seed: i } }),
    );
    const want = await Promise.all(requests.map((each) => collect(host.generate({ ...each, id: `w${each.id}` }))));
    const readers = requests.map((each) => collect(killOnToken(host, host.generate(each), each.id === 'r3' ? 60 : 0)));
    const got = await Promise.all(readers);
    expect(crashes).toEqual([expect.stringMatching(/SIGKILL/)]);
    expect(host.restarts).toBe(1);
    got.forEach(({ tokens, finished, started }, i) => {
      expect(tokens).toEqual(want[i]!.tokens);
      expect(finished).toMatchObject({ reason: 'length', completionTokens: 200, weights: { adapter } });
      expect(started).toBeDefined();
    });
  });

  it('ends every answer when the files of its model have changed, and goes on when they are restored', async () => {
    await writeModel('rewritten', model);
    const host = await start({ model: path.join(folder, 'rewritten') });
    const { live } = await host.stats();
    await writeModel('rewritten', randomModel(4));
    const running = collect(killOnToken(host, host.generate(request('a', { maxTokens: 240 })), 3));
    expect((await running).finished).toMatchObject({ reason: 'failed', error: /rewritten has the digest .* changed/ });
    const later = await collect(host.generate(request('b')));
    expect(later.finished).toMatchObject({ reason: 'failed', error: /files have changed; restore them/ });
    await writeModel('rewritten', model);
    await expect.poll(() => host.ready, { timeout: 15_000 }).toBe(true);
    expect((await collect(host.generate(request('c')))).started!.weights).toEqual(live);
  });

  it('asks the successor of a killed process what that one did not live to answer', async () => {
    const host = await start();
    const { adapter } = await host.loadAdapter(path.join(folder, 'adapter'));
    const calls = [host.stats(), host.loadAdapter(path.join(folder, 'adapter')), host.setLive(adapter)] as const;
    // Texts may be what ended it: whoever sent them decides whether they are worth another process.
    const refused = expect(host.embed([[1, 2, 3]])).rejects.toMatchObject({ kind: 'unavailable' });
    process.kill(host.pid!, 'SIGKILL');
    const [stats, loaded] = await Promise.all(calls);
    await refused;
    expect(stats.adapters).toEqual([adapter]);
    expect((await host.embed([[1, 2, 3]]))[0]).toHaveLength(tinyConfig.hidden_size);
    expect(loaded.adapter).toBe(adapter);
    expect((await host.stats()).live.adapter).toBe(adapter);
    expect(host.restarts).toBe(1);
  });

  it('draws the same tokens behind those an earlier run drew, whatever the sampler', async () => {
    const host = await start();
    const sampling = { temperature: 1, repetitionPenalty: 1.2, presencePenalty: 0.5, seed: 9 };
    const whole = await collect(host.generate(request('a', { maxTokens: 40, sampling })));
    for (const length of [1, 17, 39]) {
      const answered = whole.tokens.slice(0, length);
      const rest = await collect(host.generate(request(`b${length}`, { maxTokens: 40, sampling, answered })));
      expect(rest.tokens).toEqual(whole.tokens.slice(length));
      expect(rest.finished).toMatchObject({ completionTokens: 40, promptTokens: 6 });
    }
    const { finished } = await collect(host.generate(request('c', { maxTokens: 40, answered: whole.tokens })));
    expect(finished).toMatchObject({ reason: 'rejected', error: /nothing left to draw/ });
  });

  it('ends an answer during which the process dies again and again without a token', async () => {
    const host = await start();
    let over = false;
    const answer = collect(host.generate(request('a', { maxTokens: 240 }))).finally(() => (over = true));
    const seen = new Set<number>();
    while (!over) {
      const pid = host.pid!;
      if (!seen.has(pid)) process.kill(pid, 'SIGKILL');
      seen.add(pid);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await answer).finished).toMatchObject({ reason: 'failed', error: /cannot be started again|ask again/ });
    expect(seen.size).toBeGreaterThan(2);
    const { finished } = await collect(host.generate(request('b')));
    expect(finished.reason).toBe('length');
  });

  it('takes in another model beside the first: nothing fails, each answer comes from one of the two', async () => {
    const host = await start({ slots: 3 });
    const requests = Array.from({ length: 12 }, (_, i) => request(`r${i}`, { promptIds: [1 + i, 2], maxTokens: 150 }));
    const old = await Promise.all(
      requests.slice(0, 3).map((each) => collect(host.generate({ ...each, id: `w${each.id}` }))),
    );
    const answers = requests.map((each) => collect(host.generate(each)));
    const live = await host.swapModel(await modelIn('other'));
    expect((await host.stats()).live).toEqual(live);
    const got = await Promise.all(answers);
    expect(got.every(({ finished }) => finished.reason === 'length')).toBe(true);
    const after = await Promise.all(requests.map((each) => collect(host.generate({ ...each, id: `a${each.id}` }))));
    got.forEach(({ tokens, started }, i) => {
      const isNew = started!.weights.digest === live.digest;
      if (isNew || i < 3) expect(tokens).toEqual((isNew ? after : old)[i]!.tokens);
    });
    expect(after.every(({ started }) => started!.weights.digest === live.digest)).toBe(true);
    expect(after[0]!.tokens).not.toEqual(old[0]!.tokens);
    expect(host.restarts).toBe(0);
  });

  it('keeps its model when another cannot be loaded', async () => {
    const host = await start();
    const { live } = await host.stats();
    const nothing = { folder: path.join(folder, 'nothing'), digest: live.base };
    await expect(host.swapModel(nothing)).rejects.toThrow(/nothing does not exist/);
    expect((await collect(host.generate(request('a')))).started!.weights).toEqual(live);
  });

  it('lets nothing go live that is not what was asked for', async () => {
    const host = await start();
    const { live } = await host.stats();
    const other = await modelIn('other');
    const adapter = { folder: path.join(folder, 'adapter'), digest: 'another' };
    for (const changed of [
      { ...other, digest: live.base },
      { ...other, adapter },
    ])
      await expect(host.swapModel(changed)).rejects.toMatchObject({ kind: 'conflict', code: 'weights_changed' });
    expect((await host.stats()).live).toEqual(live);
    const { digest } = await readAdapter(adapter.folder);
    const taken = await host.swapModel({ ...other, adapter: { ...adapter, digest } });
    expect(taken).toMatchObject({ base: other.digest, adapter: digest });
    expect((await collect(host.generate(request('a')))).started!.weights).toEqual(taken);
  });

  it('makes the same vectors whichever model answers, and none of a model that has changed', async () => {
    await writeModel('first', model);
    const host = await start({ model: path.join(folder, 'first') });
    const [want] = await host.embed([[1, 2, 3]]);
    await host.swapModel(await modelIn('other'));
    expect(await host.embed([[1, 2, 3]])).toEqual([want]);
    await writeModel('first', randomModel(3));
    await host.swapModel(await modelIn('model'));
    await expect(host.embed([[1, 2, 3]])).rejects.toThrow(/makes the vectors, has changed/);
  });

  it('leaves no process behind when it is closed while another model is taken in', async () => {
    const host = await start();
    const before = childrenOf(process.pid);
    const swapping = host.swapModel(await modelIn('other'));
    const refused = expect(swapping).rejects.toMatchObject({ kind: 'unavailable' });
    await expect.poll(() => childrenOf(process.pid).length).toBeGreaterThan(before.length);
    const children = childrenOf(process.pid);
    await host.close();
    for (const child of children) expect(() => process.kill(child, 0)).toThrow(/ESRCH/);
    await refused;
  });

  it('keeps an adapter in memory until the last request that names it is over', async () => {
    const host = await start({ slots: 1 });
    const { adapter } = await host.loadAdapter(path.join(folder, 'adapter'));
    const answers = ['a', 'b', 'c'].map((id) => collect(host.generate(request(id, { adapter }))));
    await host.unloadAdapter(adapter!);
    expect((await host.stats()).adapters).toEqual([]);
    for (const { finished } of await Promise.all(answers)) expect(finished).toMatchObject({ reason: 'length' });
    const late = await collect(host.generate(request('d', { adapter })));
    expect(late.finished).toMatchObject({ reason: 'rejected', error: /not loaded/ });
  });

  it('never names an adapter that is leaving, nor one that left while it was asked', async () => {
    const host = await start({ slots: 1 });
    for (let round = 0; round < 5; round++) {
      const { adapter } = await host.loadAdapter(path.join(folder, 'adapter'));
      let over = false;
      const answer = collect(host.generate(request(`r${round}`, { adapter }))).finally(() => (over = true));
      await host.unloadAdapter(adapter!);
      const asked: Promise<unknown>[] = [];
      while (!over) {
        for (let i = 0; i < 5; i++) asked.push(host.stats().then(({ adapters }) => adapters));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await answer).finished.reason).toBe('length');
      expect(new Set((await Promise.all(asked)).map(String))).toEqual(new Set(['']));
    }
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
