import { responseRequest } from '@attune/contracts';
import { InternalError, type AppError } from '@attune/platform';
import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { ResponsesService } from './responses.service.js';
import { validate } from '../core/validate.js';
import { errorBody, toAppError } from '../openai/error-body.js';
import { EventStream } from '../openai/sse.js';
import { refuseUnsupportedResponse } from '../openai/unsupported.js';

type ResponseEvent = { type: string; response?: object };

/** https://platform.openai.com/docs/api-reference/responses/create; the same path upgraded is the socket. */
@Controller('v1/responses')
export class ResponsesController {
  constructor(private readonly responses: ResponsesService) {}

  @Post()
  @HttpCode(200)
  async create(@CurrentCaller() caller: Caller, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    refuseUnsupportedResponse(body);
    const request = validate(responseRequest, body);
    const client = new EventStream(reply);
    let failure: AppError | undefined;
    const note = (error: AppError) => (failure = error);
    const events = this.responses.stream(caller, request, client.disconnected, note) as AsyncIterable<ResponseEvent>;
    if (wantsStream(body)) return this.stream(client, events);
    const response = await lastResponse(events);
    // Without a stream the status line is still to be written, and says more than a field would.
    if (failure) throw failure;
    void reply.send(response);
  }

  private async stream(client: EventStream, events: AsyncIterable<ResponseEvent>): Promise<void> {
    try {
      for await (const event of events) await client.send(event, event.type);
    } catch (thrown) {
      if (!client.started) throw thrown;
      const { message, code, param } = errorBody(toAppError(thrown)).error;
      await client.send({ type: 'error', message, code, param }, 'error');
    } finally {
      client.end();
    }
  }
}

const wantsStream = (body: unknown) => (body as { stream?: unknown }).stream === true;

async function lastResponse(events: AsyncIterable<ResponseEvent>): Promise<object> {
  let last: ResponseEvent | undefined;
  for await (const event of events) last = event;
  if (!last?.response) throw new InternalError('The response ended without saying how.');
  return last.response;
}
