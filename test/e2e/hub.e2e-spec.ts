import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { readModelFolder, resolveModel, writeModelFolder, type DownloadProgress } from '@attune/checkpoint';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHubServer, type HubFile, type HubServer } from '../support/hub-server.js';

const REPO = 'acme/tiny-llama';
const WEIGHTS = 'model.safetensors';

describe('a model from the hub', () => {
  let dataDir: string;
  let files: Map<string, HubFile>;
  let hub: HubServer;
  const progress: DownloadProgress[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'attune hub '));
    files = await modelFiles(path.join(dataDir, 'original'));
    hub = await startHubServer(REPO, files);
    progress.length = 0;
  });
  afterEach(async () => {
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const resolve = (setting = REPO, more: { token?: string; endpoint?: string; signal?: AbortSignal } = {}) =>
    resolveModel(setting, {
      dataDir,
      bundledFolder: '/bundled/attune-mini',
      endpoint: hub.endpoint,
      onProgress: (step) => progress.push(step),
      transfer: { retries: 2, retryDelayMs: 1, stallMs: 2000 },
      ...more,
    });
  const downloaded = (name: string) => readFile(path.join(dataDir, 'models', 'acme--tiny-llama', name));

  it('arrives whole, with only the files a model needs, and can be read', async () => {
    const model = await resolve();
    expect(model).toMatchObject({ name: REPO, source: 'hub' });
    expect((await readdir(model.folder)).sort()).toEqual([
      '.download.json',
      'config.json',
      WEIGHTS,
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect((await readModelFolder(model.folder)).tensor('w').data[3]).toBe(3);
  });

  it('reports progress that rises to the total', async () => {
    await resolve();
    const bytes = progress.map((step) => step.doneBytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(progress.at(-1)?.doneBytes).toBe(progress[0].totalBytes);
  });

  it('needs no network once it is complete', async () => {
    const { folder } = await resolve();
    await hub.close();
    expect((await resolve()).folder).toBe(folder);
  });

  it('goes on after a cut instead of starting over', async () => {
    hub.faults.cuts.push({ path: WEIGHTS, afterBytes: 150_000 }, { path: WEIGHTS, afterBytes: 20_000 });
    await resolve();
    expect(await downloaded(WEIGHTS)).toEqual(files.get(WEIGHTS)?.content);
    const asked = hub.requests.filter((line) => line.includes(WEIGHTS));
    expect(asked).toHaveLength(3);
    expect(rangeStart(asked[1])).toBeGreaterThan(0);
    expect(rangeStart(asked[2])).toBeGreaterThan(rangeStart(asked[1]));
  });

  it('goes on in a later start with the bytes an earlier one left', async () => {
    hub.faults.cuts.push(...[1, 2].map(() => ({ path: WEIGHTS, afterBytes: 0 })));
    hub.faults.cuts.unshift({ path: WEIGHTS, afterBytes: 100_000 });
    await expect(resolve()).rejects.toThrow(/could not be downloaded/);
    const before = hub.requests.length;
    await resolve();
    const asked = hub.requests.slice(before).filter((line) => line.includes('/resolve/'));
    expect(asked).toHaveLength(1);
    expect(rangeStart(asked[0])).toBeGreaterThan(0);
    expect(await downloaded(WEIGHTS)).toEqual(files.get(WEIGHTS)?.content);
  });

  it('starts over when the server ignores Range', async () => {
    hub.faults.cuts.push({ path: WEIGHTS, afterBytes: 150_000 });
    hub.faults.ignoresRange = true;
    await resolve();
    expect(await downloaded(WEIGHTS)).toEqual(files.get(WEIGHTS)?.content);
  });

  it('tries again when the server is busy', async () => {
    hub.faults.statuses.push({ path: 'config.json', status: 503 }, { path: WEIGHTS, status: 429 });
    await expect(resolve()).resolves.toMatchObject({ name: REPO });
  });

  it.each([WEIGHTS, 'config.json'])('never keeps %s with a wrong checksum', async (name) => {
    hub.faults.corrupted.add(name);
    await expect(resolve()).rejects.toThrow(`${name} arrived twice with a wrong checksum from ${hub.endpoint}`);
    await expect(downloaded(name)).rejects.toThrow('ENOENT');
    hub.faults.corrupted.clear();
    await resolve();
    expect(await downloaded(name)).toEqual(files.get(name)?.content);
  });

  it('sends HF_TOKEN, and says so when one is missing or not accepted', async () => {
    hub.faults.requiredToken = 'hf_right';
    await expect(resolve()).rejects.toThrow(/without a token.*set HF_TOKEN/);
    await expect(resolve(REPO, { token: 'hf_wrong' })).rejects.toThrow(/does not accept HF_TOKEN/);
    await expect(resolve(REPO, { token: 'secret' })).rejects.toThrow(/start with hf_/);
    await expect(resolve(REPO, { token: 'hf_right' })).resolves.toMatchObject({ name: REPO });
  });

  it('says that a model is gated, and where to ask', async () => {
    hub.faults.gated = true;
    await expect(resolve(REPO, { token: 'hf_any' })).rejects.toThrow(
      `gated; ask for access on its page at ${hub.endpoint}`,
    );
  });

  it('says that there is no such model or revision', async () => {
    await expect(resolve('acme/unknown')).rejects.toThrow(/no model acme\/unknown with the revision main/);
    await expect(resolve(`${REPO}@v9`)).rejects.toThrow(/revision v9/);
  });

  it('says that the hub cannot be reached, and what to do', async () => {
    await hub.close();
    await expect(resolve()).rejects.toThrow(/ECONNREFUSED.*check the network or HF_ENDPOINT, or set MODEL to a folder/);
  });

  it('refuses a repository without safetensors', async () => {
    files.delete(WEIGHTS);
    await expect(resolve()).rejects.toThrow(/no model\*\.safetensors/);
  });

  it('is fetched once when several processes ask for it at the same time', async () => {
    await Promise.all([resolve(), resolve(), resolve()]);
    expect(hub.requests.filter((line) => line.includes(WEIGHTS))).toHaveLength(1);
    expect(await readdir(path.join(dataDir, 'models'))).toEqual(['acme--tiny-llama']);
  });

  it('takes over from a process that was killed', async () => {
    const models = path.join(dataDir, 'models');
    await mkdir(models);
    const killed = { pid: 999_999_999, host: hostname() };
    await writeFile(path.join(models, 'acme--tiny-llama.lock'), JSON.stringify(killed));
    await expect(resolve()).resolves.toMatchObject({ name: REPO });
  });

  it('stops when it is told to', async () => {
    await expect(resolve(REPO, { signal: AbortSignal.abort() })).rejects.toThrow(/was stopped/);
  });

  it('takes a folder as it is, and the bundled model by its word', async () => {
    const folder = path.join(dataDir, 'original');
    expect(await resolve(folder)).toEqual({ folder, name: 'original', source: 'folder' });
    expect(await resolve('bundled')).toEqual({
      folder: '/bundled/attune-mini',
      name: 'attune-mini',
      source: 'bundled',
    });
    await expect(resolve('no such thing')).rejects.toThrow(/neither `bundled`, nor an existing folder, nor a hub id/);
    await expect(resolve('../no/such')).rejects.toThrow(/neither/);
    expect(hub.requests).toEqual([]);
  });
});

/** A real little model folder of 400 kB, and files that must stay on the hub. */
async function modelFiles(folder: string): Promise<Map<string, HubFile>> {
  const data = Float32Array.from({ length: 100_000 }, (_, index) => index);
  await writeModelFolder(folder, {
    config: { model_type: 'llama' },
    tensors: new Map([['w', { shape: [100, 1000], data }]]),
    files: { 'tokenizer.json': '{"model": {}}', 'tokenizer_config.json': '{}' },
  });
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', WEIGHTS];
  const files = new Map<string, HubFile>();
  for (const name of names) {
    files.set(name, { content: await readFile(path.join(folder, name)), lfs: name === WEIGHTS });
  }
  files.set('pytorch_model.bin', { content: Buffer.alloc(10), lfs: true });
  files.set('README.md', { content: Buffer.from('# tiny') });
  return files;
}

const rangeStart = (line: string) => Number(/bytes=(\d+)-/.exec(line)?.[1] ?? 0);
