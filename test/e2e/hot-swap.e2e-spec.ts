import path from 'node:path';
import { CheckpointStore } from '@attune/checkpoint';
import type { EngineHost } from '@attune/engine';
import { CompletionRepository, type Checkpoint } from '@attune/persistence';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { publishAdapter, publishFull } from '../support/publish-checkpoint.js';

const STREAMS = 16;

describe.skipIf(!testModel)(`weights under load (${testModel ? 'swapped under a real engine' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true, env: { ENGINE_MAX_ADAPTERS: '2' } });
  });
  afterAll(() => gateway?.close());

  const admin = (method: string, place: string) => gateway.api(gateway.adminKey, method, place);
  const promote = (id: string) => admin('POST', `/api/checkpoints/${id}/promote`);
  const host = () => gateway.loaded.engine as unknown as EngineHost;

  const ask = async (topic: string, maxTokens = 24, model = gateway.model) => {
    const answer = await gateway.openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: `Tell me about ${topic}.` }],
      temperature: 0,
      max_tokens: maxTokens,
    });
    const { message, finish_reason } = answer.choices[0]!;
    return { id: answer.id, text: message.content, fingerprint: answer.system_fingerprint, finish: finish_reason };
  };

  it('answers to the names of checkpoints, live or not, side by side', async () => {
    const [one, two, three] = await Promise.all([1, 2, 3].map((seed) => publishAdapter(gateway, seed)));
    const base = await ask('dogs');
    const named = (checkpoint: Checkpoint) => `${gateway.model}:${checkpoint.id}`;
    const answers = await Promise.all(
      [named(one), two.id, named(three), `${gateway.model}:base`, gateway.model].map((model) => ask('dogs', 24, model)),
    );
    expect(answers.map(({ fingerprint }) => fingerprint)).toEqual([
      ...[one, two, three].map(({ weightsDigest }) => weightsDigest),
      base.fingerprint,
      base.fingerprint,
    ]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(4);
    const completions = new CompletionRepository(gateway.dataSource);
    expect((await completions.get(answers[1]!.id)).checkpointId).toBe(two.id);

    const listed = async () => (await gateway.openai.models.list()).data.map(({ id }) => id);
    await expect.poll(listed).toHaveLength(3); // the model, and as many checkpoints as may stay
    expect((await gateway.openai.models.retrieve(named(one))).id).toBe(named(one));
    await expect(ask('dogs', 4, `${gateway.model}:ckpt_none`)).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    expect((await ask('dogs', 24, named(one))).text).toBe(answers[0]!.text);
  });

  it('takes in a full fine-tune and gives it back without a failed request', async () => {
    const full = await publishFull(gateway);
    const base = await ask('cats', 60);
    const answers: Promise<Awaited<ReturnType<typeof ask>>>[] = [];
    let open = 0;
    // A slow machine must not be asked for more than a key may have at once.
    const keepAsking = setInterval(() => {
      if (open >= STREAMS) return;
      open += 1;
      answers.push(ask('cats', 60).finally(() => (open -= 1)));
    }, 40);
    try {
      expect(await promote(full.id)).toMatchObject({ status: 200 });
      const live = await ask('cats', 60);
      expect(live.fingerprint).toBe(full.weightsDigest);
      expect(live.text).not.toBe(base.text);
      expect(await promote('base')).toMatchObject({ status: 200 });
      const all = [...(await Promise.all(answers)), live];
      expect(all.every(({ finish }) => finish === 'length')).toBe(true);
      for (const { fingerprint, text } of all)
        expect(text).toBe(fingerprint === full.weightsDigest ? live.text : base.text);
    } finally {
      clearInterval(keepAsking);
    }
    await Promise.all(answers);
    expect((await ask('cats', 60)).text).toBe(base.text);
  });

  it('serves adapters over a full fine-tune with it and beside it, and its vectors stay the base model’s', async () => {
    const full = await publishFull(gateway);
    const { modelDigest } = await new CheckpointStore(path.join(gateway.dataDir, 'checkpoints')).manifest(full.id);
    const [first, second] = [
      await publishAdapter(gateway, 8, modelDigest!),
      await publishAdapter(gateway, 9, modelDigest!),
    ];
    const foreign = await publishAdapter(gateway, 10, 'of another model');
    const embed = () => gateway.openai.embeddings.create({ model: gateway.model, input: 'One text.' });
    const vector = await embed();
    const plain = await ask('cats');
    expect(await promote(first.id)).toMatchObject({ status: 200 });
    const answers = [await ask('cats'), await ask('cats', 24, second.id), await ask('cats', 24, full.id)];
    expect(answers.map(({ fingerprint }) => fingerprint)).toEqual(
      [first, second, full].map(({ weightsDigest }) => weightsDigest),
    );
    expect(new Set([plain, ...answers].map(({ text }) => text)).size).toBe(4);
    expect(await embed()).toEqual(vector);
    expect(vector).toMatchObject({ system_fingerprint: plain.fingerprint });
    expect(await promote(foreign.id)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringMatching(/trained on other base weights/) as string } },
    });
    expect(await promote('base')).toMatchObject({ status: 200 });
    await expect(ask('cats', 4, first.id)).rejects.toMatchObject({ status: 409, code: 'model_not_served' });
    expect((await ask('cats')).text).toBe(plain.text);
  });

  it(`loses no word of ${STREAMS} answers when the engine is killed, and is back within 3 seconds`, async () => {
    const topics = Array.from({ length: STREAMS + 4 }, (_, i) => `the number ${i}`);
    const want = await Promise.all(topics.map((topic) => ask(topic, 120)));
    const started: (() => void)[] = [];
    const underWay = new Promise<void>((resolve) => started.push(resolve));
    let numStarted = 0;
    const stream = async (topic: string) => {
      let text = '';
      const chunks = await gateway.openai.chat.completions.create({
        model: gateway.model,
        messages: [{ role: 'user', content: `Tell me about ${topic}.` }],
        temperature: 0,
        max_tokens: 120,
        stream: true,
      });
      for await (const chunk of chunks) {
        if (text === '' && chunk.choices[0]?.delta.content && ++numStarted === STREAMS) started[0]!();
        text += chunk.choices[0]?.delta.content ?? '';
      }
      return text;
    };
    const streams = topics.map(stream);
    await underWay;
    const restarts = host().restarts;
    const killedAt = performance.now();
    process.kill(host().pid!, 'SIGKILL');
    await expect.poll(() => host().restarts > restarts && host().ready, { interval: 5, timeout: 20_000 }).toBe(true);
    const backMs = performance.now() - killedAt;
    expect(await Promise.all(streams)).toEqual(want.map(({ text }) => text));
    expect(backMs).toBeLessThan(3_000);
  });
});
