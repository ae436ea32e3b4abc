import { Module } from '@nestjs/common';
import { ChatModule } from '../chat/chat.module.js';
import { ChatCompletionsController } from './chat-completions.controller.js';
import { ModelsController } from './models.controller.js';

@Module({ imports: [ChatModule], controllers: [ChatCompletionsController, ModelsController] })
export class OpenAIModule {}
