import { createHash, randomBytes } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const lines = '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n';

describe.skipIf(!testModel)(`files and uploads (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { UPLOAD_LIMIT_BYTES: '3000000', FILE_LIMIT_BYTES: '8000000' } });
    openai = gateway.openai;
  });
  afterAll(() => gateway?.close());

  const create = (content: string | Buffer, name = 'rows.jsonl', purpose: OpenAI.FilePurpose = 'fine-tune') =>
    toFile(typeof content === 'string' ? Buffer.from(content) : content, name).then((file) =>
      openai.files.create({ file, purpose }),
    );

  it('stores a file, lists it, gives its bytes back, and deletes it', async () => {
    const file = await create(lines);
    expect(file).toMatchObject({ object: 'file', bytes: lines.length, filename: 'rows.jsonl', purpose: 'fine-tune' });
    expect(await openai.files.retrieve(file.id)).toEqual(file);
    expect(await (await openai.files.content(file.id)).text()).toBe(lines);
    expect(await openai.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    await expect(openai.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(openai.files.content(file.id)).rejects.toMatchObject({ status: 404 });
  });

  it('pages through files by cursor, purpose and order', async () => {
    const made = [];
    for (let i = 0; i < 5; i++) made.push((await create(`${i}`, `note ${i}.txt`, 'user_data')).id);
    const ids = async (query: OpenAI.FileListParams) => {
      const seen: string[] = [];
      for await (const file of openai.files.list(query)) seen.push(file.id);
      return seen;
    };
    expect(await ids({ purpose: 'user_data', order: 'asc', limit: 2 })).toEqual(made);
    expect(await ids({ purpose: 'user_data', limit: 2 })).toEqual(made.toReversed());
    expect(await ids({ purpose: 'evals' })).toEqual([]);
    await expect(openai.files.list({ limit: 0 })).rejects.toMatchObject({ status: 400, param: 'limit' });
  });

  it('shows nobody another user’s files', async () => {
    const file = await create('secret', 'secret.txt', 'user_data');
    const other = gateway.client(await gateway.createKey('Otto', 'user'));
    await expect(other.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(other.files.content(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(other.files.delete(file.id)).rejects.toMatchObject({ status: 404 });
    expect((await other.files.list()).data).toEqual([]);
  });

  it('gives files an end when asked to', async () => {
    const file = await openai.files.create({
      file: await toFile(Buffer.from('x'), 'x.txt'),
      purpose: 'user_data',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
    expect(file.expires_at).toBe(file.created_at + 3600);
    const forBatch = await create('{}', 'b.jsonl', 'batch');
    expect(forBatch.expires_at).toBe(forBatch.created_at + 30 * 86_400);
    await gateway.dataSource.query(`update stored_file set expires_at = now() - interval '1 s' where id = $1`, [
      file.id,
    ]);
    await expect(openai.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
  });

  it.each([
    ['broken lines', '{"a":', 'rows.jsonl', 'fine-tune', 'Line 1'],
    ['another format', 'a,b', 'rows.csv', 'batch', '.jsonl'],
    ['an unknown purpose', lines, 'rows.jsonl', 'world-peace', '`purpose`'],
  ])('refuses %s', async (_, content, name, purpose, reason) => {
    await expect(create(content, name, purpose as OpenAI.FilePurpose)).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(reason),
    });
  });

  it('refuses what is too large, naming the way out', async () => {
    await expect(create(Buffer.alloc(3_000_001), 'big.bin', 'user_data')).rejects.toMatchObject({
      status: 413,
      message: expect.stringContaining('/v1/uploads'),
    });
    const form = new FormData();
    form.set('purpose', 'user_data');
    expect((await gateway.api(gateway.userKey, 'POST', '/v1/files', form)).status).toBe(400);
    expect((await gateway.api(gateway.userKey, 'POST', '/v1/files', { purpose: 'user_data' })).status).toBe(400);
  });

  describe('uploads', () => {
    const content = randomBytes(5_500_000);
    const announce = (bytes = content.length) =>
      openai.uploads.create({
        bytes,
        filename: 'large.bin',
        mime_type: 'application/octet-stream',
        purpose: 'user_data',
      });
    const part = async (id: string, from: number, to: number) =>
      (await openai.uploads.parts.create(id, { data: await toFile(content.subarray(from, to), 'part') })).id;

    it('puts a file together from parts in the order named', async () => {
      const upload = await announce();
      expect(upload).toMatchObject({ object: 'upload', status: 'pending', file: null });
      const last = await part(upload.id, 4_000_000, content.length);
      const first = await part(upload.id, 0, 2_000_000);
      const middle = await part(upload.id, 2_000_000, 4_000_000);
      const md5 = createHash('md5').update(content).digest('hex');
      const done = await openai.uploads.complete(upload.id, { part_ids: [first, middle, last], md5 });
      expect(done).toMatchObject({ status: 'completed', file: { bytes: content.length, filename: 'large.bin' } });
      const found = Buffer.from(await (await openai.files.content(done.file!.id)).arrayBuffer());
      expect(found.equals(content)).toBe(true);
      await expect(part(upload.id, 0, 10)).rejects.toMatchObject({ status: 409 });
    });

    it('completes nothing that is not what was announced', async () => {
      const upload = await announce(2000);
      const first = await part(upload.id, 0, 1000);
      await expect(openai.uploads.complete(upload.id, { part_ids: [first] })).rejects.toMatchObject({ status: 400 });
      await expect(part(upload.id, 0, 1001)).rejects.toMatchObject({ status: 400 });
      const second = await part(upload.id, 1000, 2000);
      await expect(openai.uploads.complete(upload.id, { part_ids: [first, first] })).rejects.toMatchObject({
        status: 400,
      });
      await expect(
        openai.uploads.complete(upload.id, { part_ids: [first, second], md5: '0'.repeat(32) }),
      ).rejects.toMatchObject({ status: 400, param: 'md5' });
      expect((await openai.uploads.cancel(upload.id)).status).toBe('cancelled');
      await expect(openai.uploads.complete(upload.id, { part_ids: [first, second] })).rejects.toMatchObject({
        status: 409,
      });
    });

    it('refuses more than FILE_LIMIT_BYTES before a byte is sent', async () => {
      await expect(announce(8_000_001)).rejects.toMatchObject({ status: 413, param: 'bytes' });
    });
  });
});

describe.skipIf(!testModel)(`many uploads at once (${testModel ? 'of few connections' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { DATABASE_POOL_SIZE: '3', UPLOAD_LIMIT_BYTES: '3000000' } });
  });
  afterAll(() => gateway?.close());

  const announce = (bytes: number) =>
    gateway.openai.uploads.create({ bytes, filename: 'a.bin', mime_type: 'x/y', purpose: 'user_data' });
  const add = async (id: string, content: Buffer) =>
    gateway.openai.uploads.parts.create(id, { data: await toFile(content, 'part') });
  const normalRequest = async () => {
    const started = performance.now();
    await gateway.openai.files.list();
    return performance.now() - started;
  };
  const partsOf = (id: string): Promise<{ whole: boolean }[]> =>
    gateway.dataSource.query('select whole from upload_part where upload_id = $1', [id]);

  it('leave connections to everybody else', async () => {
    const content = randomBytes(8 * 300_000);
    const upload = await announce(content.length);
    const other = gateway.dataSource.createQueryRunner();
    await other.startTransaction();
    // Somebody holds the upload, so that every part has to wait for its end.
    await other.query('select 1 from upload where id = $1 for no key update', [upload.id]);
    const parts = Array.from({ length: 8 }, (_, i) => add(upload.id, content.subarray(i * 300_000, (i + 1) * 300_000)));
    await expect.poll(async () => (await partsOf(upload.id)).length).toBe(8);
    for (let time = 0; time < 5; time++) expect(await normalRequest()).toBeLessThan(2_000);
    expect((await partsOf(upload.id)).some(({ whole }) => whole)).toBe(false);
    await other.commitTransaction();
    await other.release();
    const ids = (await Promise.all(parts)).map(({ id }) => id);
    const done = await gateway.openai.uploads.complete(upload.id, { part_ids: ids });
    const found = Buffer.from(await (await gateway.openai.files.content(done.file!.id)).arrayBuffer());
    expect(found.equals(content)).toBe(true);
  });

  it('hold none while their bytes come slowly, and leave nothing behind when they break off', async () => {
    const upload = await announce(20_000_000);
    const going = new AbortController();
    const slow = Array.from({ length: 6 }, () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          const head = '--b\r\ncontent-disposition: form-data; name="data"; filename="part"\r\n\r\n';
          controller.enqueue(Buffer.from(head));
          controller.enqueue(randomBytes(1_500_000));
        },
      });
      return fetch(`${gateway.baseUrl}/v1/uploads/${upload.id}/parts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.userKey}`, 'content-type': 'multipart/form-data; boundary=b' },
        body,
        signal: going.signal,
        duplex: 'half',
      } as RequestInit).catch((error: Error) => error.name);
    });
    const pieces = () =>
      gateway.dataSource.query('select 1 from file_piece join upload_part on id = part_id where upload_id = $1', [
        upload.id,
      ]);
    // The first megabyte of each is written, before the rest has come.
    await expect.poll(async () => (await pieces()).length, { timeout: 20_000 }).toBe(6);
    expect(await normalRequest()).toBeLessThan(2_000);
    going.abort();
    expect(await Promise.all(slow)).toEqual(Array(6).fill('AbortError'));
    await expect.poll(() => partsOf(upload.id)).toEqual([]);
    expect(await pieces()).toEqual([]);
  });

  it('are told at once when the upload has ended or they are too large, however much they send', async () => {
    const upload = await announce(1_000);
    await expect(add(upload.id, randomBytes(2_900_000))).rejects.toMatchObject({ status: 400, param: 'data' });
    await expect(add(upload.id, randomBytes(3_100_000))).rejects.toMatchObject({ status: 400, param: 'data' });
    await gateway.openai.uploads.cancel(upload.id);
    await expect(add(upload.id, randomBytes(2_900_000))).rejects.toMatchObject({ status: 409 });
    const large = await announce(9_000_000);
    await expect(add(large.id, randomBytes(3_100_000))).rejects.toMatchObject({ status: 413 });
    expect(await partsOf(large.id)).toEqual([]);
  });
});
