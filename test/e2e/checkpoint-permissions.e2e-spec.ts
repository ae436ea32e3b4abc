import { FineTuningRepository, type Checkpoint } from '@attune/persistence';
import type OpenAI from 'openai';
import type { ConversationItem } from 'openai/resources/realtime/realtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { publishAdapter } from '../support/publish-checkpoint.js';
import { openRealtime } from '../support/realtime.js';
import { jobConfig } from '../support/rows.js';

const HELLO: ConversationItem = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] };

describe.skipIf(!testModel)(`permissions of checkpoints (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let admin: OpenAI;
  let checkpoint: Checkpoint;
  let name: string;
  beforeAll(async () => {
    gateway = await startTestGateway();
    admin = withAdminApi(gateway.adminKey);
    checkpoint = await tuned(gateway.adminKey);
    name = `${gateway.model}:${checkpoint.id}`;
  });
  afterAll(() => gateway?.close());

  /** These endpoints take OpenAI's other kind of key; here there is one kind, and its user has a role. */
  const withAdminApi = (key: string) => gateway.client(key).withOptions({ adminAPIKey: key });
  const session = async (key: string) => (await gateway.api(key, 'GET', '/api/session')).body;
  /** The checkpoint of a fine-tuning job of this key's user. */
  async function tuned(key: string): Promise<Checkpoint> {
    const { asked } = await new FineTuningRepository(gateway.dataSource).create({
      userId: (await session(key)).user.id,
      model: gateway.model,
      trainingFile: 'file-x',
      validationFile: null,
      method: { type: 'supervised' } as never,
      suffix: null,
      metadata: null,
      config: { ...jobConfig, promotion: 'never' },
    });
    const made = await publishAdapter(gateway, 7);
    await gateway.dataSource.query('update checkpoint set job_id = $1 where id = $2', [asked.id, made.id]);
    return made;
  }
  const ask = (client: OpenAI, model = name) =>
    client.chat.completions
      .create({ model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 })
      .then(({ id }) => id && 'answered')
      .catch((error: { status: number; code: string }) => `${error.status} ${error.code}`);
  const NOT_THERE = '404 model_not_found';
  const listed = async (client: OpenAI) => (await client.models.list()).data.map(({ id }) => id);

  it('answer their owner and admins, and are not there for anybody else', async () => {
    expect(await ask(admin)).toBe('answered');
    const { system_fingerprint } = (await admin.responses.create({ model: name, input: 'Hi' })) as never as {
      system_fingerprint: string;
    };
    expect(system_fingerprint).toBe(checkpoint.weightsDigest);
    expect(await ask(gateway.openai)).toBe(NOT_THERE);
    expect(await ask(gateway.openai, checkpoint.id)).toBe(NOT_THERE);
    await expect(gateway.openai.responses.create({ model: name, input: 'Hi' })).rejects.toMatchObject({ status: 404 });
    await expect(gateway.openai.models.retrieve(name)).rejects.toMatchObject({ status: 404 });
    expect(await listed(gateway.openai)).not.toContain(name);
    expect(await listed(admin)).toContain(name);
    const own = await tuned(gateway.userKey);
    expect(await ask(gateway.openai, own.id)).toBe('answered');
  });

  it('are what a Realtime session answers from that names one', async () => {
    const { log, close } = await openRealtime(gateway, gateway.adminKey);
    const weights = async (model: string) => {
      log.send({ type: 'session.update', session: { type: 'realtime', model } });
      expect((await log.next('session.updated')).session).toMatchObject({ model });
      log.send({ type: 'response.create', response: { input: [HELLO], max_output_tokens: 1 } });
      const { response } = await log.next('response.done');
      const rows = await gateway.dataSource.query('select weights_digest from completion where id = $1', [response.id]);
      return (rows as { weights_digest: string }[])[0]!.weights_digest;
    };
    expect(await weights(name)).toBe(checkpoint.weightsDigest);
    expect(await weights(gateway.model)).not.toBe(checkpoint.weightsDigest);
    close();
    const stranger = await openRealtime(gateway);
    stranger.log.send({ type: 'session.update', session: { type: 'realtime', model: name } as never });
    stranger.log.send({ type: 'response.create', response: { input: [HELLO] } });
    expect((await stranger.log.next('error')).error.code).toBe('model_not_found');
    stranger.close();
  });

  it('let those in who are permitted, a user with all keys or one key, until it is taken back', async () => {
    const { permissions } = admin.fineTuning.checkpoints;
    const { user } = await session(gateway.userKey);
    const reviewer = gateway.client(gateway.reviewerKey);
    const keyId = (await session(gateway.reviewerKey)).key_id as string;
    const created = [];
    for await (const one of await permissions.create(name, { project_ids: [user.id, keyId] })) created.push(one);
    expect(created).toEqual(
      [user.id, keyId].map((project_id) => expect.objectContaining({ object: 'checkpoint.permission', project_id })),
    );
    expect(await Promise.all([ask(gateway.openai), ask(reviewer)])).toEqual(['answered', 'answered']);
    const again = await permissions.create(checkpoint.id, { project_ids: [user.id] });
    expect(again.data.map(({ id }) => id)).toEqual([created[0]!.id]);
    const page = await permissions.list(name, { limit: 1, order: 'ascending' });
    expect([page.data.length, page.has_more]).toEqual([1, true]);
    expect((await permissions.list(name, { project_id: keyId })).data).toEqual([created[1]]);
    const deleted = await permissions.delete(created[0]!.id, { fine_tuned_model_checkpoint: name });
    expect(deleted).toMatchObject({ id: created[0]!.id, deleted: true });
    expect(await Promise.all([ask(gateway.openai), ask(reviewer)])).toEqual([NOT_THERE, 'answered']);
  });

  it('are an admin’s to give, for projects and checkpoints that are there', async () => {
    const { permissions } = admin.fineTuning.checkpoints;
    const give = (client: OpenAI, to: string, model = name) =>
      client.fineTuning.checkpoints.permissions.create(model, { project_ids: [to] });
    await expect(give(withAdminApi(gateway.userKey), 'user_x')).rejects.toMatchObject({ status: 403 });
    await expect(give(admin, 'proj_x')).rejects.toMatchObject({ status: 400, param: 'project_ids' });
    await expect(give(admin, 'user_x', 'ckpt_none')).rejects.toMatchObject({ status: 404 });
    await expect(permissions.delete('cp_none', { fine_tuned_model_checkpoint: name })).rejects.toMatchObject({
      status: 404,
    });
  });

  it('nor can they go live: their gate asked for no evidence that they are better', async () => {
    const promoted = await gateway.api(gateway.adminKey, 'POST', `/api/checkpoints/${checkpoint.id}/promote`, {});
    expect([promoted.status, promoted.body.error.message]).toEqual([409, expect.stringContaining('`never`')]);
  });
});
