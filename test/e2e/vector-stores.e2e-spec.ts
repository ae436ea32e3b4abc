import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const lamp = '# Falcon lamp\n\nThe warranty of the Falcon lamp is 7 years.\n\nThe Falcon lamp is made in Rome.\n';
const chair = 'The Heron chair weighs 9 kilograms. Its warranty is 2 years. It is sold in Oslo.';

describe.skipIf(!testModel)(`vector stores (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await startTestGateway();
    openai = gateway.openai;
  });
  afterAll(() => gateway?.close());

  const file = async (content: string | Buffer, name: string) =>
    (await openai.files.create({ file: await toFile(Buffer.from(content), name), purpose: 'assistants' })).id;
  const poll = { pollIntervalMs: 50 };

  it('reads files into a store and finds what was asked for, best first', async () => {
    const store = await openai.vectorStores.create({ name: 'Products', metadata: { team: 'sales' } });
    expect(store).toMatchObject({ object: 'vector_store', status: 'completed', file_counts: { total: 0 } });
    const lampId = await file(lamp, 'lamp.md');
    const added = await openai.vectorStores.files.createAndPoll(
      store.id,
      { file_id: lampId, attributes: { kind: 'lamp', year: 2024 } },
      poll,
    );
    expect(added).toMatchObject({ status: 'completed', last_error: null, attributes: { kind: 'lamp', year: 2024 } });
    await openai.vectorStores.files.createAndPoll(
      store.id,
      { file_id: await file(chair, 'chair.txt'), attributes: { kind: 'chair', year: 2020 } },
      poll,
    );

    const found = await openai.vectorStores.search(store.id, { query: 'How long is the warranty of the Falcon lamp?' });
    expect(found.data[0]).toMatchObject({ file_id: lampId, filename: 'lamp.md', attributes: { kind: 'lamp' } });
    expect(found.data[0].content[0].text).toContain('7 years');
    const scores = found.data.map((one) => one.score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(Math.max(...scores)).toBeLessThan(1);

    const text = [];
    for await (const part of openai.vectorStores.files.content(lampId, { vector_store_id: store.id })) {
      text.push(part.text);
    }
    expect(text.join(' ')).toContain('made in Rome');
    expect((await openai.vectorStores.retrieve(store.id)).file_counts).toMatchObject({ completed: 2, total: 2 });
    expect((await openai.vectorStores.retrieve(store.id)).usage_bytes).toBeGreaterThan(100);
  });

  it('filters by attributes and by score', async () => {
    const store = await openai.vectorStores.create({});
    const files = [
      { file_id: await file(lamp, 'lamp.md'), attributes: { kind: 'lamp', year: 2024 } },
      { file_id: await file(chair, 'chair.txt'), attributes: { kind: 'chair', year: 2020 } },
      { file_id: await file('No warranty is given on food.', 'food.txt') },
    ];
    const batch = await openai.vectorStores.fileBatches.createAndPoll(store.id, { files }, poll);
    expect(batch).toMatchObject({ status: 'completed', file_counts: { completed: 3, total: 3 } });
    const names = async (body: Omit<OpenAI.VectorStoreSearchParams, 'query'>) =>
      (await openai.vectorStores.search(store.id, { query: 'warranty', ...body })).data
        .map((one) => one.filename)
        .sort();
    expect(await names({})).toEqual(['chair.txt', 'food.txt', 'lamp.md']);
    expect(await names({ filters: { type: 'eq', key: 'kind', value: 'lamp' } })).toEqual(['lamp.md']);
    expect(await names({ filters: { type: 'ne', key: 'kind', value: 'lamp' } })).toEqual(['chair.txt', 'food.txt']);
    expect(await names({ filters: { type: 'lt', key: 'year', value: 2021 } })).toEqual(['chair.txt']);
    expect(await names({ filters: { type: 'gt', key: 'kind', value: 3 } })).toEqual([]);
    expect(await names({ filters: { type: 'in', key: 'year', value: [2020, 2024] } })).toEqual([
      'chair.txt',
      'lamp.md',
    ]);
    const either = [
      { type: 'eq', key: 'year', value: 2024 },
      { type: 'eq', key: 'kind', value: 'chair' },
    ] as const;
    expect(await names({ filters: { type: 'or', filters: [...either] } })).toEqual(['chair.txt', 'lamp.md']);
    expect(await names({ filters: { type: 'and', filters: [...either] } })).toEqual([]);
    expect(await names({ ranking_options: { score_threshold: 0.999 } })).toEqual([]);
    expect(await names({ max_num_results: 1 })).toHaveLength(1);
  });

  it('cuts by tokens when it is told to', async () => {
    const sentences = Array.from({ length: 40 }, (_, i) => `Sentence number ${i} speaks about item ${i}.`).join(' ');
    const store = await openai.vectorStores.create({
      file_ids: [await file(sentences, 'many.txt')],
      chunking_strategy: { type: 'static', static: { max_chunk_size_tokens: 40, chunk_overlap_tokens: 0 } },
    });
    await expect.poll(async () => (await openai.vectorStores.retrieve(store.id)).status).toBe('completed');
    const [{ id, chunking_strategy }] = (await openai.vectorStores.files.list(store.id)).data;
    expect(chunking_strategy).toMatchObject({ static: { max_chunk_size_tokens: 40 } });
    const parts = (await openai.vectorStores.files.content(id, { vector_store_id: store.id })).data;
    expect(parts.length).toBeGreaterThan(5);
    const { tokenizer } = gateway.loaded.model;
    for (const { text } of parts) expect(tokenizer.encode(text!).length).toBeLessThanOrEqual(40);
  });

  it('says why a file could not be read', async () => {
    const store = await openai.vectorStores.create({});
    const add = async (content: string, name: string) =>
      openai.vectorStores.files.createAndPoll(store.id, { file_id: await file(content, name) }, poll);
    expect(await add('x', 'program.exe')).toMatchObject({ status: 'failed', last_error: { code: 'unsupported_file' } });
    expect(await add('   ', 'blank.txt')).toMatchObject({ status: 'failed', last_error: { code: 'invalid_file' } });
    expect((await openai.vectorStores.retrieve(store.id)).file_counts).toMatchObject({ failed: 2 });
  });

  it('updates, pages in both directions, and deletes', async () => {
    const other = gateway.client(await gateway.createKey('Vera', 'user'));
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) ids.push((await other.vectorStores.create({ name })).id);
    const seen: string[] = [];
    for await (const store of other.vectorStores.list({ limit: 3, order: 'asc' })) seen.push(store.id);
    expect(seen).toEqual(ids);
    const before = await other.vectorStores.list({ order: 'asc', before: ids[3], limit: 2 });
    expect(before.data.map((store) => store.id)).toEqual([ids[1], ids[2]]);
    const changed = await other.vectorStores.update(ids[0], {
      name: 'z',
      expires_after: { anchor: 'last_active_at', days: 2 },
    });
    expect(changed).toMatchObject({ name: 'z', expires_at: changed.last_active_at! + 2 * 86_400 });
    await gateway.dataSource.query(`update vector_store set last_active_at = now() - interval '3 days' where id = $1`, [
      ids[0],
    ]);
    await expect(other.vectorStores.retrieve(ids[0])).rejects.toMatchObject({ status: 404 });
    expect(await other.vectorStores.delete(ids[1])).toMatchObject({ deleted: true });
    await expect(other.vectorStores.retrieve(ids[1])).rejects.toMatchObject({ status: 404 });
    await expect(openai.vectorStores.retrieve(ids[2])).rejects.toMatchObject({ status: 404 });
    await expect(openai.vectorStores.search(ids[2], { query: 'x' })).rejects.toMatchObject({ status: 404 });
  });

  it('takes back files that were not read yet, and survives its files', async () => {
    const store = await openai.vectorStores.create({});
    const lampId = await file(lamp, 'lamp.md');
    await openai.vectorStores.files.createAndPoll(store.id, { file_id: lampId }, poll);
    await openai.files.delete(lampId);
    await expect(openai.vectorStores.files.retrieve(lampId, { vector_store_id: store.id })).rejects.toMatchObject({
      status: 404,
    });
    const waiting = await openai.vectorStores.fileBatches.create(store.id, {
      file_ids: [await file(chair, 'chair.txt')],
    });
    const cancelled = await openai.vectorStores.fileBatches.cancel(waiting.id, { vector_store_id: store.id });
    expect(cancelled.status).toBe('cancelled');
    expect(cancelled.file_counts.in_progress).toBe(0);
    await expect(openai.vectorStores.files.create(store.id, { file_id: 'file-none' })).rejects.toMatchObject({
      status: 400,
      param: 'file_id',
    });
  });

  describe('by meaning', () => {
    // The client's types have it for the file_search tool only.
    const hybrid = (embedding_weight: number, text_weight: number) =>
      ({ ranking_options: { hybrid_search: { embedding_weight, text_weight } } }) as Omit<
        OpenAI.VectorStoreSearchParams,
        'query'
      >;
    const texts = {
      'lamp.txt': 'The warranty of the Falcon lamp is seven years.',
      'soup.txt': 'Boil the onions slowly, then add the broth and a little salt.',
      'chair.txt': chair,
    };
    const search = async (store: string, query: string, options = hybrid(1, 0)) =>
      (await openai.vectorStores.search(store, { ...options, query })).data;
    const storeOf = async (files: Record<string, string>) => {
      const file_ids = await Promise.all(Object.entries(files).map(([name, text]) => file(text, name)));
      const store = await openai.vectorStores.create({ file_ids });
      await expect.poll(async () => (await openai.vectorStores.retrieve(store.id)).status).toBe('completed');
      return store.id;
    };
    const vectors = (store: string): Promise<{ bytes: number | null; vectors: string }[]> =>
      gateway.dataSource.query(
        `select length(vector) as bytes, vectors from vector_store_passage
         join vector_store_file using (store_id, file_id) where store_id = $1`,
        [store],
      );

    it('makes vectors when they are first asked for, and finds a passage by its own text', async () => {
      const store = await storeOf(texts);
      expect((await search(store, 'warranty', {} as never)).length).toBe(2);
      expect(new Set((await vectors(store)).map((row) => `${row.vectors} ${row.bytes}`))).toEqual(
        new Set(['none null']),
      );
      for (const [name, text] of Object.entries(texts)) {
        const [first, ...rest] = await search(store, text);
        expect([first.filename, first.score]).toEqual([name, 1]);
        expect(first.content[0].text).toBe(text);
        expect(rest.map(({ score }) => score)).toEqual(rest.map((_, i) => expect.closeTo(61 / (62 + i), 10)));
      }
      const dimensions = (
        await openai.embeddings.create({ model: gateway.model, input: 'x', encoding_format: 'float' })
      ).data[0].embedding.length;
      expect(new Set((await vectors(store)).map(({ bytes }) => bytes))).toEqual(new Set([4 * dimensions]));
    });

    it('weighs words and meaning, filters, and holds to the threshold', async () => {
      const store = await storeOf(texts);
      const query = 'Boil the onions slowly warranty Falcon';
      const byWords = (await search(store, query, hybrid(0, 1))).map(({ filename }) => filename);
      const heavyOnWords = (await search(store, query, hybrid(0.001, 1))).map(({ filename }) => filename);
      expect(heavyOnWords.slice(0, byWords.length)).toEqual(byWords);
      const byMeaning = (await search(store, query)).map(({ filename }) => filename);
      const heavyOnMeaning = (await search(store, query, hybrid(1, 0.0001))).map(({ filename }) => filename);
      expect(heavyOnMeaning).toEqual(byMeaning);
      const strict = { ranking_options: { score_threshold: 0.99, ...hybrid(1, 0).ranking_options } };
      expect(await search(store, texts['soup.txt'], strict as never)).toHaveLength(1);
      const [{ file_id }] = await search(store, texts['soup.txt']);
      await openai.vectorStores.files.update(file_id, { vector_store_id: store, attributes: { kind: 'soup' } });
      const filters = { type: 'ne', key: 'kind', value: 'soup' } as const;
      const others = await search(store, texts['soup.txt'], { ...hybrid(1, 0), filters });
      expect(others.map(({ filename }) => filename).sort()).toEqual(['chair.txt', 'lamp.txt']);
      const used = async () =>
        (await gateway.api(gateway.userKey, 'GET', '/api/usage?days=1')).body.data[0].num_requests;
      const before = await used();
      await search(store, query);
      await search(store, query, hybrid(0, 1));
      expect((await used()) - before, 'what ran the model counts').toBe(1);
      await expect(search(store, 'x', hybrid(0, 0))).rejects.toMatchObject({ status: 400 });
      await expect(search(store, 'x', hybrid(-1, 2))).rejects.toMatchObject({ status: 400 });
    });

    it('covers files that are added later, and makes anew what another model has made', async () => {
      const store = await storeOf({ 'lamp.txt': texts['lamp.txt'] });
      await search(store, 'lamp');
      await openai.vectorStores.files.createAndPoll(
        store,
        { file_id: await file(texts['soup.txt'], 'soup.txt') },
        poll,
      );
      expect((await search(store, texts['soup.txt']))[0].filename).toBe('soup.txt');
      const made = (): Promise<{ hex: string }[]> =>
        gateway.dataSource.query(
          `select encode(vector, 'hex') as hex from vector_store_passage where store_id = $1 order by file_id, ordinal`,
          [store],
        );
      const before = await made();
      await gateway.dataSource.query(`update vector_store_file set vectors_of = 'other' where store_id = $1`, [store]);
      await gateway.dataSource.query(
        `update vector_store_passage set vector = '\\x0000803f'::bytea where store_id = $1`,
        [store],
      );
      expect((await search(store, texts['soup.txt']))[0]).toMatchObject({ filename: 'soup.txt', score: 1 });
      expect(await made()).toEqual(before);
      expect(before[0].hex.length).toBeGreaterThan(8);
    });

    it('says to come again when the vectors take longer than a request may wait', async () => {
      const store = await storeOf(texts);
      await gateway.dataSource.query(
        `update vector_store_file set leased_until = clock_timestamp() + interval '1 hour', lease_owner = 'slow',
           vectors = 'wanted' where store_id = $1`,
        [store],
      );
      await expect(search(store, 'lamp')).rejects.toMatchObject({ status: 503, code: 'vectors_not_ready' });
      expect((await search(store, 'lamp', {} as never))[0].filename).toBe('lamp.txt');
    });
  });
});
