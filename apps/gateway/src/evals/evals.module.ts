import { Module } from '@nestjs/common';
import { OpenAIModule } from '../openai/openai.module.js';
import { EvalRows } from './eval-rows.js';
import { EvalRunner } from './eval-runner.js';
import { EvalSampler } from './eval-sampler.js';
import { EvalsController } from './evals.controller.js';
import { EvalsService } from './evals.service.js';
import { GradersController } from './graders.controller.js';
import { StoredRows } from './stored-rows.js';

@Module({
  imports: [OpenAIModule],
  controllers: [EvalsController, GradersController],
  providers: [EvalsService, EvalRunner, EvalRows, StoredRows, EvalSampler],
})
export class EvalsModule {}
