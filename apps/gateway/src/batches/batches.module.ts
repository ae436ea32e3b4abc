import { Module } from '@nestjs/common';
import { OpenAIModule } from '../openai/openai.module.js';
import { BatchRunner } from './batch-runner.js';
import { BatchesController } from './batches.controller.js';

@Module({ imports: [OpenAIModule], controllers: [BatchesController], providers: [BatchRunner] })
export class BatchesModule {}
