import type { Logger } from '@attune/platform';
import { Body, Controller, Headers, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { LOGGER } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';
import { streamChunks } from '../openai/answer-writer.js';
import { ChatCompletionsService } from '../openai/chat-completions.service.js';
import { EventStream } from '../openai/sse.js';
import { completionChunks, wholeCompletion } from './completion-answer.js';
import { readCompletionRequest } from './completion-request.js';

/** https://platform.openai.com/docs/api-reference/completions/create */
@Controller('v1/completions')
export class CompletionsController {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly completions: ChatCompletionsService,
    private readonly model: ServedModel,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const read = readCompletionRequest(body, this.model);
    const client = new EventStream(reply);
    const options = { signal: client.disconnected, body, idempotencyKey };
    const { events, replayed } = await this.completions.answer(caller, read.requests, options);
    if (replayed) void reply.header('idempotent-replayed', 'true');
    if (read.stream) await streamChunks(client, completionChunks(events, read), this.logger);
    else void reply.send(await wholeCompletion(events, read));
  }
}
