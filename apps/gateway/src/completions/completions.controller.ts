import { Body, Controller, Headers, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { ServedModel } from '../inference/served-model.js';
import { AnswerSender } from '../openai/answer-sender.js';
import { completionChunks, wholeCompletion } from './completion-answer.js';
import { readCompletionRequest } from './completion-request.js';

/** https://platform.openai.com/docs/api-reference/completions/create */
@Controller('v1/completions')
export class CompletionsController {
  constructor(
    private readonly answers: AnswerSender,
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
    await this.answers.send({ caller, body, idempotencyKey, reply }, read.requests, {
      stream: read.stream,
      chunks: (events) => completionChunks(events, read),
      whole: (events) => wholeCompletion(events, read),
    });
  }
}
