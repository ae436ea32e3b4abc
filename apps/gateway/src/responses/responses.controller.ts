import { responseRequest } from '@attune/contracts';
import { InternalError, UnavailableError } from '@attune/platform';
import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { ResponsesService } from './responses.service.js';
import { validate } from '../core/validate.js';
import { errorBody, toAppError } from '../openai/error-body.js';
import { EventStream } from '../openai/sse.js';
import { refuseUnsupportedResponse } from '../openai/unsupported.js';

type ResponseEvent = { type: string; response?: { status: string; error: { message: string } | null } };

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
    const events = this.responses.stream(caller, request, client.disconnected) as AsyncIterable<ResponseEvent>;
    if (wantsStream(body)) await this.stream(client, events);
    else void reply.send(await lastResponse(events));
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
  // Without a stream the status line is still to be written, and says more than a field would.
  if (last.response.status === 'failed') throw new UnavailableError(last.response.error!.message);
  return last.response;
}
