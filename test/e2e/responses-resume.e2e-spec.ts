import { ResponseRepository } from '@attune/persistence';
import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventJournal } from '../../apps/gateway/src/responses/event-journal.js';
import { ResponseKeeper } from '../../apps/gateway/src/responses/response-keeper.js';
import { RunningResponses } from '../../apps/gateway/src/responses/running-responses.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

type Event = OpenAI.Responses.ResponseStreamEvent;
const LONG = 300;

describe.skipIf(!testModel)(`streams that were cut (${testModel ? 'two gateways, one database' : noModel})`, () => {
  let one: TestGateway;
  let other: TestGateway;
  let there: OpenAI['responses'];
  beforeAll(async () => {
    one = await startTestGateway({ endless: true });
    other = await startTestGateway({ endless: true, env: { DATABASE_URL: one.databaseUrl } });
    there = other.client(one.userKey).responses;
  });
  afterAll(async () => {
    await other?.close();
    await one?.close();
  });

  const open = (fields: object = {}) =>
    one.openai.responses.create({
      model: one.model,
      input: 'Once upon a time there was a little dog.',
      max_output_tokens: LONG,
      stream: true,
      ...fields,
    });

  /** Reads so many events and cuts the connection. */
  async function cutAfter(count: number, fields: object = {}): Promise<{ id: string; events: Event[] }> {
    const stream = await open(fields);
    const events: Event[] = [];
    for await (const event of stream) {
      events.push(event);
      if (events.length === count) break;
    }
    return { id: (events[0] as OpenAI.Responses.ResponseCreatedEvent).response.id, events };
  }

  async function readAll(stream: AsyncIterable<Event>): Promise<Event[]> {
    const events: Event[] = [];
    for await (const event of stream) events.push(event);
    return events;
  }

  it.each([{ background: false }, { background: true }])('go on at another gateway, %o', async (fields) => {
    const { id, events } = await cutAfter(20, fields);
    const after = events.at(-1)!.sequence_number;
    const running = one.gateway.app.get(RunningResponses);
    const rest = (await there.retrieve(id, { stream: true, starting_after: after }))[Symbol.asyncIterator]();
    const first = await rest.next();
    expect(running.get(id), 'the answer was complete before it was resumed').toBeDefined();
    const all = [...events, first.value as Event, ...(await readAll({ [Symbol.asyncIterator]: () => rest }))];
    expect(all.map((event) => event.sequence_number)).toEqual(all.map((_, index) => index));
    const text = all.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('');
    const final = await there.retrieve(id);
    expect(final).toMatchObject({ status: 'incomplete', usage: { output_tokens: LONG } });
    expect(text).toBe(final.output_text);
  });

  it('go on at the same gateway, for as many readers as come', async () => {
    const { id, events } = await cutAfter(20);
    const streams = await Promise.all(
      [0, 5, 19].map((n) => one.openai.responses.retrieve(id, { stream: true, starting_after: n })),
    );
    const rests = await Promise.all(streams.map(readAll));
    rests.forEach((rest, index) => expect(rest[0]!.sequence_number).toBe([1, 6, 20][index]));
    expect(rests[0]!.slice(0, 19)).toEqual(events.slice(1));
    expect(rests[1]).toEqual(rests[0]!.slice(5));
    expect(rests[2]).toEqual(rests[0]!.slice(19));
  });

  it('are not answered for ever when nobody comes back', async () => {
    const { id } = await cutAfter(5, { max_output_tokens: undefined });
    one.gateway.app.get(RunningResponses).get(id)!.stop('left');
    await expect.poll(async () => (await there.retrieve(id)).status, { timeout: 10_000 }).toBe('cancelled');
    await expect.poll(async () => (await one.loaded.engine.stats()).running, { timeout: 5_000 }).toBe(0);
  });

  it('end where they are cancelled, at whichever gateway', async () => {
    const { id } = await cutAfter(5, { background: true, max_output_tokens: undefined });
    const cancelled = await there.cancel(id);
    expect(cancelled).toMatchObject({ status: 'cancelled', incomplete_details: null });
    expect(cancelled.output_text).not.toBe('');
    expect(await there.cancel(id)).toMatchObject({ status: 'cancelled' });
    const events = await readAll(await there.retrieve(id, { stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'response.incomplete', response: { status: 'cancelled' } });
  });

  it('end as failed when their gateway has ended, with what they had told', async () => {
    const { id, events } = await cutAfter(30, { background: true });
    const following = readAll(await there.retrieve(id, { stream: true }));
    // As if the first gateway had been killed: it says nothing more of the response, and another one looks.
    const running = one.gateway.app.get(RunningResponses);
    const response = running.get(id)!;
    response.stop('left');
    await response.done;
    await one.gateway.app.get(EventJournal).flush();
    const responses = new ResponseRepository(one.dataSource);
    const { body } = await responses.get(
      id,
      (await one.dataSource.query('select user_id from response where id = $1', [id]))[0].user_id,
    );
    await one.dataSource.query(
      `update response set status = 'in_progress', ended_at = null, body = $2, heartbeat_at = now() - interval '1 minute'
       where id = $1`,
      [id, JSON.stringify({ ...body, status: 'in_progress', output: [] })],
    );
    await one.dataSource.query('delete from response_event where response_id = $1 and sequence > 29', [id]);
    await other.gateway.app.get(ResponseKeeper).endLost(15_000);
    await following;
    const lost = await there.retrieve(id);
    expect(lost).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
    const told = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('');
    expect(lost.output_text).toBe(told);
    const replayed = await readAll(await there.retrieve(id, { stream: true }));
    expect(replayed.at(-1)).toMatchObject({ type: 'response.failed', sequence_number: 30 });
  });

  it('cost a write a batch, not a write an event', async () => {
    const before = await writes();
    await readAll(await open({ max_output_tokens: 200 }));
    await expect.poll(async () => (await writes()).rows - before.rows, { timeout: 5_000 }).toBeGreaterThan(60);
    const after = await writes();
    expect((after.rows - before.rows) / (after.calls - before.calls)).toBeGreaterThan(4);
  });

  /** Statements and rows of the table of events, counted by a trigger. */
  async function writes(): Promise<{ calls: number; rows: number }> {
    await one.dataSource.query(`
      create table if not exists event_writes (calls integer, rows integer);
      create or replace function count_event_writes() returns trigger language plpgsql as $$
        begin insert into event_writes select 1, count(*) from fresh; return null; end $$;
      create or replace trigger count_event_writes after insert on response_event
        referencing new table as fresh for each statement execute function count_event_writes()`);
    const [row] = await one.dataSource.query(
      'select coalesce(sum(calls), 0)::int as calls, coalesce(sum(rows), 0)::int as rows from event_writes',
    );
    return row as { calls: number; rows: number };
  }
});
