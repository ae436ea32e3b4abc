import { Module } from '@nestjs/common';
import { OpenApiController } from './openapi.controller.js';
import { ChatModule } from '../chat/chat.module.js';
import { AnswerSender } from './answer-sender.js';
import { ChatCompletionsController } from './chat-completions.controller.js';
import { ChatCompletionsService } from './chat-completions.service.js';
import { IdempotentRequests } from './idempotent-requests.js';
import { ModelsController } from './models.controller.js';
import { StoredCompletionsController } from './stored-completions.controller.js';
import { StoredCompletionsService } from './stored-completions.service.js';

@Module({
  imports: [ChatModule],
  controllers: [OpenApiController, ChatCompletionsController, StoredCompletionsController, ModelsController],
  providers: [ChatCompletionsService, AnswerSender, StoredCompletionsService, IdempotentRequests],
  exports: [AnswerSender, IdempotentRequests],
})
export class OpenAIModule {}
