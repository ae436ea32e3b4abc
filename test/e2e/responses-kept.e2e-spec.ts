import { CompletionRepository } from '@attune/persistence';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { noModel, testModel } from '../support/gateway.js';
import { input, useResponses } from '../support/responses.js';

describe.skipIf(!testModel)(
  `Responses that are kept: gone on from, forgotten, read again (${testModel ? 'served for real' : noModel})`,
  () => {
    const { gateway, responses, asked, ask, refused } = useResponses();

    it('goes on from a response, and shows what the model was shown', async () => {
      const first = await ask({ instructions: 'Be brief.' });
      const second = await ask({ previous_response_id: first.id, input: [{ role: 'user', content: 'And then?' }] });
      const { messages } = await new CompletionRepository(gateway().dataSource).get(second.id);
      expect(messages).toEqual([
        { role: 'user', content: input },
        { role: 'assistant', content: first.output_text },
        { role: 'user', content: 'And then?' },
      ]);
      const items = [];
      for await (const item of responses().inputItems.list(second.id, { order: 'asc', limit: 2 })) items.push(item);
      expect(items).toMatchObject([
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] },
        { id: first.output[0]!.id, role: 'assistant', content: [{ type: 'output_text', text: first.output_text }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And then?' }] },
      ]);
      const latest = await responses().inputItems.list(second.id, { limit: 1 });
      expect(latest).toMatchObject({ has_more: true, data: [{ content: [{ text: 'And then?' }] }] });
    });

    it('takes items back by reference', async () => {
      const first = await ask();
      const reference = { type: 'item_reference' as const, id: first.output[0]!.id! };
      const second = await ask({
        input: [{ role: 'user', content: input }, reference, { role: 'user', content: 'On.' }],
      });
      const { messages } = await new CompletionRepository(gateway().dataSource).get(second.id);
      expect(messages[1]).toEqual({ role: 'assistant', content: first.output_text });
      expect(await refused({ input: [{ type: 'item_reference', id: 'msg_none' }] })).toMatchObject({
        status: 400,
        param: 'input.0.id',
      });
    });

    it('forgets a response, but not what later ones say of it', async () => {
      const first = await ask();
      const second = await ask({ previous_response_id: first.id, input: 'And then?' });
      await responses().delete(first.id);
      await expect(responses().retrieve(first.id)).rejects.toMatchObject({ status: 404 });
      await expect(responses().delete(first.id)).rejects.toMatchObject({ status: 404 });
      expect(await refused({ previous_response_id: first.id })).toMatchObject({ code: 'previous_response_not_found' });
      const third = await ask({ previous_response_id: second.id, input: 'And now?' });
      const { messages } = await new CompletionRepository(gateway().dataSource).get(third.id);
      expect(messages).toHaveLength(5);
    });

    it('keeps nothing that is not to be stored', async () => {
      const response = await ask({ store: false });
      expect(response).toMatchObject({ store: false });
      await expect(responses().retrieve(response.id)).rejects.toMatchObject({ status: 404 });
      expect(await refused({ previous_response_id: response.id })).toMatchObject({ status: 400 });
    });

    it('shows nobody the responses of others', async () => {
      const response = await ask();
      const { responses: theirs } = gateway().client(await gateway().createKey('Otto', 'user'));
      for (const call of [
        () => theirs.retrieve(response.id),
        () => theirs.inputItems.list(response.id),
        () => theirs.cancel(response.id),
        () => theirs.delete(response.id),
        () => theirs.retrieve(response.id, { stream: true }),
      ]) {
        await expect(call()).rejects.toMatchObject({ status: 404 });
      }
    });

    it('runs in the background', async () => {
      const queued = await ask({ background: true });
      expect(queued).toMatchObject({ status: 'queued', background: true, output: [] });
      await expect
        .poll(async () => (await responses().retrieve(queued.id)).status, { timeout: 20_000 })
        .toMatch(/completed|incomplete/);
      expect((await responses().retrieve(queued.id)).output_text).toBe((await ask()).output_text);
      expect(await refused({ background: true, store: false })).toMatchObject({ status: 400, param: 'store' });
    });

    it('replays a stream from any place', async () => {
      const stream = await responses().create({ ...asked(), stream: true, background: true });
      const events: OpenAI.Responses.ResponseStreamEvent[] = [];
      for await (const event of stream) events.push(event);
      expect(events.slice(0, 3).map(({ type }) => type)).toEqual([
        'response.created',
        'response.queued',
        'response.in_progress',
      ]);
      const { id } = (events[0] as OpenAI.Responses.ResponseCreatedEvent).response;
      const again = [];
      for await (const event of await responses().retrieve(id, { stream: true, starting_after: 4 })) again.push(event);
      expect(again).toEqual(events.slice(5));
      const helped = await responses().stream({ response_id: id, starting_after: 4 }).finalResponse();
      expect(helped.output_text).toBe((await responses().retrieve(id)).output_text);
      const over = [];
      const last = events.at(-1)!.sequence_number;
      for await (const event of await responses().retrieve(id, { stream: true, starting_after: last }))
        over.push(event);
      expect(over).toEqual([]);
      const unstreamed = await ask();
      await expect(responses().retrieve(unstreamed.id, { stream: true })).rejects.toMatchObject({
        status: 404,
        code: 'stream_not_kept',
      });
    });

    it('tells webhooks how what ran in the background has ended', async () => {
      const { webhooks } = gateway().client(gateway().adminKey);
      const url = 'http://127.0.0.1:9/nobody-listens';
      const types = ['response.completed', 'response.incomplete'] as const;
      await webhooks.create({ name: 'ends', url, event_types: [...types] });
      const { id } = await ask({ background: true });
      await ask();
      const told = () => gateway().dataSource.query('select type, subject_id from webhook_delivery');
      await expect
        .poll(told, { timeout: 10_000 })
        .toEqual([{ type: expect.stringMatching(/^response/), subject_id: id }]);
    });

    it('answers once, however often the same request comes with the same key', async () => {
      const headers = { 'Idempotency-Key': 'one' };
      const first = await responses().create(asked({ temperature: 1 }), { headers });
      const again = await responses().create(asked({ temperature: 1 }), { headers });
      expect(again.id).toBe(first.id);
      expect(again.output_text).toBe(first.output_text);
      await expect(responses().create(asked({ temperature: 0.5 }), { headers })).rejects.toMatchObject({
        status: 400,
        code: 'idempotency_key_reused',
      });
      const keyed = { headers: { 'Idempotency-Key': 'two' } };
      const ids = [];
      for (let count = 0; count < 2; count++) {
        for await (const event of await responses().create({ ...asked(), stream: true }, keyed)) {
          if (event.type === 'response.created') ids.push(event.response.id);
        }
      }
      expect(ids).toEqual([ids[0], ids[0]]);
      const both = await Promise.allSettled(
        ['', ''].map(() => responses().create(asked(), { headers: { 'Idempotency-Key': 'three' } })),
      );
      const answered = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []));
      expect(new Set(answered).size).toBe(1);
      for (const one of both) if (one.status === 'rejected') expect(one.reason).toMatchObject({ status: 409 });
    });

    it('answers anew what cannot be told again: what is not stored, and what was deleted', async () => {
      const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });
      const unstored = [];
      for (let count = 0; count < 2; count++) {
        unstored.push((await responses().create(asked({ store: false }), keyed('four'))).id);
      }
      expect(new Set(unstored).size).toBe(2);
      const { id } = await responses().create(asked(), keyed('five'));
      await responses().delete(id);
      expect((await responses().create(asked(), keyed('five'))).id).not.toBe(id);
      await expect(responses().create(asked({ previous_response_id: 'resp_none' }), keyed('six'))).rejects.toThrow();
      await responses().create(asked(), keyed('six'));
    });
  },
);
