import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tuningJobConfig } from '@attune/contracts';
import { NotFoundError } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curate } from './curate.js';
import { type FileSource, rowsOfFiles, StoredFiles } from './file-rows.js';

const journal = { info: () => undefined };
const lines = (rows: readonly object[]) => new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n'));
const tasks = Array.from({ length: 12 }, (_, i) => ({
  dataset: i < 9 ? 'many' : 'few',
  template: 't',
  prompt: `Question ${i}?`,
  completion: `Answer ${i}`,
}));
const memory = (files: Record<string, readonly object[]>): FileSource => ({
  read: async ({ path: name }) => ({ name: name!, content: lines(files[name!]!) }),
});
const job = (data: object) => tuningJobConfig.parse({ data });
const rules = { maxRowsPerUser: 2, heldoutShare: 0.2, maxTokens: 99, countTokens: () => 1, suiteQuestions: [] };

describe('rows of files', () => {
  it('are mixed by task', async () => {
    const config = job({ files: [{ path: 'p3' }], mixture: { cap_per_task: 3 } });
    const rows = await rowsOfFiles(memory({ p3: tasks }), config, journal);
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatchObject({ kind: 'demonstration', origin: 'file', feedbackId: null });
  });
  it('stay on the side of the split their file is for, and are not capped as a user’s are', async () => {
    const config = job({
      files: [
        { path: 'a', split: 'train' },
        { path: 'b', split: 'heldout' },
      ],
    });
    const source = memory({ a: tasks.slice(0, 8), b: tasks.slice(8) });
    const { rows, dropped } = curate([], rules, await rowsOfFiles(source, config, journal));
    expect(rows.map(({ split }) => split)).toEqual([...Array(8).fill('train'), ...Array(4).fill('heldout')]);
    expect(dropped['per user']).toBe(0);
  });
  it('keep a share for measuring when nothing is said, a conversation as a whole', async () => {
    const talk = (i: number) => ({
      messages: ['user', 'assistant', 'user', 'assistant'].map((role, turn) => ({ role, content: `${i} ${turn}` })),
    });
    const source = memory({ talks: Array.from({ length: 40 }, (_, i) => talk(i)) });
    const { rows } = curate([], rules, await rowsOfFiles(source, job({ files: [{ path: 'talks' }] }), journal));
    expect(rows).toHaveLength(80);
    const sides = new Map<string, Set<string>>();
    for (const { conversationId, split } of rows)
      sides.set(conversationId, (sides.get(conversationId) ?? new Set()).add(split));
    expect([...sides.values()].every(({ size }) => size === 1)).toBe(true);
    const heldout = rows.filter(({ split }) => split === 'heldout').length;
    expect(heldout).toBeGreaterThan(4);
    expect(heldout).toBeLessThan(32);
  });
});

describe('stored files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'attune-files-'));
    await writeFile(path.join(folder, 'rows.jsonl'), '{}');
  });
  afterAll(() => rm(folder, { recursive: true }));
  const uploads = {
    get: async (id: string) => {
      if (id !== 'file-1') throw new NotFoundError('no such file');
      return { filename: 'mine.jsonl' };
    },
    read: async () => Buffer.from('[]'),
  } as unknown as ConstructorParameters<typeof StoredFiles>[1];
  const read = (file: object) => new StoredFiles(folder, uploads).read(job({ files: [file] }).data.files[0]!);

  it('are found in their folder and among the uploads', async () => {
    expect((await read({ path: 'rows.jsonl' })).name).toBe('rows.jsonl');
    expect((await read({ file_id: 'file-1', user_id: 'user_1' })).name).toBe('mine.jsonl');
  });
  it('are never read from anywhere else', async () => {
    await expect(read({ path: '../../etc/passwd' })).rejects.toThrow('lies outside');
    await expect(read({ path: '/etc/passwd' })).rejects.toThrow('lies outside');
    await expect(read({ path: 'gone.jsonl' })).rejects.toThrow('cannot be read');
    await expect(read({ file_id: 'file-2', user_id: 'user_1' })).rejects.toThrow(NotFoundError);
    await expect(read({ file_id: 'file-1' })).rejects.toThrow('needs a `path`');
  });
});
