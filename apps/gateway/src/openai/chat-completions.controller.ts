import { Body, Controller, Headers, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { AnswerSender } from './answer-sender.js';
import { answerChunks, wholeAnswer, type AnswerSettings } from './chat-answer.js';
import { readChatRequest } from './chat-request.js';
import { choicesOf } from './choices.js';

/** https://platform.openai.com/docs/api-reference/chat/create */
@Controller('v1/chat/completions')
export class ChatCompletionsController {
  constructor(private readonly answers: AnswerSender) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const read = readChatRequest(body);
    const requests = choicesOf(read.request, read.choices, caller.conversationId);
    const settings: AnswerSettings = { ...read, logprobs: read.request.topLogprobs !== undefined };
    await this.answers.send({ caller, body, idempotencyKey, reply }, requests, {
      stream: read.stream,
      chunks: (events) => answerChunks(events, settings),
      whole: (events) => wholeAnswer(events, settings),
    });
  }
}
