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
