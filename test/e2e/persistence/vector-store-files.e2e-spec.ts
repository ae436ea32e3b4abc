import {
  FileRepository,
  PassageVectorRepository,
  VectorSearchRepository,
  VectorStoreRepository,
} from '@attune/persistence';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOwner, expireLeases, type Owner } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();
let owner: Owner;
let files: FileRepository;
beforeAll(async () => {
  owner = await createOwner(db());
  files = new FileRepository(db());
});

describe('a file of a vector store', () => {
  it('that is added again while it is read is read again, and the first reading is dropped', async () => {
    const stores = new VectorStoreRepository(db());
    const index = new VectorSearchRepository(db());
    const file = await files.add({
      userId: owner.userId,
      filename: 'a.txt',
      purpose: 'assistants',
      content: Buffer.from('x'),
    });
    const added = { file_id: file.id, chunking_strategy: { type: 'auto' } } as const;
    const { id } = await stores.create(owner.userId, {
      name: '',
      file_ids: [file.id],
      chunking_strategy: { type: 'auto' },
    });
    const first = (await index.claim())!;
    expect(await index.queue.renew(first.claim)).toBe('in_progress');
    await stores.add(id, owner.userId, [added]);
    const second = (await index.claim())!;
    expect(second.fileId).toBe(file.id);
    await index.complete(first, ['old text']);
    expect(await stores.passages(id, file.id, owner.userId)).toEqual([]);
    await index.complete(second, ['new text', 'more of it']);
    await index.fail(first, { code: 'server_error', message: 'late' });
    expect(await stores.passages(id, file.id, owner.userId)).toEqual(['new text', 'more of it']);
    expect(await stores.file(id, file.id, owner.userId)).toMatchObject({ status: 'completed', usageBytes: 18 });
  });

  it('gets its vectors from one maker at a time, all of them by the same weights', async () => {
    const stores = new VectorStoreRepository(db());
    const index = new VectorSearchRepository(db());
    const vectors = new PassageVectorRepository(db());
    const content = Buffer.from('x');
    const file = await files.add({ userId: owner.userId, filename: 'b.txt', purpose: 'assistants', content });
    const chunking_strategy = { type: 'auto' } as const;
    const { id } = await stores.create(owner.userId, { name: '', file_ids: [file.id], chunking_strategy });
    await index.complete((await index.claim())!, ['one', 'two', 'three']);
    const rows = (from: number, value: number) =>
      [from, from + 1].map((ordinal) => ({ ordinal, vector: Float32Array.of(value, ordinal) }));
    const nearest = async () =>
      (await vectors.nearest([id], Float32Array.of(1, 0), { limit: 9 })).map((near) => [
        near.key.ordinal,
        near.similarity,
      ]);

    expect(await vectors.claim()).toBeNull();
    expect(await vectors.want([id], 'model')).toBe(1);
    const old = (await vectors.claim())!;
    await vectors.begin(old, 'model');
    expect(await vectors.add(old, rows(0, 0.5))).toBe(true);
    expect((await vectors.without(old, 9)).map(({ text }) => text)).toEqual(['three']);
    // Killed here: what it made is kept, and searched only when all is there.
    expect(await nearest()).toEqual([]);
    await expireLeases(db(), 'vector_store_file');
    const next = (await vectors.claim())!;
    expect(next.claim.attempts).toBe(1);
    expect(await vectors.begin(next, 'model')).toBe(true);
    expect(await vectors.begin(old, 'model')).toBe(false);
    expect(await vectors.add(old, rows(1, 9))).toBe(false);
    await vectors.add(next, [{ ordinal: 2, vector: Float32Array.of(0.25, 0) }]);
    await vectors.giveUp(old, 'model');
    await vectors.end(next);
    expect(await vectors.want([id], 'model')).toBe(0);
    expect(await nearest()).toEqual([
      [0, 0.5],
      [1, 0.5],
      [2, 0.25],
    ]);

    expect(await vectors.want([id], 'another')).toBe(1);
    const anew = (await vectors.claim())!;
    await vectors.begin(anew, 'another');
    expect(await vectors.without(anew, 9)).toHaveLength(3);
    await vectors.add(anew, [...rows(0, 0.125), { ordinal: 2, vector: Float32Array.of(1, 0) }]);
    await vectors.end(anew);
    expect((await nearest())[0]).toEqual([2, 1]);
  });

  it('is read and gets its vectors with attempts of their own, and is asked for again after it was given up', async () => {
    const stores = new VectorStoreRepository(db());
    const index = new VectorSearchRepository(db());
    const vectors = new PassageVectorRepository(db());
    const content = Buffer.from('x');
    const file = await files.add({ userId: owner.userId, filename: 'c.txt', purpose: 'assistants', content });
    const chunking_strategy = { type: 'auto' } as const;
    const { id } = await stores.create(owner.userId, { name: '', file_ids: [file.id], chunking_strategy });
    await db().query(`update vector_store_file set vectors = 'wanted' where store_id = $1`, [id]);
    const broken = (await index.claim())!;
    await index.queue.putBack(broken.claim, 'the reader broke');
    await db().query('update vector_store_file set leased_until = null where store_id = $1', [id]);
    const read = (await index.claim())!;
    expect(read.claim).toMatchObject({ attempts: 2, lastError: 'the reader broke' });
    await index.complete(read, ['one']);

    // Given up before it was begun.
    const first = (await vectors.claim())!;
    expect(first.claim).toMatchObject({ attempts: 1, lastError: null });
    await vectors.giveUp(first, 'model');
    expect(await vectors.want([id], 'model')).toBe(0);
    expect(await vectors.want([id], 'another')).toBe(1);
    await vectors.giveUp((await vectors.claim())!, 'another');
    // As a file was given up once, without a word of the weights.
    await db().query('update vector_store_file set vectors_of = null where store_id = $1', [id]);
    expect(await vectors.want([id], 'another')).toBe(1);
    expect(await vectors.claim()).not.toBeNull();
  });
});
