import { randomBytes } from 'node:crypto';
import { FileRepository } from '@attune/persistence';
import { toFile, type default as OpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

describe.skipIf(!testModel)(`files and parts as they come (${testModel ? 'over few connections' : noModel})`, () => {
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
  /** A form whose file never ends by itself: a megabyte and a half of it, and more on demand. */
  const sendSlowly = (path: string, field: string, signal: AbortSignal, filename = 'part') => {
    let more: (bytes: Uint8Array | null) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const head = `--b\r\ncontent-disposition: form-data; name="${field}"; filename="${filename}"\r\n\r\n`;
        controller.enqueue(Buffer.from(head));
        controller.enqueue(randomBytes(1_500_000));
        more = (bytes) => (bytes ? controller.enqueue(bytes) : controller.close());
      },
    });
    const answer = fetch(gateway.baseUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.userKey}`, 'content-type': 'multipart/form-data; boundary=b' },
      body,
      signal,
      duplex: 'half',
    } as RequestInit).then(
      async (response) => ({ status: response.status, body: (await response.json()) as OpenAI.FileObject }),
      (error: Error) => error.name,
    );
    const fieldOf = (name: string, value: string) =>
      Buffer.from(`\r\n--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--b--\r\n`);
    const finish = (purpose: string) => {
      more(fieldOf('purpose', purpose));
      more(null);
    };
    return { answer, more, finish };
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
    const path = `/v1/uploads/${upload.id}/parts`;
    const slow = Array.from({ length: 6 }, () => sendSlowly(path, 'data', going.signal).answer);
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

  describe('files', () => {
    const stored = (): Promise<{ whole: boolean; pieces: number }[]> =>
      gateway.dataSource.query(
        `select whole, (select count(*)::int from file_piece p where p.file_id = f.id) as pieces
         from stored_file f where filename = 'slow.bin'`,
      );

    it('are written before they have come to their end, and seen by nobody until then', async () => {
      const going = new AbortController();
      const sent = sendSlowly('/v1/files', 'file', going.signal, 'slow.bin');
      await expect.poll(stored, { timeout: 20_000 }).toEqual([{ whole: false, pieces: 1 }]);
      const list = () => gateway.openai.files.list().then(({ data }) => data.map(({ filename }) => filename));
      expect(await list()).not.toContain('slow.bin');
      sent.more(Buffer.from('the end'));
      sent.finish('user_data');
      expect(await sent.answer).toMatchObject({ status: 200, body: { bytes: 1_500_007, purpose: 'user_data' } });
      expect(await list()).toContain('slow.bin');
      const { body } = (await sent.answer) as { body: OpenAI.FileObject };
      const found = Buffer.from(await (await gateway.openai.files.content(body.id)).arrayBuffer());
      expect([found.length, found.subarray(-7).toString()]).toEqual([1_500_007, 'the end']);
      await gateway.openai.files.delete(body.id);
    });

    it('leave nothing when they break off, are too large, or are said to be something else behind their bytes', async () => {
      const going = new AbortController();
      const broken = sendSlowly('/v1/files', 'file', going.signal, 'slow.bin');
      await expect.poll(async () => (await stored()).length, { timeout: 20_000 }).toBe(1);
      going.abort();
      expect(await broken.answer).toBe('AbortError');
      await expect.poll(stored).toEqual([]);

      const never = new AbortController().signal;
      const large = sendSlowly('/v1/files', 'file', never, 'slow.bin');
      large.more(randomBytes(1_600_000));
      large.finish('user_data');
      expect(await large.answer).toMatchObject({ status: 413, body: { error: { code: 'too_large', param: 'file' } } });
      for (const purpose of ['batch', 'world-peace']) {
        const wrong = sendSlowly('/v1/files', 'file', never, 'slow.bin');
        wrong.finish(purpose);
        expect(await wrong.answer).toMatchObject({ status: 400 });
      }
      expect(await stored()).toEqual([]);
    });

    it('of a gateway that was killed under way are swept up', async () => {
      const [{ user_id: userId }] = await gateway.dataSource.query('select user_id from upload limit 1');
      const files = new FileRepository(gateway.dataSource);
      const [old, young] = [
        await files.receive(userId, 'slow.bin', bytes()),
        await files.receive(userId, 'slow.bin', bytes()),
      ];
      await gateway.dataSource.query(`update stored_file set created_at = now() - interval '7 hours' where id = $1`, [
        old.id,
      ]);
      expect(await files.removeExpired()).toBe(1);
      expect(await files.complete(young, { purpose: 'user_data' })).toMatchObject({ bytes: 2, whole: true });
      await files.remove(young.id, userId);
    });
  });
});

async function* bytes() {
  yield Buffer.from('ab');
}
