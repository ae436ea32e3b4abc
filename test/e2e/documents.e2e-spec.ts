import { CompletionRepository } from '@attune/persistence';
import { groundMessages } from '@attune/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelChats, noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const fact = 'The warranty of the Falcon lamp is 7 years. The Falcon lamp is made in Rome.';
const question = 'How long is the warranty of the Falcon lamp?';

describe.skipIf(!testModel)(`documents (${testModel ? 'cited by real answers' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { CHUNK_CHARACTERS: '150' } });
  });
  afterAll(() => gateway?.close());

  const upload = (name: string, content: string | Uint8Array<ArrayBuffer>, key = gateway.adminKey) => {
    const form = new FormData();
    form.set('file', new File([content], name));
    return gateway.api(key, 'POST', '/api/documents', form);
  };
  const ask = (fields: object = {}) =>
    gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: question }],
      temperature: 0,
      max_tokens: 24,
      ...fields,
    });

  it('takes an upload, lists it, and finds its passages', async () => {
    const added = await upload('falcon.md', `${fact}\n\n# Care\n\nWipe the shade with a dry cloth every month.`);
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ object: 'document', filename: 'falcon.md', mime_type: 'text/markdown' });
    const list = await gateway.api(gateway.userKey, 'GET', '/api/documents');
    expect(list.body.data.map((one: { id: string }) => one.id)).toEqual([added.body.id]);
    expect((await gateway.api(gateway.userKey, 'GET', `/api/documents/${added.body.id}`)).body).toEqual(added.body);
    const found = await gateway.api(gateway.userKey, 'GET', `/api/documents/search?q=${encodeURIComponent(question)}`);
    expect(found.body.data[0]).toMatchObject({
      document_id: added.body.id,
      text: expect.stringContaining('7 years'),
    });
    expect(
      (await upload('falcon.md', `${fact}\n\n# Care\n\nWipe the shade with a dry cloth every month.`)).body.id,
    ).toBe(added.body.id);
  });

  it('grounds the answer in the passages, cites them, and logs both', async () => {
    const answer = (await ask()) as Awaited<ReturnType<typeof ask>> & {
      citations: { quote: string; filename: string }[];
    };
    expect(answer.citations[0]).toMatchObject({
      index: 1,
      filename: 'falcon.md',
      quote: expect.stringContaining('7 years'),
    });
    const row = await new CompletionRepository(gateway.dataSource).get(answer.id);
    expect(row.messages).toEqual([{ role: 'user', content: question }]);
    expect(row.citations).toEqual(answer.citations);
    const prompt = gateway.loaded.model.tokenizer.encodeChat(
      groundMessages(
        row.messages,
        row.citations.map((citation) => citation.quote),
      ),
      { addGenerationPrompt: true },
    );
    expect(row.promptTokenIds).toEqual(prompt);
  });

  it.skipIf(!modelChats)('answers with what the passage says', async () => {
    expect((await ask()).choices[0].message.content).toContain('7 years');
  });

  it('carries citations in the last chunk of a stream', async () => {
    const stream = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: question }],
      max_tokens: 4,
      stream: true,
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk as typeof chunk & { citations?: object[] });
    expect(chunks.at(-1)!.citations).toHaveLength(1);
    expect(chunks.slice(0, -1).every((chunk) => chunk.citations === undefined)).toBe(true);
  });

  it('leaves documents out when asked to, and when they have nothing to say', async () => {
    expect(await ask({ metadata: { retrieval: 'off' } })).not.toHaveProperty('citations');
    const greeting = await ask({ messages: [{ role: 'user', content: 'Hello, how are you today?' }] });
    expect(greeting).not.toHaveProperty('citations');
  });

  it('puts no more passages into the prompt than the context has room for', async () => {
    const long = Array.from({ length: 400 }, (_, index) => `Tandem sentence number ${index} is about tandem wheels.`);
    await upload('tandem.txt', long.join('\n\n'));
    const answer = await ask({ messages: [{ role: 'user', content: 'Tell me about tandem wheels.' }], max_tokens: 8 });
    const row = await new CompletionRepository(gateway.dataSource).get(answer.id);
    expect(row.citations.length).toBeGreaterThan(0);
    expect(row.promptTokens).toBeLessThan(gateway.loaded.model.context);
  });

  it('refuses what it cannot read with a sentence, and never opens a path of the client’s', async () => {
    expect(await upload('tool.exe', 'MZ')).toMatchObject({ status: 400 });
    expect((await upload('scan.pdf', 'not a pdf')).body.error.message).toMatch(/PDF/);
    const sneaky = await upload('../../../etc/passwd.txt', 'Root of all evil is a phrase.');
    expect(sneaky.body.filename).toBe('passwd.txt');
    const none = await gateway.api(gateway.adminKey, 'POST', '/api/documents', { file: 'x' });
    expect(none).toMatchObject({ status: 400, body: { error: { param: 'file' } } });
  });

  it('lets only admins add and remove, and forgets what is removed', async () => {
    expect((await upload('mine.txt', 'Users do not upload.', gateway.userKey)).status).toBe(403);
    const { body } = await gateway.api(gateway.userKey, 'GET', '/api/documents');
    const falcon = body.data.find((one: { filename: string }) => one.filename === 'falcon.md').id;
    expect((await gateway.api(gateway.reviewerKey, 'DELETE', `/api/documents/${falcon}`)).status).toBe(403);
    expect((await gateway.api(gateway.adminKey, 'DELETE', `/api/documents/${falcon}`)).status).toBe(204);
    expect(await ask()).not.toHaveProperty('citations');
  });
});

describe.skipIf(!testModel)('upload limits', () => {
  it('refuses a file above UPLOAD_LIMIT_BYTES', async () => {
    const gateway = await startTestGateway({ env: { UPLOAD_LIMIT_BYTES: '2000' } });
    const form = new FormData();
    form.set('file', new File(['word '.repeat(1_000)], 'big.txt'));
    const answer = await gateway.api(gateway.adminKey, 'POST', '/api/documents', form);
    expect(answer).toMatchObject({
      status: 413,
      body: { error: { message: expect.stringContaining('UPLOAD_LIMIT_BYTES') } },
    });
    await gateway.close();
  });
});
