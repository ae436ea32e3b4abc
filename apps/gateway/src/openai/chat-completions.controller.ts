import type { ChatCompletionChunk } from '@attune/contracts';
import type { Logger } from '@attune/platform';
import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { ChatService } from '../chat/chat.service.js';
import { LOGGER } from '../core/tokens.js';
import { answerChunks, wholeAnswer } from './chat-answer.js';
import { readChatRequest } from './chat-request.js';
import { errorBody, toAppError } from './error-body.js';
import { EventStream } from './sse.js';

/** https://platform.openai.com/docs/api-reference/chat/create */
@Controller('v1/chat/completions')
export class ChatCompletionsController {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly chat: ChatService,
  ) {}

  @Post()
  @HttpCode(200)
  async create(@CurrentCaller() caller: Caller, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { request, stream, includeUsage } = readChatRequest(body);
    const client = new EventStream(reply);
    const events = this.chat.answer(caller, request, client.disconnected);
    if (stream) await this.stream(client, answerChunks(events, includeUsage));
    else void reply.send(await wholeAnswer(events));
  }

  /** Once a chunk is out, the status line is too: a later error travels in the stream. */
  private async stream(client: EventStream, chunks: AsyncIterable<ChatCompletionChunk>): Promise<void> {
    try {
      for await (const chunk of chunks) await client.send(chunk);
      await client.send('[DONE]');
    } catch (thrown) {
      if (!client.started) throw thrown;
      const error = toAppError(thrown);
      if (error.kind !== 'cancelled') this.logger.error({ err: error.cause ?? error }, `mid-stream: ${error.message}`);
      await client.send(errorBody(error));
    } finally {
      client.end();
    }
  }
}
