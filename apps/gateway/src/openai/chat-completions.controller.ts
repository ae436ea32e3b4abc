import type { Logger } from '@attune/platform';
import { Body, Controller, Headers, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { LOGGER } from '../core/tokens.js';
import { streamChunks } from './answer-writer.js';
import { answerChunks, wholeAnswer, type AnswerSettings } from './chat-answer.js';
import { ChatCompletionsService } from './chat-completions.service.js';
import { choicesOf } from './choices.js';
import { readChatRequest } from './chat-request.js';
import { EventStream } from './sse.js';

/** https://platform.openai.com/docs/api-reference/chat/create */
@Controller('v1/chat/completions')
export class ChatCompletionsController {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly completions: ChatCompletionsService,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const read = readChatRequest(body);
    const client = new EventStream(reply);
    const requests = choicesOf(read.request, read.choices, caller.conversationId);
    const options = { signal: client.disconnected, body, idempotencyKey };
    const { events, replayed } = await this.completions.answer(caller, requests, options);
    if (replayed) void reply.header('idempotent-replayed', 'true');
    const settings: AnswerSettings = { ...read, logprobs: read.request.topLogprobs !== undefined };
    if (read.stream) await streamChunks(client, answerChunks(events, settings), this.logger);
    else void reply.send(await wholeAnswer(events, settings));
  }
}
