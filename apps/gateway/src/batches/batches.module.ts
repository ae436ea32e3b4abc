import { Module } from '@nestjs/common';
import { BatchRunner } from './batch-runner.js';
import { BatchesController } from './batches.controller.js';

@Module({ controllers: [BatchesController], providers: [BatchRunner] })
export class BatchesModule {}
