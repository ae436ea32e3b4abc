import {
  listItemsQuery,
  type CursorPage,
  type ResponseDeleted,
  type ResponseItem,
  type ResponseObject,
} from '@attune/contracts';
import type { ResponseStreamEvent } from '@attune/contracts';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { validate } from '../core/validate.js';
import { errorBody, toAppError } from '../openai/error-body.js';
import { readIdempotency } from '../openai/idempotency.js';
import { EventStream } from '../openai/sse.js';
import { plainQuery, readResponseRequest, readRetrieveQuery } from './read-response-request.js';
import { ResponsesService } from './responses.service.js';
import { StoredResponsesService } from './stored-responses.service.js';

/** https://platform.openai.com/docs/api-reference/responses; the same path upgraded is the socket. */
@Controller('v1/responses')
export class ResponsesController {
  constructor(
    private readonly responses: ResponsesService,
    private readonly stored: StoredResponsesService,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const idempotency = readIdempotency(key, body);
    const request = readResponseRequest(body);
    const client = new EventStream(reply);
    if (request.stream)
      return send(client, this.responses.stream(caller, request, client.disconnected, { idempotency }));
    void reply.send(await this.responses.create(caller, request, client.disconnected, idempotency));
  }

  @Get(':id')
  async retrieve(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { stream, starting_after: after = -1 } = readRetrieveQuery(query);
    if (!stream) return void reply.send(await this.stored.get(caller, id));
    const client = new EventStream(reply);
    await send(client, this.stored.stream(caller, id, after, client.disconnected));
  }

  @Get(':id/input_items')
  inputItems(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<CursorPage<ResponseItem>> {
    return this.stored.inputItems(caller, id, validate(listItemsQuery, plainQuery(query)));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ResponseObject> {
    return this.stored.cancel(caller, id);
  }

  @Delete(':id')
  remove(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ResponseDeleted> {
    return this.stored.remove(caller, id);
  }
}

/** Proxies commonly give a silent connection up after a minute. */
const BEAT_EVERY_MS = 15_000;

/** Once an event is out, the status line is too: a later error travels in the stream. */
async function send(client: EventStream, events: AsyncIterable<ResponseStreamEvent>): Promise<void> {
  let sequence = 0;
  const beat = setInterval(() => client.beat(), BEAT_EVERY_MS).unref();
  try {
    for await (const event of events) {
      await client.send(event, event.type);
      sequence = event.sequence_number + 1;
    }
    // Who resumes after the last event is told that there is nothing more.
    client.start();
  } catch (thrown) {
    if (!client.started) throw thrown;
    const { message, code, param } = errorBody(toAppError(thrown)).error;
    await client.send({ type: 'error', sequence_number: sequence, message, code, param }, 'error');
  } finally {
    clearInterval(beat);
    client.end();
  }
}
