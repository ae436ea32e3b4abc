import { Module } from '@nestjs/common';
import { OpenAIModule } from '../openai/openai.module.js';
import { CompletionsController } from './completions.controller.js';

@Module({ imports: [OpenAIModule], controllers: [CompletionsController] })
export class CompletionsModule {}
